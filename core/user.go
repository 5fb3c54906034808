package core

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Points around users. Before hooks may change the payload or refuse; After hooks run
// in the same transaction.
var (
	UserCreate = NewPoint[UserCreateEvent]("user-create")
	UserUpdate = NewPoint[UserUpdateEvent]("user-update")
	UserDelete = NewPoint[UserDeleteEvent]("user-delete")
)

// UserCreateEvent is the payload of UserCreate.
type UserCreateEvent struct {
	Call   *Call
	Tx     *Tx
	User   *User
	Method string // "email-password", "magic-link", ...
}

// UserUpdateEvent is the payload of UserUpdate. User is the row afterwards, in After and
// Committed hooks only.
type UserUpdateEvent struct {
	Call   *Call
	Tx     *Tx
	UserID string
	Change *UserChange
	User   *User
}

// UserDeleteEvent is the payload of UserDelete.
type UserDeleteEvent struct {
	Call *Call
	Tx   *Tx
	User *User
}

// NormalEmail is the one form in which an address is stored, looked up and counted.
func NormalEmail(email string) string { return subjectForm(email) }

// UserByID reads a user; nil if there is none.
func (h *Host) UserByID(ctx context.Context, q storage.Conn, id string) (*User, error) {
	return h.scanUser(q.Query(ctx, h.sql.userByID, id))
}

// UserByEmail reads a user by address; nil if nobody has it.
func (h *Host) UserByEmail(ctx context.Context, q storage.Conn, email string) (*User, error) {
	return h.scanUser(q.Query(ctx, h.sql.userByEmail, NormalEmail(email)))
}

