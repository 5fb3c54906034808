package twofactor

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// challengeAttempts are the wrong TOTP and backup codes that one challenge allows.
const challengeAttempts = 5

// attempts is core's counter for all factors of a user together.
const attempts = "second-factor"

// subject is who shows a code: somebody signed in, or somebody with a challenge.
type subject struct {
	user    *core.User
	session *core.Session // nil during a challenge
	// key names the challenge, or the session among the user's codes by mail.
	key   string
	first firstProof
}

// subject finds out who shows a code. A session counts before a challenge.
func (p *Plugin) subject(ctx context.Context, c *core.Call) (*subject, error) {
	s, u, err := c.ConfirmSession(ctx)
	if err != nil {
		return nil, err
	}
	if s != nil {
		return &subject{user: u, session: s, key: u.ID + "!" + s.ID}, nil
	}
	id, ok := c.Signed(p.challengeCookie)
	if !ok || !isChallenge(id) {
		return nil, ErrInvalidCookie
	}
	row, found, err := p.host.PeekVerification(ctx, p.host.DB(), id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrInvalidCookie
	}
	if u, err = p.host.UserByID(ctx, p.host.DB(), row.Value); err != nil {
		return nil, err
	}
	c.Concerns(u)
	if u == nil || !isEnabled(u) { // switched off meanwhile: sign in again
		return nil, ErrInvalidCookie
	}
	over, err := p.closed(ctx, id)
	if err != nil {
		return nil, err
	}
	if over {
		return nil, ErrInvalidCookie
	}
	who := &subject{user: u, key: id}
	who.first, err = p.firstProof(ctx, c, id)
	return who, err
}

// firstProof reads how a challenge began. One that Better Auth began has no such row: it
// asks after passwords alone, and keeps what is to be forgotten in a cookie.
func (p *Plugin) firstProof(ctx context.Context, c *core.Call, id string) (firstProof, error) {
	row, found, err := p.host.PeekVerification(ctx, p.host.DB(), proofPrefix+id)
	if err != nil {
		return firstProof{}, err
	}
	if found {
		return parseFirstProof(row.Value)
	}
	_, forget := c.Signed(p.forgetCookie)
	return firstProof{Methods: []string{"pwd"}, Forget: forget}, nil
}

// guess is one reserved attempt at a code.
type guess struct {
	p     *Plugin
	who   *subject
	f     *factor // whose failures are counted; nil for none
	try   core.Attempt
	row   string // name of the row that counts for the challenge or the code by mail
	value string // of it, with this attempt counted
	prior string // without
}

// begin reserves an attempt before a code is looked at: with core, for all factors of the
// user together, and while signing in with the challenge.
func (p *Plugin) begin(ctx context.Context, c *core.Call, who *subject, f *factor, counted bool) (*guess, error) {
	g := &guess{p: p, who: who}
	if who.session == nil && f != nil && *p.o.Lockout.Enabled {
		g.f = f
		if err := p.notLocked(ctx, f); err != nil {
			return nil, err
		}
	}
	var err error
	if g.try, err = p.host.Attempts(attempts).Reserve(ctx, who.user.ID); err != nil {
		return nil, err
	}
	if who.session == nil && counted {
		err = g.count(ctx, attemptsPrefix+who.key, challengeAttempts, ErrInvalidCookie, parseCount)
		if errors.Is(err, ErrTooManyAttempts) {
			c.Expire(p.challengeCookie)
		}
	}
	if err != nil {
		g.try.Release(ctx)
		return nil, err
	}
	return g, nil
}

// notLocked refuses while the second factor is locked, and clears a lock that is over.
func (p *Plugin) notLocked(ctx context.Context, f *factor) error {
	if f.LockedUntil == nil {
		return nil
	}
	now := p.host.Now()
	if f.LockedUntil.After(now) {
		wait := strconv.Itoa(int(f.LockedUntil.Sub(now).Seconds()) + 1)
		return ErrTemporarilyLocked.WithHeader("Retry-After", wait).WithHeader("X-Retry-After", wait)
	}
	_, err := factors.Update(ctx, p.host.DB(), clearFailures(), colID.Eq(f.ID), colLocked.Le(&now))
	return err
}

// count adds one to the counter in a row's value, by compare-and-set: of N parallel
// attempts no two take the same. absent is the error where the row has gone. The attempt
// behind the last allowed one closes the row with a count of its own, and does not delete
// it: those before it may be right, and still on their way.
func (g *guess) count(ctx context.Context, row string, allowed int, absent error, parse func(string) (prefix string, n int)) error {
	h := g.p.host
	for range allowed + 2 { // each time round somebody else has taken one
		v, found, err := h.PeekVerification(ctx, h.DB(), row)
		if err != nil {
			return err
		}
		prefix, n := parse(v.Value)
		if !found || n < 0 || n > allowed {
			return absent
		}
		next := prefix + strconv.Itoa(n+1)
		ok, err := h.ChangeVerification(ctx, h.DB(), row, v.Value, next)
		switch {
		case err != nil:
			return err
		case ok && n == allowed:
			return ErrTooManyAttempts
		case ok:
			g.row, g.prior, g.value = row, v.Value, next
			return nil
		}
	}
	return core.ErrConflict
}

// closed tells whether a challenge has used up its attempts.
func (p *Plugin) closed(ctx context.Context, id string) (bool, error) {
	v, found, err := p.host.PeekVerification(ctx, p.host.DB(), attemptsPrefix+id)
	_, n := parseCount(v.Value)
	return found && (n < 0 || n > challengeAttempts), err
}

// parseCount reads the counter of a challenge; what is none counts as used up.
func parseCount(value string) (prefix string, n int) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return "", -1
	}
	return "", n
}

// parseOTP reads the value of a code by mail, "code:failures".
func parseOTP(value string) (prefix string, n int) {
	i := strings.LastIndexByte(value, ':') + 1
	if n, err := strconv.Atoi(value[i:]); i > 0 && err == nil {
		return value[:i], n
	}
	return value, -1
}

// wrong settles a wrong guess: it stays counted everywhere.
func (g *guess) wrong(ctx context.Context, answer error) error {
	ctx = context.WithoutCancel(ctx) // whoever hangs up has guessed all the same
	if err := g.try.Fail(ctx); err != nil {
		return err
	}
	if g.f != nil {
		o := g.p.o.Lockout
		until := g.p.host.Now().Add(seconds(o.Duration))
		if _, err := g.p.host.DB().Exec(ctx, countFailure, int64(o.MaxFailedAttempts), until, g.f.ID); err != nil {
			return err
		}
	}
	return answer
}

// undo gives an attempt back that was no wrong guess, and passes the reason on.
func (g *guess) undo(ctx context.Context, because error) error {
	ctx = context.WithoutCancel(ctx)
	g.try.Release(ctx)
	if g.row != "" {
		// Where this fails the attempt stays counted; the lease above runs out by itself.
		_, _ = g.p.host.ChangeVerification(ctx, g.p.host.DB(), g.row, g.value, g.prior)
	}
	return because
}

// right is what is settled with a right guess: the wrong ones before it are forgotten.
func (g *guess) right() core.Checked {
	c := core.Checked{Attempts: []core.Attempt{g.try}}
	if g.f != nil {
		c.With = []storage.Statement{factors.UpdateStatement(clearFailures(), colID.Eq(g.f.ID))}
	}
	return c
}
