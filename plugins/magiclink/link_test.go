package magiclink_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// parallel follows links at the same moment and returns the answers.
func parallel(h *plugintest.Harness, links []string) []*plugintest.Answer {
	out, start := make([]*plugintest.Answer, len(links)), make(chan struct{})
	var wg sync.WaitGroup
	for i, l := range links {
		c := h.Client()
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			out[i] = c.Get(l)
		}()
	}
	close(start)
	wg.Wait()
	return out
}

func TestParallelUse(t *testing.T) {
	for _, e := range engines {
		for _, existing := range []string{"", "unproven", "proven"} {
			h := harness(t, e, magiclink.Options{})
			if existing != "" {
				h.CreateUser("race@example.com", func(u *core.User) { u.EmailVerified = existing == "proven" })
			}
			l := ask(h, "race@example.com", m{"callbackURL": "/in", "newUserCallbackURL": "/in", "errorCallbackURL": "/bad"})
			links := make([]string, 20)
			for i := range links {
				links[i] = l
			}
			won := 0
			for _, a := range parallel(h, links) {
				switch a.Value("Location") {
				case "https://auth.example.com/in":
					won++
				case "https://auth.example.com/bad?error=INVALID_TOKEN":
				default:
					t.Errorf("%s, %q: %d to %q: %s", e, existing, a.Status, a.Value("Location"), a.Body)
				}
			}
			if s, u := h.Count("session"), h.Count("user"); won != 1 || s != 1 || u != 1 {
				t.Errorf("%s, %q: %d of 20 won, %d sessions, %d users", e, existing, won, s, u)
			}
		}
	}
}

// TestParallelLinks follows different links of one address that nobody has: one makes
// the user, all sign in.
func TestParallelLinks(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, magiclink.Options{})
		links := make([]string, 8)
		for i := range links {
			links[i] = ask(h, "race@example.com", m{"callbackURL": "/in", "newUserCallbackURL": "/new"})
		}
		made := 0
		for _, a := range parallel(h, links) {
			if to := a.Value("Location"); to == "https://auth.example.com/new" {
				made++
			} else if to != "https://auth.example.com/in" {
				t.Errorf("%s: %d to %q: %s", e, a.Status, to, a.Body)
			}
		}
		if s, u := h.Count("session"), h.Count("user"); made != 1 || s != 8 || u != 1 {
			t.Errorf("%s: %d users made, %d users, %d sessions", e, made, u, s)
		}
	}
}

func TestExpiry(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{ExpiresIn: 60})
	early, late := ask(h, "a@example.com", nil), ask(h, "b@example.com", nil)
	h.Clock.Advance(59 * time.Second)
	location(h.Client().Get(early), "https://auth.example.com/")
	h.Clock.Advance(time.Second)
	location(h.Client().Get(late), "https://auth.example.com/?error=INVALID_TOKEN")
}

func TestStorage(t *testing.T) {
	custom := func(token string) (string, error) { return "custom-" + token[:8], nil }
	for _, x := range []struct {
		name, mode string
		o          magiclink.Options
		want       string // of the identifier, with T for the token
	}{
		{"the default is hashed twice", "hashed", magiclink.Options{}, "^[A-Za-z0-9_-]{43}$"},
		{"plain is hashed by core", "hashed", magiclink.Options{StoreToken: "plain"}, "^[A-Za-z0-9_-]{43}$"},
		{"shared: as Better Auth does it", "compat", magiclink.Options{}, "^magic-link:T$"},
		{"shared and hashed", "compat", magiclink.Options{StoreToken: "hashed"}, "^magic-link:[A-Za-z0-9_-]{43}$"},
		{"shared and custom", "compat", magiclink.Options{StoreToken: "custom", Hash: custom}, "^magic-link:custom-"},
	} {
		h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(x.o)},
			Config: func(c *core.Config) { c.Session.TokenStorage = x.mode }})
		h.Client().Post("/sign-in/magic-link", m{"email": "A@example.com", "name": "<A>"}).Want(200)
		token := h.Mail("A@example.com", "magic-link").Token
		row := h.Rows("verification")[0]
		if want := strings.Replace(x.want, "T", token, 1); !regexp.MustCompile(want).MatchString(row["identifier"]) {
			t.Errorf("%s: identifier %q, want %s", x.name, row["identifier"], want)
		}
		if row["value"] != `{"type":"magic-link","email":"A@example.com","name":"<A>"}` {
			t.Errorf("%s: value %s", x.name, row["value"])
		}
		stored, _ := strings.CutPrefix(row["identifier"], "magic-link:")
		if stored != token {
			h.Client().Get("/magic-link/verify?token=" + url.QueryEscape(stored)).Want(302)
			if h.Count("session") != 0 {
				t.Errorf("%s: what the database holds signs in", x.name)
			}
		}
		h.Client().Get("/magic-link/verify?token=" + token).Want(200)
	}
}

