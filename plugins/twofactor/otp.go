package twofactor

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func (p *Plugin) sendOTP(ctx context.Context, c *core.Call, _ SendInput) (core.Status, error) {
	if !p.canMail() {
		return core.Status{}, errOTPOff
	}
	who, err := p.subject(ctx, c)
	if err != nil {
		return core.Status{}, err
	}
	if who.first.Mailed || slices.Contains(who.first.Methods, byMail) {
		return core.Status{}, ErrOTPNotConfigured
	}
	code, err := p.host.RandomString("0123456789", p.o.OTP.Digits)
	if err != nil {
		return core.Status{}, err
	}
	stored, err := p.storeOTP(code)
	if err != nil {
		return core.Status{}, err
	}
	life := seconds(p.o.OTP.Period * 60)
	return core.Status{Status: true}, p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) error {
		s, err := p.host.VerificationStatement(otpPrefix+who.key, stored+":0", life)
		if err != nil {
			return err
		}
		// A new code ends the one before.
		if _, err := tx.Batch(ctx, p.host.DropVerificationStatement(otpPrefix+who.key), s); err != nil {
			return err
		}
		return p.host.SendMail(ctx, tx, contract.Message{Template: mailName, To: who.user.Email, User: core.MailUser(who.user), OTP: code,
			ExpiresAt: p.host.Now().Add(life), Data: map[string]string{"expiresInSeconds": strconv.Itoa(p.o.OTP.Period * 60)}})
	})
}

func (p *Plugin) storeOTP(code string) (string, error) {
	switch p.o.OTP.Store {
	case "hashed":
		sum := sha256.Sum256([]byte(code))
		return base64.RawURLEncoding.EncodeToString(sum[:]), nil
	case "encrypted":
		return p.host.Encrypt([]byte(code))
	}
	return code, nil
}

// isOTP compares a code with what is stored of the right one.
func (p *Plugin) isOTP(stored, code string) (bool, error) {
	if !digitsOnly(code, p.o.OTP.Digits) {
		return false, nil
	}
	want, got := []byte(stored), code
	var err error
	switch p.o.OTP.Store {
	case "hashed":
		got, err = p.storeOTP(code)
	case "encrypted":
		want, err = p.host.Decrypt(stored)
	}
	return err == nil && subtle.ConstantTimeCompare(want, []byte(got)) == 1, err
}

func (p *Plugin) verifyOTP(ctx context.Context, c *core.Call, in CodeInput) (Verified, error) {
	who, err := p.subject(ctx, c)
	if err != nil {
		return Verified{}, err
	}
	var f *factor
	if who.session == nil {
		if f, err = factorOf(ctx, p.host.DB(), who.user.ID); err != nil {
			return Verified{}, err
		}
	}
	g, err := p.begin(ctx, c, who, f, false)
	if err != nil {
		return Verified{}, err
	}
	if err := g.count(ctx, otpPrefix+who.key, p.o.OTP.AllowedAttempts, ErrOTPExpired, parseOTP); err != nil {
		g.try.Release(ctx)
		return Verified{}, err
	}
	prefix, _ := parseOTP(g.value)
	ok, err := p.isOTP(strings.TrimSuffix(prefix, ":"), in.Code)
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	if !ok {
		return Verified{}, g.wrong(ctx, ErrInvalidCode)
	}
	out, err := p.accept(ctx, c, g, byMail, isTrue(in.TrustDevice), func(ctx context.Context, tx *core.Tx) error {
		row, found, err := p.host.TakeVerification(ctx, tx, otpPrefix+who.key)
		if err == nil && (!found || !strings.HasPrefix(row.Value, prefix)) {
			return ErrOTPExpired
		}
		return err
	})
	if err != nil {
		return Verified{}, g.undo(ctx, err)
	}
	return out, nil
}
