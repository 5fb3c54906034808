package core_test

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

// countHooks tells seen of each run of the points around proving an address.
func countHooks(seen func(string)) []core.Hook {
	return []core.Hook{
		core.EmailVerified.Before(func(context.Context, *core.EmailVerifiedEvent) error { seen("verified before"); return nil }),
		core.EmailVerified.After(func(context.Context, *core.EmailVerifiedEvent) error { seen("verified after"); return nil }),
		core.EmailVerified.Committed(func(context.Context, *core.EmailVerifiedEvent) { seen("verified committed") }),
		core.UserUpdate.After(func(_ context.Context, e *core.UserUpdateEvent) error {
			if e.User == nil {
				panic("an After hook without the row")
			}
			seen("updated after")
			return nil
		}),
		core.UserUpdate.Committed(func(context.Context, *core.UserUpdateEvent) { seen("updated committed") }),
	}
}
