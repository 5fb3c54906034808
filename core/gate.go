package core

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/token"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// SignIn is what a way to sign in knows once it is convinced: it cannot make a session
// itself, only ask the gate for one.
type SignIn struct {
	Call *Call
	User *User
	// Methods are how it was proved, by RFC 8176 names: "pwd", "otp", "hwk", ...
	Methods []string
	// AAL is the level that the methods reach together: 1, or 2 for two factors in one
	// (a passkey with user verification). Default 1.
	AAL int
	// Forget makes a session of one day that ends with the browser's.
	Forget bool
	// Asked says that the request itself chose (rememberMe). Where it did not, a browser
	// that was told to forget its last session is told so of this one too, whose row lives
	// as long as any.
	Asked bool
	// Callback is where a navigation goes afterwards; it has been checked.
	Callback string
	// With are statements that belong to the same act: they run together with the session's
	// insertion, or alone when a challenge comes between. They do not write the user's row,
	// nor one that Guard names: PostgreSQL takes one of two writes of a row in a batch.
	With []storage.Statement
	// Guard are statements that must each touch a row, or else the answer is ErrProofChanged
	// and nothing has happened: the proof that was checked, where it may have been replaced
	// or taken away since then. A hash takes long. They come first, and hold the proof until
	// there is the session: who changes a proof and then ends the sessions, in this order
	// (Host.RevokeSessions), finds it among them.
	Guard []storage.Statement
	// Attempts were right guesses, which is settled along with With.
	Attempts []Attempt
}

// ErrProofChanged says that what SignIn.Guard names is not as it was when it was checked:
// check it again. It is no answer for a client.
var ErrProofChanged = errors.New("core: what a sign-in was proved with has been changed meanwhile")

// SignInEvent is the payload of SignInPoint.
type SignInEvent struct {
	*SignIn
	Tx        *Tx // nil: no transaction yet; never nil in After hooks
	challenge *challenge
}

type challenge struct{ methods []string }

// Challenge demands more before there is a session. methods are what the client may
// offer, for instance "totp". The hook has stored what it needs to go on (a verification
// row, a cookie); core answers the client, and no session row is made.
func (e *SignInEvent) Challenge(methods ...string) { e.challenge = &challenge{methods} }

// Challenged tells whether an earlier hook has demanded more.
func (e *SignInEvent) Challenged() bool { return e.challenge != nil }

// SignIn is the gate: the only place where signing in makes a session. Bans are checked,
// SignInPoint runs, and then there is either a session with its cookies, or a challenge,
// which is the call's answer (nil, nil).
func (h *Host) SignIn(ctx context.Context, tx *Tx, in *SignIn) (s *Session, err error) {
	def(&in.AAL, 1)
	in.Call.Concerns(in.User)
	if err = checkBan(in.User, in.Call.now); err == nil {
		s, err = h.undoable(ctx, tx, in.Call, func(ctx context.Context, tx *Tx) (*Session, error) {
			return h.signIn(ctx, tx, in)
		}, SignInPoint, SessionCreate, EventRecorded)
	}
	in.Call.refused = err != nil
	return s, err
}

// undoable runs an issuing of a session, in a transaction where one of the points has a
// hook that may still refuse behind the insertion. What fails leaves no trace in the
// call either: neither the session nor its cookies.
func (h *Host) undoable(ctx context.Context, tx *Tx, c *Call, fn func(context.Context, *Tx) (*Session, error), points ...any) (s *Session, err error) {
	was := *c
	// Clones: what is appended, replaced or taken back changes the slices in place.
	was.cookies, was.header = slices.Clone(c.cookies), slices.Clone(c.header)
	if tx == nil && h.hasAfter(points...) {
		err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) (err error) {
			s, err = fn(ctx, tx)
			return err
		})
	} else {
		s, err = fn(ctx, tx)
	}
	if err != nil {
		c.session, c.user, c.loaded, c.fromCache = was.session, was.user, was.loaded, was.fromCache
		c.issued, c.handed = was.issued, was.handed
		c.cookies, c.header, c.answer = was.cookies, was.header, was.answer
		return nil, err
	}
	return s, nil
}

