package vault

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

// setRecovery stores the master key as the user's recovery code wraps it. The server
// cannot tell whether it opens; it refuses what cannot be one. One that takes the place of
// another loses it, and with zero knowledge the only way in: that wants what clearing wants.
func (p *Plugin) setRecovery(ctx context.Context, c *core.Call, in RecoveryInput) (OK, error) {
	return run(ctx, p, c, "recovery_set", "", func(ctx context.Context, a *act) (OK, error) {
		if in.FormatVersion != nil && *in.FormatVersion != 1 {
			return OK{}, ErrBadRequest.WithMessage("formatVersion must be 1")
		}
		if _, err := decodeExactly("recoveryWrappedMk", in.RecoveryWrappedMK, keySize+tagSize); err != nil {
			return OK{}, ErrBadRequest.WithMessage(err.Error())
		}
		if _, err := decodeExactly("recoveryIv", in.RecoveryIV, ivSize); err != nil {
			return OK{}, ErrBadRequest.WithMessage(err.Error())
		}
		v, err := p.mustRead(ctx, a.userID, "no-vault", a)
		if err != nil {
			return OK{}, err
		}
		// A wrap of an older key must not follow a rotation, nor slip in behind zero knowledge.
		where := []core.Cond{colVersion.Eq(v.KeyVersion), colZero.Eq(v.ZeroKnowledge)}
		if v.RecoveryWrappedMK == nil {
			where = append(where, colRecover.Null())
		} else if err := a.sensitive(); err != nil {
			return OK{}, err
		}
		now := p.host.Now()
		err = p.change(ctx, a, "", []core.Set{colRecover.Set(&in.RecoveryWrappedMK), colRecIV.Set(&in.RecoveryIV), colRecForm.Set(1), colRecSet.Set(&now)}, where...)
		return OK{err == nil}, err
	})
}

func (p *Plugin) clearRecovery(ctx context.Context, c *core.Call, _ core.None) (OK, error) {
	return run(ctx, p, c, "recovery_clear", "", func(ctx context.Context, a *act) (OK, error) {
		if err := a.sensitive(); err != nil {
			return OK{}, err
		}
		v, err := p.mustRead(ctx, a.userID, "no-vault", a)
		if err != nil {
			return OK{}, err
		}
		if v.ZeroKnowledge {
			a.why = "zk-active"
			return OK{}, ErrZeroKnowledge
		}
		err = p.change(ctx, a, "", []core.Set{colRecover.SetNull(), colRecIV.SetNull(), colRecSet.SetNull()}, colZero.Eq(false))
		return OK{err == nil}, err
	})
}

// setZero switches zero knowledge: on, the server forgets its wrap of the key; off, it
// gets the key back from the client, and refuses one that is not the vault's.
func (p *Plugin) setZero(ctx context.Context, c *core.Call, in ZeroInput) (ZeroAnswer, error) {
	action, do := "zk_disable", p.disableZero
	if in.Enable {
		action, do = "zk_enable", p.enableZero
	}
	return run(ctx, p, c, action, "", func(ctx context.Context, a *act) (ZeroAnswer, error) {
		if err := a.sensitive(); err != nil {
			return ZeroAnswer{}, err
		}
		if err := do(ctx, a, in); err != nil {
			return ZeroAnswer{}, err
		}
		return ZeroAnswer{true, in.Enable}, nil
	})
}

func (p *Plugin) enableZero(ctx context.Context, a *act, in ZeroInput) error {
	if in.MasterKey != nil {
		return ErrBadRequest.WithMessage("masterKey is for switching zero knowledge off")
	}
	v, err := p.mustRead(ctx, a.userID, "no-vault", a)
	if err != nil {
		return err
	}
	switch {
	case v.ZeroKnowledge:
		return a.held(ctx, func(ctx context.Context, tx *core.Tx) error { return a.done(ctx, tx, 200, "already-enabled") })
	case v.RecoveryWrappedMK == nil:
		a.why = "no-recovery-wrap"
		return ErrRecoveryMissing
	}
	set := []core.Set{colZero.Set(true), colWrapped.SetNull(), colIV.SetNull()}
	if v.KeyCheck == nil {
		// The last moment at which the check value of an old row can be made.
		key, err := p.unwrap(ctx, v)
		if err != nil {
			return err
		}
		check, err := checkValue(key, v.UserID)
		zero(key)
		if err != nil {
			return err
		}
		set = append(set, colCheck.Set(&check))
	}
	return p.change(ctx, a, "", set, colVersion.Eq(v.KeyVersion), colZero.Eq(false), colRecover.Eq(v.RecoveryWrappedMK))
}

func (p *Plugin) disableZero(ctx context.Context, a *act, in ZeroInput) error {
	if in.MasterKey == nil {
		return ErrBadRequest.WithMessage("masterKey is needed to switch zero knowledge off")
	}
	key, err := decodeExactly("masterKey", *in.MasterKey, keySize)
	if err != nil {
		return ErrBadRequest.WithMessage(err.Error())
	}
	defer zero(key)
	v, err := p.mustRead(ctx, a.userID, "no-vault", a)
	if err != nil {
		return err
	}
	if !v.ZeroKnowledge {
		return a.held(ctx, func(ctx context.Context, tx *core.Tx) error { return a.done(ctx, tx, 200, "already-disabled") })
	}
	why := ""
	if v.KeyCheck == nil {
		why = "unchecked" // switched on by the old system, which kept nothing to check against
	} else if ok, err := fits(*v.KeyCheck, key, v.UserID); err != nil || !ok {
		if err != nil {
			return err
		}
		return ErrWrongKey
	}
	if err := p.wrap(ctx, v, key); err != nil {
		return err
	}
	return p.change(ctx, a, why, []core.Set{colZero.Set(false), colWrapped.Set(v.WrappedMK), colIV.Set(v.WrapIV), colFormat.Set(v.FormatVersion),
		colKek.Set(v.KekID), colCheck.Set(v.KeyCheck)}, colVersion.Eq(v.KeyVersion), colZero.Eq(true))
}
