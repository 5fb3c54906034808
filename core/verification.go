package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/token"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// A verification is a secret that may be used once. Its identifier begins with its
// purpose ("reset-password:TOKEN"), and every use names the purpose again: a secret of
// one flow is unknown to every other (CVE-2026-114607). Where sessions are stored
// hashed, identifiers are too; look-ups accept both.

// PutVerification stores a secret: identifier is purpose and secret, value what it
// stands for.
func (h *Host) PutVerification(ctx context.Context, q storage.Conn, identifier, value string, life time.Duration) error {
	s, err := h.VerificationStatement(identifier, value, life)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, s.SQL, s.Args...)
	return err
}

// VerificationStatement is PutVerification for a Batch or SignIn.With.
func (h *Host) VerificationStatement(identifier, value string, life time.Duration) (storage.Statement, error) {
	if h.cfg.Session.TokenStorage != "compat" {
		identifier = token.HashB64(identifier)
	}
	now := h.Now()
	return h.unnamed(verifications.Name(), verifications.InsertStatement(&Verification{Identifier: identifier, Value: value,
		ExpiresAt: now.Add(life), CreatedAt: now, UpdatedAt: now}))
}

// PeekVerification reads a secret without using it up; found is false for an expired one.
func (h *Host) PeekVerification(ctx context.Context, q storage.Conn, identifier string) (v Verification, found bool, err error) {
	list, err := verifications.List(ctx, q, ListOptions{Order: []Order{verificationCreated.Desc()}, Limit: 1}, h.verificationCond(identifier))
	if err != nil || len(list) == 0 || !list[0].ExpiresAt.After(h.Now()) {
		return v, false, err
	}
	return list[0], true, nil
}

// TakeVerification uses a secret up: of N parallel calls exactly one finds it. An
// expired one is gone as well, and counts as not found.
func (h *Host) TakeVerification(ctx context.Context, q storage.Conn, identifier string) (v Verification, found bool, err error) {
	v, found, err = verifications.Take(ctx, q, h.verificationCond(identifier))
	if err != nil || !found || !v.ExpiresAt.After(h.Now()) {
		return Verification{}, false, err
	}
	return v, true, nil
}

func (h *Host) verificationCond(identifier string) Cond {
	return verificationKey.In(token.HashB64(identifier), identifier)
}

// DropVerifications deletes every outstanding secret that stands for a user: after a new
// password, older links must not give another one (CVE-2026-73431).
func (h *Host) DropVerifications(ctx context.Context, q storage.Conn, userID string) error {
	_, err := verifications.Delete(ctx, q, verificationValue.Eq(userID))
	return err
}

// DropVerificationStatement deletes a secret, for a Batch or SignIn.With.
func (h *Host) DropVerificationStatement(identifier string) storage.Statement {
	s, _ := verifications.DeleteStatement(h.verificationCond(identifier)) // has a condition: cannot fail
	return s
}

// ChangeVerification replaces the value of a secret that has not expired, if it is still
// old: a counter beside a secret. Of N parallel calls with one old value one succeeds.
func (h *Host) ChangeVerification(ctx context.Context, q storage.Conn, identifier, old, value string) (bool, error) {
	n, err := verifications.Update(ctx, q, []Set{verificationValue.Set(value)},
		h.verificationCond(identifier), verificationValue.Eq(old), verificationExpires.Gt(h.Now()))
	return n > 0, err
}