// TestPurposes redeems secrets of other flows here, and ours there (CVE-2026-114607).
func TestPurposes(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{StoreToken: "plain"})
	h.Client().Post("/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": "a good password"}).Want(200)
	h.Client().Post("/request-password-reset", m{"email": "ada@example.com"}).Want(200)
	reset := h.Mail("ada@example.com", "reset-password").Token
	for _, token := range []string{reset, "reset-password:" + reset, "../reset-password:" + reset} {
		location(h.Client().Get("/magic-link/verify?callbackURL=%2Fin&token="+url.QueryEscape(token)), "https://auth.example.com/in?error=INVALID_TOKEN")
	}
	h.Client().Post("/sign-in/magic-link", m{"email": "ada@example.com"}).Want(200)
	token := h.Mail("ada@example.com", "magic-link").Token
	for _, s := range []string{token, "magic-link:" + token} {
		h.Client().Post("/reset-password", m{"token": s, "newPassword": "another password"}).WantCode(400, "INVALID_TOKEN")
		h.Client().Get("/verify-email?token=" + s).Want(401)
	}
	// A value of another flow under our identifier is refused as well.
	ctx := context.Background()
	if err := h.Host.PutVerification(ctx, h.Host.DB(), "magic-link:abc", h.Rows("user")[0]["id"], time.Hour); err != nil {
		t.Fatal(err)
	}
	location(h.Client().Get("/magic-link/verify?token=abc"), "https://auth.example.com/?error=INVALID_TOKEN")
	h.Client().Get("/magic-link/verify?token=" + token).Want(200)
}

// TestLinkHost sends hostile headers: links are made of the configured base URL.
func TestLinkHost(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	h.Client().Do(plugintest.Request{Method: "POST", Path: "/sign-in/magic-link", Body: m{"email": "a@example.com", "metadata": m{"url": "https://evil.example/x"}}, Header: map[string]string{
		"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"}}).Want(200)
	mail := h.Mail("a@example.com", "magic-link")
	if want := "https://auth.example.com/api/auth/magic-link/verify?token=" + mail.Token + "&callbackURL=%2F"; mail.URL != want {
		t.Errorf("the link is %s, want %s", mail.URL, want)
	}
	if !regexp.MustCompile(`^[a-zA-Z]{32}$`).MatchString(mail.Token) {
		t.Errorf("token %q", mail.Token)
	}
}

func TestHeadConsumesNothing(t *testing.T) {
	for _, confirm := range []bool{false, true} {
		h := harness(t, plugintest.SQLite, magiclink.Options{ConfirmOnPost: confirm})
		to := ask(h, "a@example.com", nil)
		for _, method := range []string{"HEAD", "OPTIONS", "PUT"} {
			if a := h.Client().Do(plugintest.Request{Method: method, Path: to}); a.Status != 404 || len(a.Body) != 0 {
				t.Errorf("%s: %d %s", method, a.Status, a.Body)
			}
		}
		if n := h.Count("verification"); n != 1 {
			t.Errorf("the secret is gone")
		}
	}
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	h.Client().Post("/magic-link/verify", m{"token": "x"}).Want(404)
}
