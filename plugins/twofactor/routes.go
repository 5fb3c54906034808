package twofactor

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
)

// Endpoints of who is signed in. Password is optional where Options.AllowPasswordless is
// set, and then needed by who has one.
var (
	// Enable asks the database itself.
	Enable              = core.NewRoute[EnableInput, Enabled]("POST /two-factor/enable", core.CachedSession)
	Disable             = core.NewRoute[PasswordInput, core.Status]("POST /two-factor/disable")
	GetTOTPURI          = core.NewRoute[PasswordInput, TOTPURI]("POST /two-factor/get-totp-uri", core.ConfirmedSession)
	GenerateBackupCodes = core.NewRoute[PasswordInput, BackupCodes]("POST /two-factor/generate-backup-codes", core.ConfirmedSession)
	// ViewBackupCodes gives the app's own code the unused backup codes of the session's
	// user.
	ViewBackupCodes = core.NewRoute[core.None, BackupCodes]("POST /two-factor/view-backup-codes", core.ServerOnly)
)

// EnableInput is the input of Enable.
type EnableInput struct {
	Password *string `json:"password"`
	Method   string  `json:"method" input:"enum=otp|totp,default=totp"`
	Issuer   *string `json:"issuer"`
}

// PasswordInput confirms a change.
type PasswordInput struct {
	Password *string `json:"password"`
}

// Enabled is the answer of Enable. URI and codes are there for TOTP, and shown once.
type Enabled struct {
	Method      string   `json:"method"`
	TOTPURI     string   `json:"totpURI,omitempty"`
	BackupCodes []string `json:"backupCodes,omitempty"`
}

// TOTPURI is the answer of GetTOTPURI.
type TOTPURI struct {
	TOTPURI string `json:"totpURI"`
}

// BackupCodes is the answer of GenerateBackupCodes and ViewBackupCodes.
type BackupCodes struct {
	Status      bool     `json:"status"`
	BackupCodes []string `json:"backupCodes"`
}

// confirm wants the password in this request; who has none, and may have none, a session
// that is fresh.
func (p *Plugin) confirm(ctx context.Context, c *core.Call, password *string) error {
	_, u := c.Session()
	if p.o.AllowPasswordless {
		has, err := p.passwords.Has(ctx, u.ID)
		if err != nil {
			return err
		}
		if !has {
			if !c.Fresh() {
				return core.ErrSessionNotFresh
			}
			return nil
		}
	}
	if password == nil || *password == "" {
		return core.ErrInvalidPassword
	}
	if err := p.host.PasswordTooLong(*password); err != nil {
		return err
	}
	ok, err := p.passwords.Verify(ctx, u.ID, *password)
	if err == nil && !ok {
		return core.ErrInvalidPassword
	}
	return err
}

func (p *Plugin) enable(ctx context.Context, c *core.Call, in EnableInput) (Enabled, error) {
	// Better Auth takes the cache's word first and asks the database then, which shows in the
	// cookies; what counts is the database's.
	if s, _, err := c.ConfirmSession(ctx); err != nil || s == nil {
		return Enabled{}, cmp.Or(err, error(core.ErrUnauthorized))
	}
	if err := p.confirm(ctx, c, in.Password); err != nil {
		return Enabled{}, err
	}
	s, u := c.Session()
	switch {
	case in.Method == "otp" && !p.canMail():
		return Enabled{}, ErrOTPNotConfigured
	case in.Method == "otp":
		return Enabled{Method: "otp"}, p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
			_, _, err := p.switchOn(ctx, tx, c, s)
			return err
		})
	case p.o.TOTP.Disable:
		return Enabled{}, ErrTOTPNotConfigured
	}
	secret, err := p.host.RandomString(core.Alphanumeric, 32)
	if err != nil {
		return Enabled{}, err
	}
	f := factor{UserID: u.ID, Verified: &p.o.SkipVerificationOnEnable}
	if f.Secret, err = p.host.Encrypt([]byte(secret)); err != nil {
		return Enabled{}, err
	}
	out := Enabled{Method: "totp"}
	if out.BackupCodes, f.BackupCodes, err = p.newBackupCodes(); err != nil {
		return Enabled{}, err
	}
	if err := p.enrol(ctx, c, s, f); err != nil {
		return Enabled{}, err
	}
	issuer := p.o.Issuer
	if in.Issuer != nil && *in.Issuer != "" {
		issuer = *in.Issuer
	}
	out.TOTPURI = p.totp.uri([]byte(secret), issuer, u.Email)
	return out, nil
}

// enrol stores a new secret in the place of one that was never confirmed. The user's row
// is the lock: of two parallel calls the later one counts, and there is one row.
func (p *Plugin) enrol(ctx context.Context, c *core.Call, s *core.Session, f factor) error {
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := c.HoldSession(ctx, tx); err != nil { // they may have been put out while the password was checked
			return err
		}
		old, err := factorOf(ctx, tx, f.UserID)
		if err != nil {
			return err
		}
		if old != nil && old.verified() {
			return ErrTOTPAlreadyEnabled
		}
		if _, err := factors.Delete(ctx, tx, colUser.Eq(f.UserID)); err != nil {
			return err
		}
		if f.ID, err = p.host.NewID(ctx, factors.Name()); err != nil {
			return err
		}
		zero := 0
		if f.FailedCount = &zero; old != nil {
			// A new secret is no way out of a lock.
			f.ID, f.FailedCount, f.LockedUntil = old.ID, old.FailedCount, old.LockedUntil
		}
		if err := factors.Insert(ctx, tx, &f); err != nil || !*f.Verified {
			return err
		}
		_, _, err = p.switchOn(ctx, tx, c, s)
		return err
	})
}

