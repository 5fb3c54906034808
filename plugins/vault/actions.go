package vault

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Every action reads the row, does its cryptography outside of any transaction (a KMS is
// across the network), and writes by an update that is guarded by what was read, together
// with its audit row, while the session is held.

func (p *Plugin) status(ctx context.Context, c *core.Call, _ core.None) (StatusAnswer, error) {
	_, u := c.Session()
	c.SetHeader("Cache-Control", "no-store")
	v, err := p.read(ctx, u.ID)
	return status(v), err
}

// read reads a user's vault; nil if there is none.
func (p *Plugin) read(ctx context.Context, userID string) (v *Vault, err error) {
	err = p.host.TxAs(ctx, userID, func(ctx context.Context, tx *core.Tx) (err error) {
		v, err = find(ctx, tx, userID)
		return err
	})
	return v, err
}

// mustRead is read where there has to be one.
func (p *Plugin) mustRead(ctx context.Context, userID, why string, a *act) (*Vault, error) {
	v, err := p.read(ctx, userID)
	if err == nil && v == nil {
		a.why = why
		return nil, ErrNotInitialised
	}
	return v, err
}

// init makes the vault, or answers with the one that is there: of any number of parallel
// calls one makes it, and all answer with the same key.
func (p *Plugin) initialise(ctx context.Context, c *core.Call, _ core.None) (KeyAnswer, error) {
	return run(ctx, p, c, "init", "", func(ctx context.Context, a *act) (KeyAnswer, error) {
		if err := a.sensitive(); err != nil {
			return KeyAnswer{}, err
		}
		v, err := p.read(ctx, a.userID)
		if err != nil {
			return KeyAnswer{}, err
		}
		if v == nil {
			if v, err = p.create(ctx, a, "created"); err != nil || v != nil {
				return p.answer(ctx, a, v, err)
			}
			// Somebody else was first.
			if v, err = p.mustRead(ctx, a.userID, "", a); err != nil {
				return KeyAnswer{}, err
			}
		}
		out, err := p.answer(ctx, a, v, nil)
		if err != nil {
			return KeyAnswer{}, err
		}
		why := "already-exists"
		if v.ZeroKnowledge {
			why = "already-exists-zk"
		}
		return out, a.held(ctx, func(ctx context.Context, tx *core.Tx) error { return a.done(ctx, tx, 200, why) })
	})
}

// create makes a vault with a new key. nil without an error: there is one already.
func (p *Plugin) create(ctx context.Context, a *act, why string) (*Vault, error) {
	key, err := p.newKey()
	if err != nil {
		return nil, err
	}
	defer zero(key)
	v := &Vault{UserID: a.userID, KeyVersion: 1, RecoveryFormatVersion: 1, CreatedAt: p.host.Now()}
	if err := p.wrap(ctx, v, key); err != nil {
		return nil, err
	}
	made := false
	err = a.held(ctx, func(ctx context.Context, tx *core.Tx) (err error) {
		if made, err = vaults.InsertNew(ctx, tx, v, "userId"); err != nil || !made {
			return err
		}
		return a.done(ctx, tx, 201, why)
	})
	if err != nil || !made {
		return nil, err
	}
	return v, nil
}

func (p *Plugin) newKey() ([]byte, error) {
	random := p.host.Random()
	if random == nil {
		random = rand.Reader
	}
	key := make([]byte, keySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("making a master key: %w", err)
	}
	return key, nil
}

// wrap puts a key into v, in the bound format under the active key-encryption key.
func (p *Plugin) wrap(ctx context.Context, v *Vault, key []byte) error {
	w, err := p.keys.Wrap(ctx, key, associated(formatBound, v.UserID, p.keys.Active(), v.KeyVersion))
	if err != nil {
		return core.ErrServiceUnavailable.Because(err)
	}
	check, err := checkValue(key, v.UserID)
	if err != nil {
		return err
	}
	v.WrappedMK, v.WrapIV, v.KekID, v.FormatVersion, v.KeyCheck = &w.Ciphertext, &w.IV, w.KeyID, formatBound, &check
	return nil
}

// unwrap opens the key of v. A wrap that does not open is a failure of ours, not an
// answer about the user; a KMS that does not answer is an outage.
func (p *Plugin) unwrap(ctx context.Context, v *Vault) ([]byte, error) {
	if v.FormatVersion != formatBare && v.FormatVersion != formatBound {
		return nil, ErrKeyUnusable.Because(fmt.Errorf("format %d of a wrapped key is unknown", v.FormatVersion))
	}
	if v.WrappedMK == nil || v.WrapIV == nil { // the old system's checks allow it
		return nil, ErrKeyUnusable.Because(errors.New("no wrapped key"))
	}
	key, err := p.keys.Unwrap(ctx, v.wrapped(), associated(v.FormatVersion, v.UserID, v.KekID, v.KeyVersion))
	switch {
	case errors.Is(err, contract.ErrUnknownKey), errors.Is(err, contract.ErrWrapRejected):
		return nil, ErrKeyUnusable.Because(err)
	case err != nil:
		return nil, core.ErrServiceUnavailable.Because(err)
	case len(key) != keySize:
		zero(key)
		return nil, ErrKeyUnusable.Because(fmt.Errorf("a master key of %d bytes", len(key)))
	}
	if v.KeyCheck == nil {
		return key, nil
	}
	ok, err := fits(*v.KeyCheck, key, v.UserID)
	if err == nil && !ok {
		err = ErrKeyUnusable.Because(errors.New("the key does not have the vault's check value"))
	}
	if err != nil {
		zero(key)
		return nil, err
	}
	return key, nil
}

// answer is the key body for v.
func (p *Plugin) answer(ctx context.Context, a *act, v *Vault, err error) (KeyAnswer, error) {
	if err != nil {
		return KeyAnswer{}, err
	}
	out := KeyAnswer{KeyVersion: v.KeyVersion}
	if v.KeyCheck != nil {
		out.KeyCheck = *v.KeyCheck
	}
	if v.ZeroKnowledge {
		if v.RecoveryWrappedMK == nil || v.RecoveryIV == nil {
			return KeyAnswer{}, ErrKeyUnusable.Because(errors.New("zero knowledge without a recovery wrap"))
		}
		out.RequiresRecoveryCode, out.RecoveryWrappedMK, out.RecoveryIV, out.FormatVersion = true, *v.RecoveryWrappedMK, *v.RecoveryIV, v.RecoveryFormatVersion
		return out, nil
	}
	key, err := p.unwrap(ctx, v)
	if err != nil {
		a.why = "unwrap-failed"
		return KeyAnswer{}, err
	}
	defer zero(key)
	if out.KeyCheck == "" { // a row of the old system
		if out.KeyCheck, err = checkValue(key, v.UserID); err != nil {
			return KeyAnswer{}, err
		}
	}
	out.MasterKey, out.FormatVersion, out.KekID = base64.StdEncoding.EncodeToString(key), v.FormatVersion, v.KekID
	return out, nil
}

func (p *Plugin) fetch(ctx context.Context, c *core.Call, _ core.None) (KeyAnswer, error) {
	return run(ctx, p, c, "fetch", "failed_fetch", func(ctx context.Context, a *act) (KeyAnswer, error) {
		if err := a.sensitive(); err != nil {
			return KeyAnswer{}, err
		}
		v, err := p.mustRead(ctx, a.userID, "not-initialised", a)
		if err != nil {
			return KeyAnswer{}, err
		}
		out, err := p.answer(ctx, a, v, nil)
		if err != nil {
			return KeyAnswer{}, err
		}
		why := ""
		if v.ZeroKnowledge {
			why = "zk-recovery-blob"
		}
		return out, a.held(ctx, func(ctx context.Context, tx *core.Tx) error { return a.done(ctx, tx, 200, why) })
	})
}

// rotate gives the vault a new key and forgets the old one with its recovery wrap: the
// client has read and will re-encrypt all data. Of two devices that expect the same
// version one succeeds.
func (p *Plugin) rotate(ctx context.Context, c *core.Call, in RotateInput) (KeyAnswer, error) {
	return run(ctx, p, c, "rotate", "", func(ctx context.Context, a *act) (KeyAnswer, error) {
		if err := a.sensitive(); err != nil {
			return KeyAnswer{}, err
		}
		v, err := p.read(ctx, a.userID)
		if err != nil {
			return KeyAnswer{}, err
		}
		if v == nil {
			if in.ExpectedVersion != 0 {
				return KeyAnswer{}, ErrVersionConflict
			}
			if v, err = p.create(ctx, a, "init-on-rotate"); err == nil && v == nil {
				err = ErrVersionConflict
			}
			return p.answer(ctx, a, v, err)
		}
		if v.ZeroKnowledge {
			a.why = "zk-rotate-forbidden"
			return KeyAnswer{}, ErrRotateForbidden
		}
		if in.ExpectedVersion != 0 && in.ExpectedVersion != v.KeyVersion {
			return KeyAnswer{}, ErrVersionConflict
		}
		return p.replace(ctx, a, v)
	})
}

func (p *Plugin) replace(ctx context.Context, a *act, v *Vault) (KeyAnswer, error) {
	key, err := p.newKey()
	if err != nil {
		return KeyAnswer{}, err
	}
	defer zero(key)
	old, now := v.KeyVersion, p.host.Now()
	v.KeyVersion++
	if err := p.wrap(ctx, v, key); err != nil {
		return KeyAnswer{}, err
	}
	set := []core.Set{colWrapped.Set(v.WrappedMK), colIV.Set(v.WrapIV), colFormat.Set(v.FormatVersion), colKek.Set(v.KekID),
		colVersion.Set(v.KeyVersion), colCheck.Set(v.KeyCheck), colRotated.Set(&now),
		colRecover.SetNull(), colRecIV.SetNull(), colRecSet.SetNull()}
	err = p.change(ctx, a, "", set, colVersion.Eq(old), colZero.Eq(false))
	return p.answer(ctx, a, v, err)
}

// change writes to the action's vault, if what was read of it still holds, with the audit row.
func (p *Plugin) change(ctx context.Context, a *act, why string, set []core.Set, where ...core.Cond) error {
	return a.held(ctx, func(ctx context.Context, tx *core.Tx) error {
		n, err := vaults.Update(ctx, tx, set, append([]core.Cond{colUser.Eq(a.userID)}, where...)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrVersionConflict
		}
		return a.done(ctx, tx, 200, why)
	})
}
