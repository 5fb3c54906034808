package core

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/password"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Credential is a user with what is stored of their password.
type Credential struct {
	User      *User   // nil: nobody has this address
	AccountID string  // empty: no password account
	Hash      *string // nil: no password
}

// CredentialByEmail reads a user and the password account by address, in one round trip.
func (h *Host) CredentialByEmail(ctx context.Context, email string) (Credential, error) {
	return h.credential(ctx, h.db, h.sql.userCredential+"{user.email} = ?", email)
}

// CredentialByID is CredentialByEmail by the user's id.
func (h *Host) CredentialByID(ctx context.Context, userID string) (Credential, error) {
	return h.credential(ctx, h.db, h.sql.userCredential+"{user.id} = ?", userID)
}

func (h *Host) credential(ctx context.Context, q storage.Conn, sql string, arg any) (Credential, error) {
	rows, err := q.Query(ctx, sql+" ORDER BY {account.createdAt} LIMIT 1", arg)
	if err != nil {
		return Credential{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		return Credential{}, rows.Err()
	}
	u := &User{model: h.userModel}
	var id *string
	var cr Credential
	dest, ux := h.userModel.extraDests(u.dests())
	if err := rows.Scan(storage.Dests(append(dest, &id, &cr.Hash))...); err != nil {
		return Credential{}, err
	}
	u.Extra = h.userModel.extra(ux)
	cr.User = u
	if id != nil {
		cr.AccountID = *id
	}
	return cr, rows.Close()
}

// Checked is a right password: what has to be written together with what it allows.
type Checked struct {
	// With stores a newer hash where one is due.
	With []storage.Statement
	// Guard does the same, and touches the hash that was checked in any case: for
	// SignIn.Guard, in the place of With.
	Guard []storage.Statement
	// Attempts were right guesses: the wrong ones before them are to be forgotten.
	Attempts []Attempt
}

// Release gives the attempts back where what should have followed was refused by err and
// did not happen: a right password must not count as a guess. Where err is a failure of
// ours, this is tried for a second; if it fails too, the attempts run out by themselves.
func (c Checked) Release(ctx context.Context, err error) {
	ctx = context.WithoutCancel(ctx)
	if e := AsError(err); e == nil || e.Status >= 500 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	for _, t := range c.Attempts {
		t.release(ctx, "")
	}
}

// CheckPassword tells whether a password is the credential's. Wrong guesses count
// against subject (the user's id, or the address where nobody has it); unknown users
// and users without a password cost the same time as a wrong guess. ok is false only
// for a wrong password; everything else that stands in the way is an error.
func (h *Host) CheckPassword(ctx context.Context, cr Credential, subject, pass string) (checked Checked, ok bool, err error) {
	if InTx(ctx) {
		return checked, false, errHashInTx
	}
	if cr.User != nil {
		subject = cr.User.ID
	}
	try, err := h.Attempts("password").Reserve(ctx, subject)
	if err != nil {
		return checked, false, err
	}
	var stale bool
	if cr.Hash == nil {
		err = h.hasher.Burn(ctx, pass)
	} else {
		ok, stale, err = h.hasher.Verify(ctx, *cr.Hash, pass)
	}
	if err != nil {
		try.Release(ctx)
		return checked, false, err
	}
	if !ok {
		return checked, false, try.Fail(ctx)
	}
	checked.Attempts = []Attempt{try}
	newer := *cr.Hash
	if stale { // a full queue is no reason to refuse a sign-in: the next one will do it
		if h, err := h.hasher.Hash(ctx, pass); err == nil {
			newer = h
		}
	}
	checked.Guard = []storage.Statement{accounts.UpdateStatement([]Set{accountPassword.Set(&newer)},
		accountID.Eq(cr.AccountID), accountPassword.Eq(cr.Hash))}
	if newer != *cr.Hash {
		checked.With = checked.Guard
	}
	return checked, true, nil
}

// Settle runs what a right password allows besides, where no session follows it.
func (h *Host) Settle(ctx context.Context, tx *Tx, c Checked) error {
	settle, done := h.settle(tx, c.Attempts)
	if with := append(c.With[:len(c.With):len(c.With)], settle...); len(with) > 0 {
		if _, err := h.conn(tx).Batch(ctx, with...); err != nil {
			return err
		}
	}
	done(ctx)
	return nil
}

// HashPassword hashes a password in the configured way. It must not be called inside a
// transaction: it takes long and would hold it open.
func (h *Host) HashPassword(ctx context.Context, pass string) (string, error) {
	if InTx(ctx) {
		return "", errHashInTx
	}
	return h.hasher.Hash(ctx, pass)
}

var errHashInTx = errors.New("core: a password was hashed inside a transaction: hash first")

// StorePassword sets the hash of the user's password account in tx, or makes the account.
func (h *Host) StorePassword(ctx context.Context, tx *Tx, userID, hash string) error {
	at, err := h.passwordTime(ctx, tx, accountUser.Eq(userID), accountProvider.Eq(CredentialProvider))
	if err != nil {
		return err
	}
	n, err := accounts.Update(ctx, h.conn(tx), []Set{accountPassword.Set(&hash), accountUpdated.Set(at)},
		accountUser.Eq(userID), accountProvider.Eq(CredentialProvider))
	if err != nil || n > 0 {
		return err
	}
	s, err := h.credentialAccount(userID, hash)
	if err != nil {
		return err
	}
	_, err = h.conn(tx).Exec(ctx, s.SQL, s.Args...)
	return err
}

// passwordTime is when a password is said to be set that is set now: later than the one
// before it, by which changeBinding tells the two apart. Only where a column holds whole
// seconds that is not so by itself.
func (h *Host) passwordTime(ctx context.Context, tx *Tx, where ...Cond) (time.Time, error) {
	now := h.Now()
	if h.Dialect() != storage.SQLite || h.cfg.Names.TimeForm("account", "updatedAt") != schema.TimeSeconds {
		return now, nil
	}
	list, err := accounts.List(ctx, h.conn(tx), ListOptions{}, where...)
	for _, a := range list {
		if next := a.UpdatedAt.Add(time.Second); next.After(now) {
			now = next
		}
	}
	return now, err
}

// passwordSince tells whether the user's password was set at that time or later.
func (h *Host) passwordSince(ctx context.Context, q storage.Conn, userID string, at time.Time) (bool, error) {
	n, err := accounts.Count(ctx, q, accountUser.Eq(userID), accountProvider.Eq(CredentialProvider), accountUpdated.Ge(at))
	return n > 0, err
}

// ReplacePassword stores a new hash where cr's is still the stored one. false means that
// it is not: the password that was proved has been changed in between.
func (h *Host) ReplacePassword(ctx context.Context, tx *Tx, cr Credential, hash string) (bool, error) {
	at, err := h.passwordTime(ctx, tx, accountID.Eq(cr.AccountID))
	if err != nil {
		return false, err
	}
	n, err := accounts.Update(ctx, h.conn(tx), []Set{accountPassword.Set(&hash), accountUpdated.Set(at)},
		accountID.Eq(cr.AccountID), accountPassword.Eq(cr.Hash))
	return n == 1, err
}

// credentialAccount makes the statement that gives a user a password account.
func (h *Host) credentialAccount(userID, hash string) (storage.Statement, error) {
	now := h.Now()
	return h.unnamed(accounts.Name(), accounts.InsertStatement(&Account{AccountID: userID, ProviderID: CredentialProvider, UserID: userID,
		Password: &hash, CreatedAt: now, UpdatedAt: now}))
}

// Lengths count UTF-16 code units before any normalisation; nothing is trimmed.
var (
	ErrPasswordTooShort = NewError("PASSWORD_TOO_SHORT", 400, "Password too short").In(ClassWeakPassword)
	ErrPasswordTooLong  = NewError("PASSWORD_TOO_LONG", 400, "Password too long").In(ClassWeakPassword)
)

// PasswordLimits returns the shortest and longest new password.
func (h *Host) PasswordLimits() (shortest, longest int) {
	return h.cfg.Password.MinLength, h.cfg.Password.MaxLength
}

// NewPasswordLength checks a new password's length.
func (h *Host) NewPasswordLength(pass string) error {
	if password.Length(pass) < h.cfg.Password.MinLength {
		return ErrPasswordTooShort
	}
	return h.PasswordTooLong(pass)
}

// PasswordTooLong refuses what is too long to be hashed, new or not.
func (h *Host) PasswordTooLong(pass string) error {
	if password.Length(pass) > h.cfg.Password.MaxLength {
		return ErrPasswordTooLong
	}
	return nil
}

// passwords is contract.Passwords.
type passwords struct{ h *Host }

func (p passwords) Has(ctx context.Context, userID string) (bool, error) {
	cr, err := p.h.CredentialByID(ctx, userID)
	return cr.Hash != nil, err
}

func (p passwords) Verify(ctx context.Context, userID, pass string) (bool, error) {
	cr, err := p.h.CredentialByID(ctx, userID)
	if err != nil {
		return false, err
	}
	checked, ok, err := p.h.CheckPassword(ctx, cr, userID, pass)
	if err != nil || !ok {
		return false, err
	}
	return true, p.h.Settle(ctx, nil, checked)
}

func (p passwords) Set(ctx context.Context, userID, pass string) error {
	hash, err := p.h.HashPassword(ctx, pass)
	if err != nil {
		return err
	}
	return p.h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		if err := p.h.StorePassword(ctx, tx, userID, hash); err != nil {
			return err
		}
		return p.h.Record(ctx, &Event{Type: EventPasswordSet, UserID: userID, Tx: tx})
	})
}

