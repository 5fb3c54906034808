package twofactor

import (
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugintest"
)

const parallel = 20

// race sends one request from many clients at once and counts the answers by status.
func race(t *testing.T, clients []*plugintest.Client, path string, body m) map[int]int {
	t.Helper()
	var wg sync.WaitGroup
	answers := make([]*plugintest.Answer, len(clients))
	start := make(chan struct{})
	for i, c := range clients {
		wg.Go(func() {
			<-start
			answers[i] = c.Post(path, body)
		})
	}
	close(start)
	wg.Wait()
	count := map[int]int{}
	for _, a := range answers {
		if a.Status >= 500 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		count[a.Status]++
	}
	return count
}

// crowd is a client many times over.
func crowd(c *plugintest.Client) (out []*plugintest.Client) {
	for range parallel {
		out = append(out, c.Copy())
	}
	return out
}

// TestRaces: of many parallel uses of one thing exactly one wins, with and without core's
// lockout, for one challenge and for as many as there are requests.
func TestRaces(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		for _, off := range []bool{false, true} {
			change := []func(*plugintest.Options){engine}
			if off {
				change = append(change, noLockout)
			}
			w := newWorld(t, Options{}, change...)
			ada := w.enrol("ada@example.com")
			many := func() (out []*plugintest.Client) {
				for range parallel {
					out = append(out, w.challenge(ada.email))
				}
				return out
			}
			one := func(what string, clients []*plugintest.Client, path string, body m) {
				t.Helper()
				before := len(w.sessions(ada.UserID))
				if got := race(t, clients, path, body); got[200] != 1 {
					t.Errorf("%s (lockout off: %v): %v", what, off, got)
				}
				if n := len(w.sessions(ada.UserID)) - before; n != 1 {
					t.Errorf("%s: %d sessions", what, n)
				}
				w.exec("DELETE FROM {attempt=}")
				w.exec("UPDATE {twoFactor=} SET {twoFactor:failedVerificationCount} = 0, {twoFactor:lockedUntil} = NULL")
				w.Clock.Advance(time.Minute)
			}
			one("a code for one challenge", crowd(w.challenge(ada.email)), "/two-factor/verify-totp", m{"code": ada.code(0)})
			one("a code for many challenges", many(), "/two-factor/verify-totp", m{"code": ada.code(0)})
			one("a backup code for one challenge", crowd(w.challenge(ada.email)), "/two-factor/verify-backup-code", m{"code": ada.codes[0]})
			one("a backup code for many challenges", many(), "/two-factor/verify-backup-code", m{"code": ada.codes[1]})
			c := w.challenge(ada.email)
			c.Post("/two-factor/send-otp", nil).Want(200)
			one("a code by mail", crowd(c), "/two-factor/verify-otp", m{"code": w.Mail(ada.email, "two-factor-otp").OTP})
		}
	})
}

// TestRaceOfProofs: one challenge makes one session, also for several right codes at once.
func TestRaceOfProofs(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.enrol("ada@example.com")
		for range 5 {
			c, before := w.challenge(ada.email), len(w.sessions(ada.UserID))
			c.Post("/two-factor/send-otp", nil).Want(200)
			mailed := w.Mail(ada.email, "two-factor-otp").OTP
			var wg sync.WaitGroup
			for path, code := range map[string]string{"verify-totp": ada.code(0), "verify-backup-code": ada.codes[0], "verify-otp": mailed} {
				x := c.Copy()
				wg.Go(func() { x.Post("/two-factor/"+path, m{"code": code}) })
			}
			wg.Wait()
			if n := len(w.sessions(ada.UserID)) - before; n != 1 {
				t.Errorf("%d sessions", n)
			}
			ada.codes = ada.codes[1:]
			w.Clock.Advance(time.Minute)
		}
	})
}

// TestRaceOfGuesses: parallel wrong codes do not pass the limits together.
func TestRaceOfGuesses(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine, noLockout)
		ada := w.enrol("ada@example.com")
		c := w.challenge(ada.email)
		got := race(t, crowd(c), "/two-factor/verify-totp", m{"code": ada.wrongCode()})
		// Five were read. The others met a counter that was used up, or a challenge that was
		// over, or lost against too many at once.
		if n := w.factor(ada.UserID)["failedVerificationCount"]; n != "5" {
			t.Errorf("%s codes were read, want 5: %v", n, got)
		}
		c = w.challenge(ada.email)
		c.Post("/two-factor/send-otp", nil).Want(200)
		w.exec("UPDATE {twoFactor=} SET {twoFactor:failedVerificationCount} = 0")
		got = race(t, crowd(c), "/two-factor/verify-otp", m{"code": "x"})
		if n := w.factor(ada.UserID)["failedVerificationCount"]; n != "5" {
			t.Errorf("%s codes by mail were read, want 5: %v", n, got)
		}
		var spread []*plugintest.Client
		for range parallel {
			spread = append(spread, w.challenge(ada.email))
		}
		w.exec("UPDATE {twoFactor=} SET {twoFactor:failedVerificationCount} = 0")
		race(t, spread, "/two-factor/verify-totp", m{"code": ada.wrongCode()})
		f := w.factor(ada.UserID)
		if n := f["failedVerificationCount"]; f["lockedUntil"] == "" || len(n) != 2 {
			t.Errorf("%s failures in %d challenges, locked until %q", n, parallel, f["lockedUntil"])
		}
	})
}

// TestRaceOfEnrolments: one row, one session, whatever comes at once.
func TestRaceOfEnrolments(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine, noLockout)
		ada := &member{Client: w.signUp("ada@example.com"), w: w, email: "ada@example.com"}
		if got := race(t, crowd(ada.Client), "/two-factor/enable", m{"password": password}); got[200] != parallel || w.Count("twoFactor") != 1 {
			t.Errorf("enrolling: %v, %d rows", got, w.Count("twoFactor"))
		}
		ada.begin()
		if got := race(t, crowd(ada.Client), "/two-factor/verify-totp", m{"code": ada.code(0)}); got[200] != 1 || len(w.sessions(ada.UserID)) != 1 {
			t.Errorf("confirming: %v, %d sessions", got, len(w.sessions(ada.UserID)))
		}
		for name, body := range map[string]m{"/two-factor/enable": {"password": password, "method": "otp"}, "/two-factor/disable": {"password": password}} {
			c := w.signUp(name[len(name)-6:] + "@example.com")
			if got := race(t, crowd(c), name, body); got[200] != 1 || len(w.sessions(c.UserID)) != 1 {
				t.Errorf("%s: %v, %d sessions", name, got, len(w.sessions(c.UserID)))
			}
		}
	})
}

// TestPostgres runs the whole way on the other database.
func TestPostgres(t *testing.T) {
	w := newWorld(t, Options{}, func(o *plugintest.Options) { o.Database = plugintest.Postgres })
	journey(w.Harness)
}
