package v1

import (
	"context"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

const dayForm = "2006-01-02"

func (p *Plugin) signUpsOf(ctx context.Context, q storage.Conn, now time.Time) (int, error) {
	row, _, err := signUpDays.Get(ctx, q, dayIs.Eq(now.UTC().Format(dayForm)))
	return row.Count, err
}

// full is the refusal, with the time until midnight.
func full(now time.Time) error {
	wait := nextDay(now).Sub(now)
	return ErrSignUpLimit.WithHeader("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
}

// countSignUp counts a new user in the transaction that makes it, in one statement that
// meets no row where the limit is reached: of N parallel sign-ups no more get in than are
// left. Users that the app makes itself do not count.
func (p *Plugin) countSignUp(ctx context.Context, e *core.UserCreateEvent) error {
	if e.Call == nil || !e.Call.FromOutside() {
		return nil
	}
	now := e.Call.Now()
	n, err := e.Tx.Exec(ctx, `INSERT INTO {v1SignUp=} ({v1SignUp:day}, {v1SignUp:count}) VALUES (?, 1) ON CONFLICT ({v1SignUp:day}) `+
		`DO UPDATE SET {v1SignUp:count} = {v1SignUp.count} + 1 WHERE {v1SignUp.count} < ?`, now.UTC().Format(dayForm), p.o.MaxDailySignUps)
	if err == nil && n == 0 {
		err = full(now)
	}
	return err
}

// refuseFull refuses a sign-up before anything else is looked at: else an address that is
// known, for which no user is made, would be told from a new one.
func (p *Plugin) refuseFull(ctx context.Context, e *core.RequestEvent) error {
	if e.Call.Path() != "/sign-up/email" || !e.Call.FromOutside() {
		return nil
	}
	n, err := p.signUpsOf(ctx, p.host.DB(), e.Call.Now())
	if err == nil && n >= p.o.MaxDailySignUps {
		err = full(e.Call.Now())
	}
	return err
}