func (h *Host) signIn(ctx context.Context, tx *Tx, in *SignIn) (*Session, error) {
	var s *Session
	e := &SignInEvent{SignIn: in, Tx: tx}
	settle, done := h.settle(tx, in.Attempts)
	err := SignInPoint.Run(ctx, h, tx, e, func(ctx context.Context) (err error) {
		with := append(in.With[:len(in.With):len(in.With)], settle...)
		if e.challenge != nil {
			err = h.Record(ctx, &Event{Type: EventSignInChallenged, UserID: in.User.ID, Call: in.Call, Tx: tx, Detail: map[string]string{
				"methods": strings.Join(in.Methods, ","), "offered": strings.Join(e.challenge.methods, ",")}}, slices.Concat(guarding(in.Guard), with)...)
			in.Call.answerChallenge(in, e.challenge)
			return err
		}
		event := &Event{Type: EventSignIn, UserID: in.User.ID, Call: in.Call,
			Detail: map[string]string{"methods": strings.Join(in.Methods, ","), "aal": strconv.Itoa(in.AAL)}}
		s, err = h.issue(ctx, tx, in.Call, in.User, proof{in.Methods, in.AAL, in.Call.now}, in.life(h), nil, event, guarding(in.Guard), with)
		return err
	})
	if len(in.Guard) > 0 && storage.KindOf(err) == storage.Missed {
		err = ErrProofChanged
	}
	if err != nil {
		return nil, err
	}
	done(ctx)
	return s, nil
}

// guarding are statements that must each touch a row.
func guarding(list []storage.Statement) []storage.Statement {
	out := slices.Clone(list)
	for i := range out {
		out[i].Must = true
	}
	return out
}

// Reissue replaces old by a new session for the same proof: after a change that must
// not leave older sessions' holders inside. Bans are checked; SignInPoint does not run,
// since nobody signs in. with run in the same batch, before the insertion.
func (h *Host) Reissue(ctx context.Context, tx *Tx, c *Call, old *Session, u *User, with ...storage.Statement) (*Session, error) {
	return h.replace(ctx, tx, c, old, u, proof{old.Methods(), old.AAL(), old.AuthenticatedAt()}, with)
}

func (h *Host) replace(ctx context.Context, tx *Tx, c *Call, old *Session, u *User, p proof, with []storage.Statement) (*Session, error) {
	if err := checkBan(u, c.now); err != nil {
		return nil, err
	}
	life := sessionLife{h.sessionTime(), c.forgets()}
	return h.undoable(ctx, tx, c, func(ctx context.Context, tx *Tx) (*Session, error) {
		return h.issue(ctx, tx, c, u, p, life, old, nil, nil, with)
	}, SessionCreate)
}

// hasAfter tells whether some hook may refuse behind the act at one of the points.
func (h *Host) hasAfter(points ...any) bool {
	for _, p := range points {
		for i := range h.hooks[p] {
			if h.hooks[p][i].phase == after {
				return true
			}
		}
	}
	return false
}

// sessionLife is how long a session lasts: its row, and whether the browser is told to
// forget it at its own end.
type sessionLife struct {
	row    time.Duration
	forget bool
}

func (h *Host) sessionTime() time.Duration {
	return time.Duration(h.cfg.Session.ExpiresIn) * time.Second
}

func (in *SignIn) life(h *Host) sessionLife {
	if in.Forget {
		return sessionLife{24 * time.Hour, true}
	}
	return sessionLife{h.sessionTime(), !in.Asked && in.Call.forgets()}
}

type proof struct {
	methods []string
	aal     int
	at      time.Time
}

