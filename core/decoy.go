package core

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/mailtoken"
)

// Decoys do for an unknown address what a known one would cost, statement by statement,
// so that time tells nothing about who has an account. What follows, sending or
// cleaning up, happens in the worker, off the answer's path.

// DecoyMail sends a link to nobody, in tx or on its own: it signs, encrypts and writes
// a job like any other, which the worker drops. It has no moment to expire at: nobody is to
// find it among those that were given up.
func (h *Host) DecoyMail(ctx context.Context, tx *Tx) error {
	now := h.Now().Unix()
	token, err := mailtoken.Sign(h.keyring.Current(), mailtoken.Claims{Email: "nobody@example.invalid", UserID: "nobody", IssuedAt: now, ExpiresAt: now + 1})
	if err != nil {
		return err
	}
	return mailJob.Enqueue(ctx, h, tx, contract.Message{Template: "verify-email", Token: token, URL: h.URL("/verify-email?token=" + token)})
}

// DecoyWrite stores a secret that nobody knows and that has long expired: the next
// clean-up removes it.
func (h *Host) DecoyWrite(ctx context.Context, tx *Tx) error {
	secret, err := h.RandomString(Alphanumeric, 24)
	if err != nil {
		return err
	}
	return h.PutVerification(ctx, h.conn(tx), "nobody:"+secret, "nobody", -2*verificationGrace)
}

// verificationGrace is how long expired secrets are kept, so that a client can hear
// "expired" instead of "unknown".
const verificationGrace = 24 * time.Hour

// isDecoy tells a message to nobody.
func isDecoy(m contract.Message) bool { return m.To == "" }
