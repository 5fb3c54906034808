package passkey

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestSingleUse(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	ch := registerChallenge(alice)
	bad := newKey(-7)
	bad.origin = "https://evil.example"
	alice.Post(registerPath, m{"response": bad.register(ch)}).WantCode(400, "FAILED_TO_VERIFY_REGISTRATION")
	alice.Post(registerPath, m{"response": k.register(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	enrol(alice, k)
	alice.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	c := h.Client()
	for name, x := range map[string]struct {
		answer func(ch string) object
		status int
		code   string
	}{
		"another origin":       {func(ch string) object { b := *k; b.origin = "https://evil.example"; return b.assert(ch) }, 400, "AUTHENTICATION_FAILED"},
		"another key":          {func(ch string) object { b := *k; b.private = newKey(-7).private; b.counter = 99; return b.assert(ch) }, 401, "AUTHENTICATION_FAILED"},
		"an unknown key":       {func(ch string) object { return newKey(-7).assert(ch) }, 401, "PASSKEY_NOT_FOUND"},
		"no id":                {func(ch string) object { return object{} }, 401, "PASSKEY_NOT_FOUND"},
		"an id that is a list": {func(ch string) object { return object{"id": []string{b64(k.id)}} }, 401, "PASSKEY_NOT_FOUND"},
		"an id alone":          {func(ch string) object { return object{"id": b64(k.id)} }, 400, "AUTHENTICATION_FAILED"},
	} {
		ch := assertChallenge(c)
		if a := c.Post(assertPath, m{"response": x.answer(ch)}); a.Status != x.status || a.Code() != x.code {
			t.Errorf("%s: %d %s, want %d %s", name, a.Status, a.Code(), x.status, x.code)
		}
		c.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	}
	if n := h.Count("verification"); n != 0 {
		t.Errorf("%d challenges are left", n)
	}
	ch = assertChallenge(c)
	h.Clock.Advance(300 * time.Second)
	c.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
}

// TestPurposes moves cookies and challenges between flows.
func TestPurposes(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	alice, k := h.SignUp("alice@example.com"), newKey(-7)
	enrol(alice, k)
	ch := registerChallenge(alice)
	alice.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	ch = assertChallenge(alice)
	alice.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	const cookie = "better-auth-passkey"
	// Another cookie of ours is signed as well.
	moved := alice.Copy()
	moved.SetCookie(cookie, alice.Cookie("session_token"))
	moved.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	// So is one that names a row of another flow, which must stay.
	ctx := context.Background()
	if err := h.Host.PutVerification(ctx, h.Host.DB(), "reset-password:x", alice.UserID, time.Hour); err != nil {
		t.Fatal(err)
	}
	before := h.Count("verification")
	for _, value := range []string{"reset-password:x", "x", ""} {
		forged := alice.Copy()
		forged.SetCookie(cookie, signed(value))
		forged.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
		forged.Post(registerPath, m{"response": newKey(-7).register(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	}
	if n := h.Count("verification"); n != before {
		t.Errorf("%d rows, want %d", n, before)
	}
	none := alice.Copy()
	none.SetCookie(cookie, "")
	none.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	none.SetCookie(cookie, "abc.def")
	none.Post(assertPath, m{"response": k.assert(ch)}).WantCode(400, "CHALLENGE_NOT_FOUND")
	k.counter++
	alice.Post(assertPath, m{"response": k.assert(ch)}).Want(200) // nothing above has used it up
}

// TestParallel: of 20 uses of one challenge one counts.
func TestParallel(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, Options{}, func(c *core.Config) { c.Lockout.Disabled = true })
		alice, k := h.SignUp("alice@example.com"), newKey(-7)
		ch := registerChallenge(alice)
		won := race(func(i int) bool {
			return alice.Copy().Post(registerPath, m{"response": newKey(-7).register(ch)}).Status == 200
		})
		if won != 1 || h.Count("passkey") != 1 {
			t.Errorf("%s: %d of 20 registered, %d passkeys", e, won, h.Count("passkey"))
		}
		enrol(alice, k)
		sessions := h.Count("session")
		c := h.Client()
		ch = assertChallenge(c)
		k.counter = 5
		answer := k.assert(ch)
		if won = race(func(int) bool { return c.Copy().Post(assertPath, m{"response": answer}).Status == 200 }); won != 1 {
			t.Errorf("%s: %d of 20 signed in with one challenge", e, won)
		}
		// The same counter under different challenges: a copied key.
		clients, answers := make([]*plugintest.Client, 20), make([]object, 20)
		k.counter = 6
		for i := range clients {
			clients[i] = h.Client()
			answers[i] = k.assert(assertChallenge(clients[i]))
		}
		if won = race(func(i int) bool { return clients[i].Post(assertPath, m{"response": answers[i]}).Status == 200 }); won != 1 {
			t.Errorf("%s: %d of 20 signed in with one counter", e, won)
		}
		if n := h.Count("session") - sessions; n != 2 {
			t.Errorf("%s: %d new sessions", e, n)
		}
	}
}

func race(do func(i int) bool) (won int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	start := make(chan struct{})
	for i := range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			ok := do(i)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				won++
			}
		}()
	}
	close(start)
	wg.Wait()
	return won
}

// TestLimits: ten failures rest a credential for five minutes, for that address alone.
func TestLimits(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	k := newKey(-7)
	enrol(h.SignUp("alice@example.com"), k)
	bad := *k
	bad.private = newKey(-7).private
	for range 10 {
		_, a := use(h, &bad)
		a.WantCode(401, "AUTHENTICATION_FAILED")
	}
	_, a := use(h, k)
	if a.WantCode(429, "ACCOUNT_LOCKED"); a.Value("Retry-After") != "300" {
		t.Errorf("Retry-After %s", a.Value("Retry-After"))
	}
	owner := h.Client() // somewhere else
	owner.Addr = owner.Addr.Next()
	k.counter++
	owner.Post(assertPath, m{"response": k.assert(assertChallenge(owner))}).Want(200)
	other := newKey(-7) // another credential, from the address that is resting
	enrol(h.SignUp("bob@example.com"), other)
	_, a = use(h, other)
	a.Want(200)
	h.Clock.Advance(5 * time.Minute)
	_, a = use(h, k)
	a.Want(200)
	for range 9 { // a success forgets
		_, a := use(h, &bad)
		a.Want(401)
	}
	_, a = use(h, k)
	a.Want(200)
	_, a = use(h, &bad)
	a.Want(401)
}

func TestOptionsLimit(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) {
		on := true
		c.RateLimit.Enabled = &on
	})
	alice := h.SignUp("alice@example.com")
	for range 20 {
		assertChallenge(alice)
		registerChallenge(alice)
	}
	alice.Get("/passkey/generate-authenticate-options").WantCode(429, "TOO_MANY_REQUESTS")
	alice.Get("/passkey/generate-register-options").WantCode(429, "TOO_MANY_REQUESTS")
}