// issue makes a session. event, if any, is recorded in the same statement. guard comes
// first in it, but for what holds bans back.
func (h *Host) issue(ctx context.Context, tx *Tx, c *Call, u *User, p proof, life sessionLife, old *Session, event *Event, guard, with []storage.Statement) (*Session, error) {
	tok, err := token.Random(h.random, token.Alphanumeric, 32)
	if err != nil {
		return nil, err
	}
	ip, ua := c.ClientIP(), c.UserAgent()
	s := &Session{ExpiresAt: c.now.Add(life.row), Token: tok, CreatedAt: c.now, UpdatedAt: c.now, IPAddress: &ip,
		UserAgent: &ua, UserID: u.ID, model: h.sessionModel, Extra: map[string]any{}}
	if old != nil { // it goes on, where it came from; fields with a default begin again
		s.IPAddress, s.UserAgent = old.IPAddress, old.UserAgent
		for k, v := range old.Extra {
			s.Extra[k] = v
		}
	}
	for _, f := range h.sessionModel.order {
		if f.def != nil {
			s.Extra[f.Name] = f.def
		}
	}
	device, remember, err := h.rememberDevice(c, u.ID, life.forget)
	if err != nil {
		return nil, err
	}
	var told []storage.Statement
	if event != nil {
		if told, err = h.newDevice(ctx, c, u); err != nil {
			return nil, err
		}
	}
	ban, proofs := h.holdBan(u.ID, c.now), len(guard)
	guard = slices.Concat(ban, guard)
	with = slices.Concat(guard, told, with, remember)
	s.Extra["amr"], s.Extra["aal"], s.Extra["authenticatedAt"] = strings.Join(p.methods, ","), int64(p.aal), p.at
	err = h.txIf(ctx, tx, SessionCreate.has(h, before, after) || h.numbersInTx("session"), func(ctx context.Context, tx *Tx) (err error) {
		if s.ID, err = h.NewID(ctx, "session"); err != nil {
			return err
		}
		return SessionCreate.Run(ctx, h, tx, &SessionEvent{Call: c, Tx: tx, User: u, Session: s}, func(ctx context.Context) error {
			insert := storage.Statement{SQL: h.sessionModel.insert, Args: s.args(h.storedToken(s.Token))}
			all := append(append(make([]storage.Statement, 0, len(with)+2), with...), insert)
			if event != nil {
				event.Tx, event.Detail["session"] = tx, s.ID
				n, err := h.record(ctx, event, all...)
				if err == nil && len(told) > 0 && n[len(guard)] > 0 {
					h.WakeJobs(tx)
				}
				return err
			}
			if len(with) == 0 {
				_, err := h.conn(tx).Exec(ctx, insert.SQL, insert.Args...)
				return err
			}
			_, err := h.conn(tx).Batch(ctx, all...)
			return err
		})
	})
	if len(ban) > 0 && proofs == 0 && storage.KindOf(err) == storage.Missed {
		err = ErrConflict // banned, or deleted, since the user was read
	}
	if err != nil {
		return nil, err
	}
	c.session, c.user, c.loaded, c.fromCache, c.issued = s, u, true, false, s
	if err := c.setSessionCookies(s, u, life.forget); err != nil {
		return s, err
	}
	if device != "" {
		c.SetSigned(h.cookies.device, device, false)
	}
	return s, nil
}

// answerChallenge answers for the gate: JSON for scripts, a redirect for a navigation.
func (c *Call) answerChallenge(in *SignIn, ch *challenge) {
	k := &c.host.cookies
	c.issued, c.handed = nil, nil
	c.Expire(k.token)
	c.expireData()
	if in.Forget {
		c.SetSigned(k.forget, "true", true)
	}
	if c.http && c.Navigation() {
		to := c.host.cfg.ChallengeURL
		if to == "" {
			to = in.Callback
		}
		if to == "" {
			to = c.host.cfg.BaseURL + "/"
		}
		c.RedirectQuery(to, "twoFactorRedirect", "true", "twoFactorMethods", strings.Join(ch.methods, ","))
		return
	}
	b := []byte(`{"twoFactorRedirect":true,"twoFactorMethods":[`)
	for i, m := range ch.methods {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, m)
	}
	c.answer = &Response{Status: 200, Header: []Field{{"Content-Type", "application/json"}}, Body: append(b, "]}"...)}
}