// UserIDs lists the ids of users behind after, in order, at most limit: for commands that
// go through all of them in pieces. The first piece comes after "".
func (h *Host) UserIDs(ctx context.Context, after string, limit int) (out []string, err error) {
	sql, args := "SELECT {user.id} FROM {user=}", []any{}
	if after != "" { // which is no number
		sql, args = sql+" WHERE {user.id} > ?", append(args, after)
	}
	rows, err := h.db.Query(ctx, sql+" ORDER BY {user.id} LIMIT ?", append(args, int64(limit))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(storage.Dest(&id)); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func (h *Host) scanUser(rows storage.Rows, err error) (*User, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	u := &User{model: h.userModel}
	dest, ux := h.userModel.extraDests(u.dests())
	if err := rows.Scan(storage.Dests(dest)...); err != nil {
		return nil, err
	}
	u.Extra = h.userModel.extra(ux)
	return u, rows.Close()
}

// NewUser makes a user that is not stored yet: times, normal address, defaults of added
// fields where extra has none. CreateUser gives the id.
func (h *Host) NewUser(name, email string, extra map[string]any) (*User, error) {
	now := h.Now()
	u := &User{Name: name, Email: NormalEmail(email), CreatedAt: now, UpdatedAt: now, Extra: map[string]any{}, model: h.userModel}
	for _, f := range h.userModel.order {
		u.Extra[f.Name] = f.def
		if v, ok := extra[f.Name]; ok {
			u.Extra[f.Name] = v
		}
	}
	return u, nil
}

// CreateUser stores a user, under a new id if there is none yet, with a password account if
// hash is not empty, around UserCreate. A taken address is ErrEmailTaken, decided by the database.
func (h *Host) CreateUser(ctx context.Context, outer *Tx, c *Call, u *User, method, hash string) error {
	err := h.Tx(ctx, outer, func(ctx context.Context, tx *Tx) (err error) {
		if u.ID == "" {
			if u.ID, err = h.NewID(ctx, "user"); err != nil {
				return err
			}
		}
		e := &UserCreateEvent{Call: c, Tx: tx, User: u, Method: method}
		return UserCreate.Run(ctx, h, tx, e, func(ctx context.Context) error {
			u.Email = NormalEmail(u.Email)
			if name := h.userModel.lacks(u.Extra); name != "" {
				return ErrMissingField.WithMessage(name + " is required")
			}
			insert := storage.Statement{SQL: h.userModel.insert, Args: u.args()}
			event := &Event{Type: EventSignUp, UserID: u.ID, Actor: actorOf(c), Call: c, Tx: tx, Detail: map[string]string{"method": method}}
			if hash == "" {
				return h.Record(ctx, event, insert)
			}
			account, err := h.credentialAccount(u.ID, hash)
			if err != nil {
				return err
			}
			return h.Record(ctx, event, insert, account)
		})
	})
	if storage.IsUnique(err, "user", "email") {
		return ErrEmailTaken.Because(err)
	}
	return err
}

// UserChange is what an update changes: nil fields stay.
type UserChange struct {
	Name          *string
	Image         **string // a pointer to nil removes it
	Email         *string
	EmailVerified *bool
	Extra         map[string]any
}

// UpdateUser changes a user around UserUpdate and returns the row afterwards; nil if
// there is no such user, or where (a condition on user columns, with its values) does not
// hold for them any more.
func (h *Host) UpdateUser(ctx context.Context, outer *Tx, c *Call, userID string, ch UserChange, where ...Cond) (u *User, err error) {
	err = h.Tx(ctx, outer, func(ctx context.Context, tx *Tx) error {
		e := &UserUpdateEvent{Call: c, Tx: tx, UserID: userID, Change: &ch}
		err = UserUpdate.Run(ctx, h, tx, e, func(ctx context.Context) error {
			err = h.changing(ctx, tx, []string{userSubject(userID)}, func(ctx context.Context, tx *Tx) (err error) {
				u, err = h.writeUser(ctx, tx, userID, &ch, where)
				return err
			})
			if err == nil && u == nil {
				return errNoRow
			}
			e.User = u
			return err
		})
		if err == errNoRow { // nothing was updated: nothing follows, and nothing failed
			return nil
		}
		return err
	})
	if storage.IsUnique(err, "user", "email") {
		return nil, ErrEmailTaken.Because(err)
	}
	return u, err
}

var errNoRow = errors.New("core: no row met the conditions")

func (h *Host) writeUser(ctx context.Context, q storage.Conn, userID string, ch *UserChange, where []Cond) (*User, error) {
	sql, args := "UPDATE {user=} SET {user:updatedAt} = ?", []any{h.Now()}
	set := func(column string, v any) {
		sql, args = sql+", {user:"+column+"} = ?", append(args, v)
	}
	if ch.Name != nil {
		set("name", *ch.Name)
	}
	if ch.Image != nil {
		set("image", *ch.Image)
	}
	if ch.Email != nil {
		set("email", NormalEmail(*ch.Email))
	}
	if ch.EmailVerified != nil {
		set("emailVerified", *ch.EmailVerified)
	}
	for _, c := range h.userModel.order { // in schema order: one text per set of columns
		if v, ok := ch.Extra[c.Name]; ok {
			set(c.Name, v)
		}
	}
	tail, more := whereClause("", append([]Cond{{"{user.id} = ?", []any{userID}}}, where...))
	return h.scanUser(q.Query(ctx, sql+tail+" RETURNING "+h.userModel.bare, append(args, more...)...))
}

// EmailUnverified is the condition that an address has not been verified yet: verifying
// is done once, by whoever's update meets it.
var EmailUnverified = Cond{"{user.emailVerified} = ?", []any{false}}

// EmailIs is the condition that a user's address is still this one.
func EmailIs(email string) Cond { return Cond{"{user.email} = ?", []any{NormalEmail(email)}} }

// DeleteUser deletes a user and everything of theirs in one transaction, around
// UserDelete.
func (h *Host) DeleteUser(ctx context.Context, outer *Tx, c *Call, u *User) error {
	return h.Tx(ctx, outer, func(ctx context.Context, tx *Tx) error {
		// Before the accounts, in the order of all that write both: of two none waits for one
		// that waits for it.
		if err := h.LockUser(ctx, tx, u.ID); err != nil {
			return err
		}
		e := &UserDeleteEvent{Call: c, Tx: tx, User: u}
		return UserDelete.Run(ctx, h, tx, e, func(ctx context.Context) error {
			for _, s := range h.specs {
				for _, d := range s.Data {
					if d.Erase == nil {
						continue
					}
					if err := d.Erase(ctx, tx, u.ID); err != nil {
						return err
					}
				}
			}
			// Foreign keys cascade; where a shared database lacks them, this still leaves
			// no way in. Sessions come behind the proofs, as a sign-in locks them: one that
			// held a proof until now has its session among them.
			if _, err := accounts.Delete(ctx, tx, accountUser.Eq(u.ID)); err != nil {
				return err
			}
			if err := h.RevokeSessions(ctx, tx, u.ID, ""); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM {user=} WHERE {user.id} = ?", u.ID); err != nil {
				return err
			}
			if err := h.Record(ctx, &Event{Type: EventUserDeleted, UserID: u.ID, Actor: actorOf(c), Call: c, Tx: tx}); err != nil {
				return err
			}
			return h.eraseEvents(ctx, tx, u.ID)
		})
	})
}

// Export collects what is kept about a user, by data set.
func (h *Host) Export(ctx context.Context, userID string) (map[string]any, error) {
	out := map[string]any{}
	for _, s := range h.specs {
		for _, d := range s.Data {
			if d.Export == nil {
				continue
			}
			v, err := d.Export(ctx, h.db, userID)
			if err != nil {
				return nil, err
			}
			out[d.Name] = v
		}
	}
	return out, nil
}