func TestChallengeOfAnotherFactor(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{}, func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
			if e.AAL < 2 && e.Methods[0] != "test" {
				e.Challenge("totp")
			}
			return nil
		}))
	})
	k := newKey(-7)
	enrol(h.SignUp("alice@example.com"), k)
	k.flags = up | be | bs
	c, a := use(h, k)
	if a.Want(200).Get("twoFactorRedirect") != true || a.Get("session") != nil || c.Cookie("session_token") != "" {
		t.Errorf("%s", a.Body)
	}
	k.flags |= uv
	_, a = use(h, k)
	a.Want(200).Text("session.id")
}

func TestTooMany(t *testing.T) {
	h := harness(t, plugintest.SQLite, Options{})
	alice := h.SignUp("alice@example.com")
	name := strings.Repeat("x", 256)
	for i := range maxPasskeys {
		k := Passkey{ID: string(rune('A'+i/26)) + string(rune('a'+i%26)), UserID: alice.UserID, CredentialID: string(rune(0x4e00 + i)), DeviceType: "singleDevice", Name: &name}
		if err := passkeys.Insert(context.Background(), h.Host.DB(), &k); err != nil {
			t.Fatal(err)
		}
	}
	alice.Get("/passkey/generate-register-options").WantCode(400, "TOO_MANY_PASSKEYS")
	alice.Post(registerPath, m{"name": name + "x"}).WantCode(400, "VALIDATION_ERROR")
}

// What counts is how many there are when one is stored: many registrations may have begun
// while there was room for one.
func TestTooManyAtOnce(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, Options{})
		alice := h.SignUp("alice@example.com")
		for i := range maxPasskeys - 1 {
			k := Passkey{ID: fmt.Sprint("passkey", i), UserID: alice.UserID, CredentialID: fmt.Sprint("credential", i), DeviceType: "singleDevice"}
			if err := passkeys.Insert(t.Context(), h.Host.DB(), &k); err != nil {
				t.Fatal(err)
			}
		}
		clients, answers := make([]*plugintest.Client, 20), make([]object, 20)
		for i := range clients {
			clients[i] = alice.Copy()
			answers[i] = newKey(-7).register(registerChallenge(clients[i]))
		}
		won := race(func(i int) bool {
			a := clients[i].Post(registerPath, m{"response": answers[i]})
			if a.Status != 200 {
				a.WantCode(400, "TOO_MANY_PASSKEYS")
			}
			return a.Status == 200
		})
		if n := h.Count("passkey"); won != 1 || n != maxPasskeys {
			t.Errorf("%s: %d of 20 were stored, there are %d", e, won, n)
		}
	}
}