// PasswordRoom returns an error that answers 503 with Retry-After where the queue of those
// who want a password hashed is full. It waits up to a second for room. Endpoints
// ask before anything else, so that a flood costs the database nothing; what they know of
// the user must not matter to it.
func (h *Host) PasswordRoom(ctx context.Context) error { return h.hasher.HasRoom(ctx) }

// PasswordWorkers is how many passwords are hashed at once at most.
func (h *Host) PasswordWorkers() int { return h.hasher.Stats().Workers }

// PasswordStats describes the hashing pool, for metrics.
func (h *Host) PasswordStats() (running, waiting int, shed int64) {
	s := h.hasher.Stats()
	return s.Running, s.Waiting, s.Shed
}

// PasswordsHashed tells how many passwords were hashed or checked since the start.
func (h *Host) PasswordsHashed() int64 { return h.hasher.Stats().Done }

// PasswordCollections tells how often the memory that hashes left was collected since the
// start. Hashes that take little leave that to Go.
func (h *Host) PasswordCollections() int64 { return h.hasher.Stats().Collections }

// StoreFirstPassword is StorePassword for a user who has none; taken is the error if
// they have. The user's row is the lock: of two parallel calls one succeeds.
func (h *Host) StoreFirstPassword(ctx context.Context, tx *Tx, userID, hash string, taken error) error {
	if err := h.LockUser(ctx, tx, userID); err != nil {
		return err
	}
	cr, err := h.credential(ctx, tx, h.sql.userCredential+"{user.id} = ?", userID)
	if err != nil {
		return err
	}
	if cr.Hash != nil {
		return taken
	}
	return h.StorePassword(ctx, tx, userID, hash)
}

// LockUser holds other transactions back that want the same user's lock, until tx ends:
// for what a unique column cannot say.
func (h *Host) LockUser(ctx context.Context, tx *Tx, userID string) error {
	_, err := tx.Exec(ctx, "UPDATE {user=} SET {user:updatedAt} = {user.updatedAt} WHERE {user.id} = ?", userID)
	return err
}
