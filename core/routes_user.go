package core

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/input"
)

// Endpoints about the caller's own user and accounts.
var (
	// UpdateUser changes name, image and added columns. The address has its own endpoint.
	UpdateUser = NewRoute[FieldsInput, Status]("POST /update-user", CachedSession)
	// DeleteUser deletes the caller: with the password, with a fresh session, or by mail.
	DeleteUser = NewRoute[DeleteUserInput, DeleteUserAnswer]("POST /delete-user")
	// DeleteUserCallback is where the mailed link leads. It wants the user's session.
	DeleteUserCallback = NewRoute[DeleteUserCallbackInput, DeleteUserAnswer]("GET /delete-user/callback", Public, Callback("callbackURL"))
	// ListAccounts lists the caller's ways in.
	ListAccounts = NewRoute[None, []AccountAnswer]("GET /list-accounts", CachedSession)
	// UnlinkAccount removes one of them, but not the last.
	UnlinkAccount = NewRoute[UnlinkAccountInput, Status]("POST /unlink-account", FreshSession)
)

// DeleteUserInput is the input of DeleteUser.
type DeleteUserInput struct {
	CallbackURL *string `json:"callbackURL"`
	Password    *string `json:"password"`
	Token       *string `json:"token"`
}

// DeleteUserCallbackInput is the input of DeleteUserCallback.
type DeleteUserCallbackInput struct {
	Token       string  `query:"token"`
	CallbackURL *string `query:"callbackURL"`
}

// DeleteUserAnswer is the answer of both.
type DeleteUserAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message"` // "User deleted" or "Verification email sent"
}

func (h *Host) updateUser(ctx context.Context, c *Call, in FieldsInput) (Status, error) {
	var ch UserChange
	var rest input.Members
	for _, m := range in.Fields { // before what else may be wrong
		if m.Name == "email" && truthy(m.Raw) {
			return Status{}, ErrEmailCanNotBeUpdated
		}
	}
	for _, m := range in.Fields {
		switch m.Name {
		case "email":
		case "name":
			if err := stringField(m, &ch.Name); err != nil {
				return Status{}, err
			}
		case "image":
			var image *string
			if string(m.Raw) != "null" {
				if err := stringField(m, &image); err != nil {
					return Status{}, err
				}
			}
			ch.Image = &image
		default:
			rest = append(rest, m)
		}
	}
	var err error
	if ch.Extra, err = h.userModel.userInput(rest, false); err != nil {
		return Status{}, err
	}
	if ch.Name == nil && ch.Image == nil && len(ch.Extra) == 0 {
		return Status{}, errNoFieldsToUpdate
	}
	// The cookie cache may have answered for the session: it must still be there.
	alive := Cond{"EXISTS (SELECT 1 FROM {session=} WHERE {session.id} = ?)", []any{c.session.ID}}
	var u *User
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) (err error) {
		if u, err = h.UpdateUser(ctx, tx, c, c.user.ID, ch, alive); err != nil || u == nil {
			return err
		}
		return h.Record(ctx, &Event{Type: EventUserUpdated, UserID: u.ID, Call: c, Tx: tx, Detail: map[string]string{"fields": fieldNames(in.Fields)}})
	})
	if err != nil {
		return Status{}, err
	}
	if u == nil {
		c.ExpireSessionCookies()
		return Status{}, ErrUnauthorized
	}
	return Status{true}, c.RefreshCookies(c.session, u)
}

// fieldNames lists what was sent; userInput has refused what is no field.
func fieldNames(list input.Members) string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.Name
	}
	return strings.Join(names, ",")
}

func stringField(m input.Member, dst **string) error {
	var v any
	if err := json.Unmarshal(m.Raw, &v); err != nil {
		return ErrBadRequest
	}
	s, ok := v.(string)
	if !ok {
		return ErrValidation.WithMessage("[body." + m.Name + "] Invalid input: expected string, received " + jsType(v))
	}
	*dst = &s
	return nil
}

const deletePurpose = "delete-account-"

func (h *Host) deleteUser(ctx context.Context, c *Call, in DeleteUserInput) (DeleteUserAnswer, error) {
	var none DeleteUserAnswer
	cfg := &h.cfg.User.DeleteUser
	if !cfg.Enabled {
		return none, errDeleteUserDisabled
	}
	if in.Password != nil && *in.Password != "" {
		if err := h.provePassword(ctx, c, *in.Password); err != nil {
			return none, err
		}
	}
	switch {
	case in.Token != nil && *in.Token != "":
		return h.deleteWithToken(ctx, c, *in.Token)
	case cfg.VerifyByMail:
		return h.mailDeletion(ctx, c, deref(in.CallbackURL))
	case (in.Password == nil || *in.Password == "") && !c.Fresh():
		return none, ErrSessionExpired
	}
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error { return h.deleteSelf(ctx, tx, c) })
	if err != nil {
		return none, err
	}
	c.ExpireSessionCookies()
	return DeleteUserAnswer{true, "User deleted"}, nil
}

