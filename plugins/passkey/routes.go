package passkey

import (
	"context"
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// Endpoints of the plugin. The open ones take the place of those above them where
// Registration.RequireSession is false.
var (
	RegisterOptions        = core.NewRoute[RegisterOptionsInput, CreationOptions]("GET /passkey/generate-register-options", core.FreshSession)
	OpenRegisterOptions    = core.NewRoute[RegisterOptionsInput, CreationOptions]("GET /passkey/generate-register-options", core.Public)
	VerifyRegistration     = core.NewRoute[VerifyRegistrationInput, RegistrationAnswer]("POST /passkey/verify-registration", core.FreshSession)
	OpenVerifyRegistration = core.NewRoute[VerifyRegistrationInput, RegistrationAnswer]("POST /passkey/verify-registration", core.Public)
	AuthenticateOptions    = core.NewRoute[core.None, RequestOptions]("GET /passkey/generate-authenticate-options", core.Public)
	VerifyAuthentication   = core.NewRoute[VerifyAuthenticationInput, core.SessionAnswer]("POST /passkey/verify-authentication", core.Public)
	List                   = core.NewRoute[core.None, []Answer]("GET /passkey/list-user-passkeys", core.CachedSession)
	Delete                 = core.NewRoute[DeleteInput, core.Status]("POST /passkey/delete-passkey", core.FreshSession)
	Update                 = core.NewRoute[UpdateInput, UpdateAnswer]("POST /passkey/update-passkey", core.CachedSession)
	// Capability tells a login page whether to offer passkeys.
	Capability = core.NewRoute[core.None, CapabilityAnswer]("GET /passkey/capability", core.Public)
)

// RegisterOptionsInput is the input of RegisterOptions.
type RegisterOptionsInput struct {
	Attachment *string `query:"authenticatorAttachment" input:"enum=platform|cross-platform"`
	Name       *string `query:"name"`    // what the authenticator shows
	Context    *string `query:"context"` // handed on to ResolveUser and NewUser
}

// VerifyRegistrationInput is the input of VerifyRegistration.
type VerifyRegistrationInput struct {
	Response      json.RawMessage `json:"response"` // RegistrationResponseJSON
	Name          *string         `json:"name" input:"trim,max=256"`
	CreateSession *bool           `json:"createSession"`
}

// RegistrationAnswer is the answer of VerifyRegistration.
type RegistrationAnswer struct {
	Answer
	Session *core.Session `json:"session,omitempty"`
	User    *core.User    `json:"user,omitempty"`
}

// VerifyAuthenticationInput is the input of VerifyAuthentication.
type VerifyAuthenticationInput struct {
	Response map[string]json.RawMessage `json:"response"` // AuthenticationResponseJSON
}

// DeleteInput is the input of Delete.
type DeleteInput struct {
	ID string `json:"id"`
}

// UpdateInput is the input of Update.
type UpdateInput struct {
	ID   string `json:"id"`
	Name string `json:"name" input:"trim,min=1,max=256"`
}

// UpdateAnswer is the answer of Update.
type UpdateAnswer struct {
	Passkey Answer `json:"passkey"`
}

// CapabilityAnswer is the answer of Capability.
type CapabilityAnswer struct {
	// Available is false where passkeys cannot work: the page's origin is not an allowed one.
	Available bool `json:"available"`
	// Conditional tells that the browser may offer passkeys in the form's fields.
	Conditional      bool   `json:"conditional"`
	RPID             string `json:"rpId"`
	UserVerification string `json:"userVerification"`
}

func (p *Plugin) capability(_ context.Context, c *core.Call, _ core.None) (CapabilityAnswer, error) {
	origin := c.Header("Origin")
	if origin == "" { // a page of the same origin
		origin = p.host.BaseURL()
	}
	ok := p.allowed(origin)
	return CapabilityAnswer{ok, ok, p.o.RPID, p.o.UserVerification}, nil
}

func (p *Plugin) listUserPasskeys(ctx context.Context, c *core.Call, _ core.None) ([]Answer, error) {
	_, u := c.Session()
	list, err := p.list(ctx, u.ID)
	out := make([]Answer, len(list))
	for i := range list {
		out[i] = list[i].answer()
	}
	return out, err
}

func (p *Plugin) delete(ctx context.Context, c *core.Call, in DeleteInput) (core.Status, error) {
	_, u := c.Session()
	if in.ID == "" {
		return core.Status{}, errNoID
	}
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := c.RecheckSession(ctx, tx); err != nil {
			return err
		}
		n, err := passkeys.Delete(ctx, tx, colID.Eq(in.ID), colUserID.Eq(u.ID))
		if err != nil {
			return err
		}
		if n == 0 {
			return p.absent(ctx, tx, in.ID, errForeignDelete)
		}
		return p.host.Record(ctx, &core.Event{Type: eventDeleted, UserID: u.ID, Call: c, Tx: tx, Detail: map[string]string{"passkey": in.ID}})
	})
	return core.Status{Status: err == nil}, err
}

func (p *Plugin) update(ctx context.Context, c *core.Call, in UpdateInput) (UpdateAnswer, error) {
	var none UpdateAnswer
	_, u := c.Session()
	if in.ID == "" {
		return none, errNoID
	}
	if err := c.RecheckSession(ctx, p.host.DB()); err != nil {
		return none, err
	}
	var k Passkey
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) (err error) {
		var found bool
		k, found, err = passkeys.UpdateGet(ctx, tx, []core.Set{colName.Set(&in.Name)}, colID.Eq(in.ID), colUserID.Eq(u.ID))
		if err != nil {
			return err
		}
		if !found {
			return p.absent(ctx, tx, in.ID, ErrNotAllowed)
		}
		return p.host.Record(ctx, &core.Event{Type: eventRenamed, UserID: u.ID, Call: c, Tx: tx, Detail: map[string]string{"passkey": in.ID}})
	})
	if err != nil {
		return none, err
	}
	return UpdateAnswer{k.answer()}, nil
}
