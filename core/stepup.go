package core

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/token"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// What plugins need that ask for more than one proof.

var verificationExpires = Column(verifications, func(v *Verification) *time.Time { return &v.ExpiresAt })

// ConfirmSession is LoadSession that never takes the cookie cache's word: what follows
// from it must not follow from a session that was revoked.
func (c *Call) ConfirmSession(ctx context.Context) (*Session, *User, error) {
	if c.loaded && !c.fromCache {
		return c.session, c.user, nil
	}
	_, err := c.resolveSession(ctx, sessionRead{})
	return c.session, c.user, err
}

// Raise is Reissue after one more proof in this request: method joins those of old, the
// level is at least aal, and the time of the proof is now.
func (h *Host) Raise(ctx context.Context, tx *Tx, c *Call, old *Session, u *User, aal int, methods []string, with ...storage.Statement) (*Session, error) {
	if err := checkBan(u, c.now); err != nil {
		return nil, err
	}
	forget := c.forgets()
	p := proof{MergeMethods(old.Methods(), methods...), max(aal, old.AAL()), c.now}
	return h.undoable(ctx, tx, c, func(ctx context.Context, tx *Tx) (*Session, error) {
		return h.issue(ctx, tx, c, u, p, forget, old, with)
	}, SessionCreate)
}

// MergeMethods is a list of proofs with more of them, each once.
func MergeMethods(have []string, more ...string) []string {
	out := slices.Clone(have)
	for _, m := range more {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// RevokeSession deletes one session around SessionRevoke. Of N parallel calls for one
// session exactly one is told that it was there.
func (h *Host) RevokeSession(ctx context.Context, tx *Tx, id string) (was bool, err error) {
	err = h.txIf(ctx, tx, SessionRevoke.has(h, before, after), func(ctx context.Context, tx *Tx) error {
		return SessionRevoke.Run(ctx, h, tx, &RevokeEvent{Tx: tx, SessionID: id}, func(ctx context.Context) error {
			n, err := h.conn(tx).Exec(ctx, "DELETE FROM {session=} WHERE {session.id} = ?", id)
			was = n == 1
			return err
		})
	})
	return was, err
}

// LockUser holds other transactions back that want the same user's lock, until tx ends:
// for what a unique column cannot say.
func (h *Host) LockUser(ctx context.Context, tx *Tx, userID string) error {
	return h.lockUser(ctx, tx, userID)
}

// VerificationStatement is PutVerification for a Batch or SignIn.With.
func (h *Host) VerificationStatement(identifier, value string, life time.Duration) (storage.Statement, error) {
	id, err := h.NewID("verification")
	if err != nil {
		return storage.Statement{}, err
	}
	if h.cfg.Session.TokenStorage != "compat" {
		identifier = token.HashB64(identifier)
	}
	now := h.Now()
	return verifications.InsertStatement(&Verification{ID: id, Identifier: identifier, Value: value,
		ExpiresAt: now.Add(life), CreatedAt: now, UpdatedAt: now}), nil
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

// SecretMAC is Better Auth's own HMAC-SHA-256 of a text under the secret itself, base64url
// without padding: for tokens that both read. New formats take MAC, whose key is of its
// purpose alone.
func (h *Host) SecretMAC(text string) string { return secretMAC(h.keyring.Current(), text) }

// VerifySecretMAC checks a SecretMAC against every secret that may sign.
func (h *Host) VerifySecretMAC(text, mac string) bool {
	ok := false
	for _, key := range h.keyring.SigningKeys() {
		ok = hmac.Equal([]byte(mac), []byte(secretMAC(key, text))) || ok
	}
	return ok
}

func secretMAC(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Demand makes optional members of the body mandatory, where a plugin's options decide
// whether they are: what is absent is refused as any other mandatory member.
func (e Endpoint) Demand(members ...string) Endpoint {
	ep := *e.ep
	ep.demand = append(slices.Clone(ep.demand), members...)
	return Endpoint{&ep}
}