// deleteSelf deletes the caller and tells them. Who was put out while their password was
// checked deletes nobody.
func (h *Host) deleteSelf(ctx context.Context, tx *Tx, c *Call) error {
	if err := c.HoldSession(ctx, tx); err != nil {
		return err
	}
	if err := h.DeleteUser(ctx, tx, c, c.user); err != nil {
		return err
	}
	return h.sendNotice(ctx, tx, NoticeAccountDeleted, c, c.user, "")
}

// provePassword wants the caller's password. It counts towards the lockout.
func (h *Host) provePassword(ctx context.Context, c *Call, pass string) error {
	if err := h.PasswordTooLong(pass); err != nil {
		return err
	}
	cr, err := h.CredentialByID(ctx, c.user.ID)
	if err != nil {
		return err
	}
	if cr.Hash == nil {
		return ErrCredentialNotFound
	}
	checked, ok, err := h.CheckPassword(ctx, cr, c.user.ID, pass)
	if err != nil {
		return err
	}
	if !ok {
		return ErrInvalidPassword
	}
	return h.Settle(ctx, nil, checked)
}

func (h *Host) mailDeletion(ctx context.Context, c *Call, callback string) (DeleteUserAnswer, error) {
	if callback == "" {
		callback = "/"
	}
	token, err := h.RandomString("0123456789abcdefghijklmnopqrstuvwxyz", 32)
	if err != nil {
		return DeleteUserAnswer{}, err
	}
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		life := time.Duration(h.cfg.User.DeleteUser.TokenExpiresIn) * time.Second
		if err := h.PutVerification(ctx, tx, deletePurpose+token, c.user.ID, life); err != nil {
			return err
		}
		return h.SendMail(ctx, tx, contract.Message{Template: "delete-account", To: c.user.Email, User: MailUser(c.user), Token: token, ExpiresAt: h.Now().Add(life),
			URL: h.URL("/delete-user/callback?token=" + token + "&callbackURL=" + EncodeURIComponent(callback))})
	})
	return DeleteUserAnswer{true, "Verification email sent"}, err
}

func (h *Host) deleteUserCallback(ctx context.Context, c *Call, in DeleteUserCallbackInput) (DeleteUserAnswer, error) {
	if !h.cfg.User.DeleteUser.Enabled {
		return DeleteUserAnswer{}, ErrNotFound
	}
	if _, err := c.resolveSession(ctx, sessionRead{}); err != nil {
		return DeleteUserAnswer{}, err
	}
	if c.session == nil {
		return DeleteUserAnswer{}, ErrFailedToGetUserInfo
	}
	out, err := h.deleteWithToken(ctx, c, in.Token)
	if err == nil && deref(in.CallbackURL) != "" {
		c.Redirect(*in.CallbackURL)
	}
	return out, err
}

func (h *Host) deleteWithToken(ctx context.Context, c *Call, token string) (DeleteUserAnswer, error) {
	mine := false
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		// Before the link, in the order of a reset, which takes all of the user's.
		if err := h.LockUser(ctx, tx, c.user.ID); err != nil {
			return err
		}
		v, found, err := h.TakeVerification(ctx, tx, deletePurpose+token)
		// Somebody else's token is spent as well: whoever tried it has seen it.
		if mine = err == nil && found && v.Value == c.user.ID; !mine {
			return err
		}
		return h.deleteSelf(ctx, tx, c)
	})
	if err != nil {
		return DeleteUserAnswer{}, err
	}
	if !mine {
		return DeleteUserAnswer{}, errDeleteToken
	}
	c.ExpireSessionCookies()
	return DeleteUserAnswer{true, "User deleted"}, nil
}

// errDeleteToken is INVALID_TOKEN with the status that this endpoint gives it.
var errDeleteToken = NewError("INVALID_TOKEN", 404, "Invalid token")

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// EncodeURIComponent escapes as JavaScript's function of that name does.
func EncodeURIComponent(s string) string {
	const keep = "-_.!~*'()"
	b := make([]byte, 0, len(s)*3)
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(keep, c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
	return string(b)
}
