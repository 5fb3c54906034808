package twofactor

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
)

// byBackupCode is the name of the method among those of a session.
const byBackupCode = "backup-code"

// dashAfter is where the codes of Better Auth have their dash.
const dashAfter = 5

// newBackupCodes makes codes and the text that is stored of them.
func (p *Plugin) newBackupCodes() (list []string, stored string, err error) {
	o := p.o.BackupCodes
	for range o.Amount {
		s, err := p.host.RandomString(core.Alphanumeric, o.Length)
		if err != nil {
			return nil, "", err
		}
		list = append(list, s[:dashAfter]+"-"+s[dashAfter:])
	}
	stored, err = p.storeBackupCodes(list)
	return list, stored, err
}

func (p *Plugin) storeBackupCodes(list []string) (string, error) {
	if list == nil {
		list = []string{} // the last one was used: an empty list, not null
	}
	raw, err := json.Marshal(list)
	if err != nil || p.o.BackupCodes.Store == "plain" {
		return string(raw), err
	}
	return p.host.Encrypt(raw)
}

func (p *Plugin) readBackupCodes(stored string) ([]string, error) {
	raw := []byte(stored)
	if p.o.BackupCodes.Store != "plain" {
		var err error
		if raw, err = p.host.Decrypt(stored); err != nil {
			return nil, fmt.Errorf("twofactor: backup codes: %w", err)
		}
	}
	return parseBackupCodes(raw)
}

func parseBackupCodes(raw []byte) ([]string, error) {
	var list []string
	if json.Unmarshal(raw, &list) != nil { // its text would hold codes
		return nil, fmt.Errorf("twofactor: backup codes: %d bytes are no list", len(raw))
	}
	return list, nil
}

// withoutCode takes a code out of a list. All are compared, in constant time.
func withoutCode(list []string, code string) (rest []string, found bool) {
	for _, c := range list {
		if c != "" && subtle.ConstantTimeCompare([]byte(c), []byte(code)) == 1 {
			found = true
			continue
		}
		rest = append(rest, c)
	}
	return rest, found
}

func (p *Plugin) verifyBackupCode(ctx context.Context, c *core.Call, in BackupCodeInput) (Verified, error) {
	who, err := p.subject(ctx, c)
	if err != nil {
		return Verified{}, err
	}
	f, err := factorOf(ctx, p.host.DB(), who.user.ID)
	if err != nil {
		return Verified{}, err
	}
	if f == nil {
		return Verified{}, ErrBackupCodesNotEnabled
	}
	g, err := p.begin(ctx, c, who, f, true)
	if err != nil {
		return Verified{}, err
	}
	list, err := p.readBackupCodes(f.BackupCodes)
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	rest, ok := withoutCode(list, in.Code)
	if !ok {
		return Verified{}, g.wrong(ctx, ErrInvalidBackupCode)
	}
	stored, err := p.storeBackupCodes(rest)
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	take := func(ctx context.Context, tx *core.Tx) error {
		n, err := factors.Update(ctx, tx, []core.Set{colCodes.Set(stored)}, colID.Eq(f.ID), colCodes.Eq(f.BackupCodes))
		if err == nil && n == 0 {
			return core.ErrConflict.WithMessage("Failed to verify backup code. Please try again.")
		}
		if err != nil {
			return err
		}
		return p.record(ctx, c, tx, who.user.ID, "backup-code-used")
	}
	out := Verified{User: who.user}
	if isTrue(in.DisableSession) {
		err = p.spend(ctx, g, take)
		if who.session != nil {
			out.Token = &who.session.Token
		}
	} else {
		out, err = p.accept(ctx, c, g, byBackupCode, isTrue(in.TrustDevice), take)
	}
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	return out, nil
}

// spend takes a code that buys no session; no other TOTP or backup code can then answer
// the challenge.
func (p *Plugin) spend(ctx context.Context, g *guess, take func(context.Context, *core.Tx) error) error {
	return p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		if err := take(ctx, tx); err != nil {
			return err
		}
		right := g.right()
		right.With = append(right.With, p.host.DropVerificationStatement(attemptsPrefix+g.who.key))
		return p.host.Settle(ctx, tx, right)
	})
}
