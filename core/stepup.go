package core

import (
	"context"
	"slices"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// What plugins need that ask for more than one proof.

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
	return h.replace(ctx, tx, c, old, u, proof{MergeMethods(old.Methods(), methods...), max(aal, old.AAL()), c.now}, with)
}

// Renew is Reissue with the fields of a new session: what the app and plugins kept in old,
// an active organization for example, is not taken along.
func (h *Host) Renew(ctx context.Context, tx *Tx, c *Call, old *Session, u *User, with ...storage.Statement) (*Session, error) {
	return h.replace(ctx, tx, c, nil, u, proof{old.Methods(), old.AAL(), old.AuthenticatedAt()}, with)
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
