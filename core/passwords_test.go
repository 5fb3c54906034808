package core_test

import (
	"crypto/rand"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestPasswordsContract(t *testing.T) {
	var passwords contract.Passwords
	e := start(t, with(&probe{core.Spec{ID: "probe", Needs: []core.Need{core.Require(&passwords)}}}))
	e.client().signUp("a@example.com")
	id := e.rows("SELECT {user:id} FROM {user}")[0]
	if has, err := passwords.Has(t.Context(), id); err != nil || !has {
		t.Errorf("Has: %v %v", has, err)
	}
	for range 5 {
		if ok, err := passwords.Verify(t.Context(), id, wrong); err != nil || ok {
			t.Errorf("Verify of a wrong one: %v %v", ok, err)
		}
	}
	if ok, err := passwords.Verify(t.Context(), id, password); core.AsError(err) != nil && core.AsError(err).Code != "ACCOUNT_LOCKED" || ok || err == nil {
		t.Errorf("Verify while locked: %v %v", ok, err)
	}
	if err := e.auth.Host().Attempts("password").Unlock(t.Context(), nil, id); err != nil {
		t.Fatal(err)
	}
	if err := passwords.Set(t.Context(), id, "a new password"); err != nil {
		t.Fatal(err)
	}
	if ok, err := passwords.Verify(t.Context(), id, "a new password"); err != nil || !ok {
		t.Errorf("Verify of the new one: %v %v", ok, err)
	}
	if has, err := passwords.Has(t.Context(), "nobody"); err != nil || has {
		t.Errorf("Has of nobody: %v %v", has, err)
	}
}

// A flood of sign-ins is shed with 503 and Retry-After, and what was shed is no guess.
func TestFloodIsShed(t *testing.T) {
	random := &holding{asked: make(chan struct{}), let: make(chan struct{})}
	e := start(t, config(func(c *core.Config) {
		c.Password, c.Lockout.Network.Disabled, c.Random = core.PasswordConfig{Workers: 1, Queue: -1}, true, random
	}))
	var got outcomes
	flood := func(name string) {
		parallel(t, 15, func(i int) {
			a := e.client().signIn(name+itoa(i)+"@example.com", wrong)
			got.add(a)
			if a.Status == 503 && a.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
	hashed := make(chan error)
	random.armed.Store(true)
	go func() {
		_, err := e.auth.Host().HashPassword(t.Context(), password)
		hashed <- err
	}()
	<-random.asked
	flood("held") // nobody's turn comes within the time that is waited for room
	close(random.let)
	if err := <-hashed; err != nil {
		t.Error(err)
	}
	flood("free") // some come at once, and are refused behind the reservation of a guess
	wrongs, shed := got.n["401 INVALID_EMAIL_OR_PASSWORD"], got.n["503 SERVICE_UNAVAILABLE"]
	if wrongs == 0 || shed < 15 || wrongs+shed != 30 {
		t.Errorf("answers %v", got.n)
	}
	failed := len(e.rows("SELECT {attempt:id} FROM {attempt} WHERE {attempt:failures} > 0"))
	leased := len(e.rows("SELECT {attempt:id} FROM {attempt} WHERE {attempt:leases} > 0"))
	if failed != wrongs || leased != 0 {
		t.Errorf("%d counted and %d still leased of %d wrong and %d shed", failed, leased, wrongs, shed)
	}
	if _, _, n := e.auth.Host().PasswordStats(); n != int64(shed) {
		t.Errorf("the statistics say %d", n)
	}
}

// holding is randomness that, once armed, keeps whoever asks for the salt of a hash until
// it is let go.
type holding struct {
	armed      atomic.Bool
	asked, let chan struct{}
}

func (h *holding) Read(b []byte) (int, error) {
	if len(b) == 16 && h.armed.CompareAndSwap(true, false) {
		h.asked <- struct{}{}
		<-h.let
	}
	return rand.Read(b)
}

// A right password behind which the new one cannot be hashed is no guess.
func TestAChangeThatCannotHashIsNoGuess(t *testing.T) {
	random := &saltless{}
	e := start(t, config(func(c *core.Config) { c.Random = random }))
	c := e.client().signUp("a@example.com")
	random.armed.Store(true)
	if a := c.post("/change-password", m{"currentPassword": password, "newPassword": "a new password"}); a.Status < 500 {
		t.Errorf("without a salt: %d %s", a.Status, a.Body)
	}
	if leased := e.rows("SELECT {attempt:id} FROM {attempt} WHERE {attempt:leases} > 0"); len(leased) != 0 {
		t.Errorf("still leased: %v", leased)
	}
}

// saltless is randomness that, once armed, has none for the salts of hashes.
type saltless struct{ armed atomic.Bool }

func (s *saltless) Read(b []byte) (int, error) {
	if len(b) == 16 && s.armed.Load() {
		return 0, errors.New("no randomness")
	}
	return rand.Read(b)
}

// Who finds the queue full is sent away before the database hears of it, known or not.
func TestFloodCostsTheDatabaseNothing(t *testing.T) {
	random := &holding{asked: make(chan struct{}), let: make(chan struct{})}
	e := start(t, config(func(c *core.Config) {
		c.Password, c.Random = core.PasswordConfig{MemoryKiB: 8, Iterations: 1, Workers: 1, Queue: -1}, random
	}))
	e.client().signUp("a@example.com")
	hashed := make(chan error)
	random.armed.Store(true)
	go func() {
		_, err := e.auth.Host().HashPassword(t.Context(), password)
		hashed <- err
	}()
	<-random.asked
	for _, email := range []string{"a@example.com", "nobody@example.com"} {
		for _, path := range []string{"/sign-in/email", "/sign-up/email"} {
			sent := e.db.count(func() {
				a := e.client().post(path, m{"name": "A", "email": email, "password": password})
				if a.code() != "SERVICE_UNAVAILABLE" || a.Status != 503 || a.Get("Retry-After") != "1" {
					t.Errorf("%s of %s: %d %s, Retry-After %q", path, email, a.Status, a.code(), a.Get("Retry-After"))
				}
			})
			if len(sent) > 0 {
				t.Errorf("%s of %s, which was shed, asked the database: %q", path, email, sent)
			}
		}
	}
	if _, _, n := e.auth.Host().PasswordStats(); n != 4 {
		t.Errorf("%d were shed, say the statistics, want 4", n)
	}
	close(random.let)
	if err := <-hashed; err != nil {
		t.Error(err)
	}
	if a := e.client().signIn("a@example.com", password); a.Status != 200 {
		t.Errorf("afterwards: %d %s", a.Status, a.code())
	}
}