// switchOn sets the user's switch and replaces the session: raised, if a proof was given.
func (p *Plugin) switchOn(ctx context.Context, tx *core.Tx, c *core.Call, s *core.Session, proved ...string) (*core.Session, *core.User, error) {
	u, err := p.replace(ctx, tx, c, s, true)
	if err != nil {
		return nil, nil, err
	}
	if err := p.record(ctx, c, tx, u.ID, "enabled"); err != nil {
		return nil, nil, err
	}
	if len(proved) > 0 {
		s, err = p.host.Raise(ctx, tx, c, s, u, 2, append(proved, "mfa"))
	} else {
		s, err = p.host.Reissue(ctx, tx, c, s, u)
	}
	return s, u, err
}

// replace sets the user's switch and ends the session that is to be replaced. Of two
// parallel requests with one session, one goes on.
func (p *Plugin) replace(ctx context.Context, tx *core.Tx, c *core.Call, s *core.Session, on bool) (*core.User, error) {
	u, err := p.host.UpdateUser(ctx, tx, c, s.UserID, core.UserChange{Extra: map[string]any{"twoFactorEnabled": on}})
	if err != nil {
		return nil, err
	}
	was, err := p.host.RevokeSession(ctx, tx, s.ID)
	if err == nil && (u == nil || !was) {
		return nil, core.ErrUnauthorized
	}
	return u, err
}

func (p *Plugin) disable(ctx context.Context, c *core.Call, in PasswordInput) (core.Status, error) {
	if err := p.confirm(ctx, c, in.Password); err != nil {
		return core.Status{}, err
	}
	s, _ := c.Session()
	err := p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		u, err := p.replace(ctx, tx, c, s, false)
		if err != nil {
			return err
		}
		if err := p.takeOff(ctx, tx, c, u.ID); err != nil {
			return err
		}
		_, err = p.host.Reissue(ctx, tx, c, s, u)
		return err
	})
	if err != nil {
		return core.Status{}, err
	}
	if _, ok := c.Signed(p.trustCookie); ok {
		c.Expire(p.trustCookie)
	}
	return core.Status{Status: true}, nil
}

func (p *Plugin) uri(ctx context.Context, c *core.Call, in PasswordInput) (TOTPURI, error) {
	if p.o.TOTP.Disable {
		return TOTPURI{}, errTOTPOff
	}
	_, u := c.Session()
	f, err := factorOf(ctx, p.host.DB(), u.ID)
	if err != nil {
		return TOTPURI{}, err
	}
	if f == nil {
		return TOTPURI{}, ErrTOTPNotEnabled
	}
	if err := p.confirm(ctx, c, in.Password); err != nil {
		return TOTPURI{}, err
	}
	// A hash takes long: who was put out meanwhile is told no secret.
	if err := p.host.Tx(ctx, nil, c.HoldSession); err != nil {
		return TOTPURI{}, err
	}
	key, err := p.openSecret(f)
	if err != nil {
		return TOTPURI{}, err
	}
	// Better Auth knows the issuer at enrolment alone.
	return TOTPURI{p.totp.uri(key, p.host.AppName(), u.Email)}, nil
}

// openSecret gives the key of an enrolled authenticator.
func (p *Plugin) openSecret(f *factor) ([]byte, error) {
	plain, err := p.host.Decrypt(f.Secret)
	if err != nil {
		return nil, fmt.Errorf("twofactor: the secret of row %s: %w", f.ID, err)
	}
	return secretKey(plain)
}

func (p *Plugin) regenerate(ctx context.Context, c *core.Call, in PasswordInput) (BackupCodes, error) {
	_, u := c.Session()
	if !isEnabled(u) {
		return BackupCodes{}, ErrNotEnabled
	}
	if err := p.confirm(ctx, c, in.Password); err != nil {
		return BackupCodes{}, err
	}
	f, err := factorOf(ctx, p.host.DB(), u.ID)
	if err != nil {
		return BackupCodes{}, err
	}
	if f == nil {
		return BackupCodes{}, ErrNotEnabled
	}
	list, stored, err := p.newBackupCodes()
	if err != nil {
		return BackupCodes{}, err
	}
	return BackupCodes{true, list}, p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := c.HoldSession(ctx, tx); err != nil {
			return err
		}
		n, err := factors.Update(ctx, tx, []core.Set{colCodes.Set(stored)}, colID.Eq(f.ID), colSecret.Eq(f.Secret))
		if err == nil && n == 0 { // switched off in between
			err = ErrNotEnabled
		}
		if err != nil {
			return err
		}
		return p.record(ctx, c, tx, u.ID, "backup-codes")
	})
}

func (p *Plugin) view(ctx context.Context, c *core.Call, _ core.None) (BackupCodes, error) {
	_, u := c.Session()
	f, err := factorOf(ctx, p.host.DB(), u.ID)
	if err != nil {
		return BackupCodes{}, err
	}
	if f == nil {
		return BackupCodes{}, ErrBackupCodesNotEnabled
	}
	list, err := p.readBackupCodes(f.BackupCodes)
	return BackupCodes{true, list}, err
}
