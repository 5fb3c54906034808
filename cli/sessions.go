package cli

import (
	"context"
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
)

// sessionsRehash hashes tokens that a shared database has as they are.
var sessionsRehash = withAuth(func(ctx context.Context, r *run, auth *core.Auth) (int, error) {
	moved, left, err := auth.Host().RehashSessions(ctx)
	if err != nil {
		return failed, fmt.Errorf("after %d sessions: %w", moved, err)
	}
	fmt.Fprintf(r.out, "%d sessions were moved to hashed tokens\n", moved)
	if left > 0 {
		fmt.Fprintf(r.out, "%d were written as they are meanwhile: a server still has session.tokenStorage: compat. Change it and run this again\n", left)
		return pending, nil
	}
	return ok, nil
})
