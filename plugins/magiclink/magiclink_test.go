package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

// link is the path of a mailed link below the base path.
func link(h *plugintest.Harness, to string) string {
	h.T.Helper()
	u := h.Mail(to, "magic-link").URL
	path, ok := strings.CutPrefix(u, h.Host.URL(""))
	if !ok {
		h.T.Fatalf("the link is %s", u)
	}
	return path
}

func ask(h *plugintest.Harness, email string, more m) string {
	h.T.Helper()
	body := m{"email": email}
	for k, v := range more {
		body[k] = v
	}
	h.Client().Post("/sign-in/magic-link", body).Want(200)
	return link(h, email)
}

func location(a *plugintest.Answer, want string) {
	if got := a.Value("Location"); a.Status != 302 || got != want {
		panic(fmt.Sprintf("%s: %d to %q, want %q", a.What, a.Status, got, want))
	}
}

func journey(h *plugintest.Harness) {
	c := h.Client()
	c.Get(ask(h, "new@example.com", m{"name": "New", "callbackURL": "/in", "newUserCallbackURL": "/new", "errorCallbackURL": "/bad", "metadata": m{"a": 1}})).Want(302)
	c.Get("/get-session").Want(200)
	token := h.Client()
	token.Get(strings.TrimSuffix(ask(h, "new@example.com", nil), "&callbackURL=%2F")).Want(200)
	h.CreateUser("unproven@example.com", func(u *core.User) { u.EmailVerified = false })
	h.Client().Get(ask(h, "unproven@example.com", nil)).Want(302)
}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return magiclink.New(magiclink.Options{}) }, plugintest.Options{
		Rules: plugintest.Rules{Journey: journey, Public: []string{"/sign-in/magic-link", "/magic-link/verify"}}})
}

func TestRulesConfirm(t *testing.T) {
	confirmed := func(h *plugintest.Harness) {
		c := h.Client()
		page := c.Get(ask(h, "page@example.com", nil)).Want(200)
		r := form(page)
		r.Header = map[string]string{"content-type": r.Header["content-type"]} // the kit tries origins of its own
		c.Do(r).Want(302)
	}
	plugintest.Check(t, func() core.Plugin { return magiclink.New(magiclink.Options{ConfirmOnPost: true}) }, plugintest.Options{
		Rules: plugintest.Rules{Journey: confirmed, Public: []string{"/sign-in/magic-link", "/magic-link/verify"}, NoPostgres: true}})
}

func harness(t *testing.T, e plugintest.Engine, o magiclink.Options) *plugintest.Harness {
	return plugintest.New(t, plugintest.Options{Database: e, Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), magiclink.New(o)}})
}

var engines = []plugintest.Engine{plugintest.SQLite, plugintest.Postgres}

func TestSignUpAndIn(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, magiclink.Options{})
		c := h.Client()
		to := ask(h, "Ada@Example.com", m{"name": "Ada", "callbackURL": "/in?x=1#f", "newUserCallbackURL": "https://auth.example.com/new"})
		location(c.Get(to), "https://auth.example.com/new")
		a := c.Get("/get-session").Want(200)
		if a.Get("user.email") != "ada@example.com" || a.Get("user.name") != "Ada" || a.Get("user.emailVerified") != true {
			t.Errorf("%s: %s", e, a.Body)
		}
		location(h.Client().Get(to), "https://auth.example.com/in?x=1&error=INVALID_TOKEN#f")
		location(h.Client().Get(ask(h, "ada@example.com", m{"callbackURL": "/in?x=1#f"})), "https://auth.example.com/in?x=1#f")
		if n := h.Count("user"); n != 1 {
			t.Errorf("%s: %d users", e, n)
		}
		if rows := h.Rows("session"); rows[0]["amr"] != "email" || rows[0]["aal"] != "1" {
			t.Errorf("%s: the session was proved by %q at level %q", e, rows[0]["amr"], rows[0]["aal"])
		}
		if n := h.Count("verification"); n != 0 {
			t.Errorf("%s: %d secrets are left", e, n)
		}
	}
}

func TestAnswerWithoutCallback(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	h.Client().Post("/sign-in/magic-link", m{"email": "bob@example.com"}).Want(200)
	c := h.Client()
	a := c.Get("/magic-link/verify?token=" + h.Mail("bob@example.com", "magic-link").Token).Want(200)
	if a.Text("token") == "" || a.Text("user.email") != "bob@example.com" || a.Text("session.token") != a.Text("token") || a.Text("session.userId") != a.Text("user.id") {
		t.Errorf("%s", a.Body)
	}
	c.Get("/get-session").Want(200).Text("session.id")
}

func TestDisableSignUp(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{DisableSignUp: true})
	known, unknown := h.Client(), h.Client()
	h.CreateUser("known@example.com")
	a := known.Post("/sign-in/magic-link", m{"email": "known@example.com"}).Want(200)
	b := unknown.Post("/sign-in/magic-link", m{"email": "unknown@example.com"}).Want(200)
	if string(a.Body) != string(b.Body) || len(a.Header) != len(b.Header) {
		t.Errorf("known: %s, unknown: %s", a.Body, b.Body)
	}
	location(known.Get(link(h, "known@example.com")), "https://auth.example.com/")
	to := link(h, "unknown@example.com")
	location(unknown.Get(to), "https://auth.example.com/?error=new_user_signup_disabled")
	location(unknown.Get(to), "https://auth.example.com/?error=INVALID_TOKEN")
	if n := h.Count("user"); n != 1 {
		t.Errorf("%d users", n)
	}
}

// TestClaim is GHSA-qq9h-g4jm-xgf3: nothing of whoever made the account before stays.
func TestClaim(t *testing.T) {
	for _, e := range engines {
		h := harness(t, e, magiclink.Options{})
		eve := h.Client()
		eve.Post("/sign-up/email", m{"name": "Eve", "email": "victim@example.com", "password": "evil password"}).Want(200)
		h.Client().Post("/request-password-reset", m{"email": "victim@example.com"}).Want(200)
		reset := h.Mail("victim@example.com", "reset-password").Token
		owner := h.Client()
		owner.Get(ask(h, "victim@example.com", nil)).Want(302)
		if a := eve.Get("/get-session").Want(200); a.Get("user") != nil {
			t.Errorf("%s: the session made before is still good: %s", e, a.Body)
		}
		h.Client().Post("/sign-in/email", m{"email": "victim@example.com", "password": "evil password"}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
		h.Client().Post("/reset-password", m{"token": reset, "newPassword": "another password"}).WantCode(400, "INVALID_TOKEN")
		if a := owner.Get("/get-session").Want(200); a.Get("user.emailVerified") != true {
			t.Errorf("%s: %s", e, a.Body)
		}
		if n := h.Count("account"); n != 0 {
			t.Errorf("%s: %d accounts are left", e, n)
		}
	}
}

// TestProvenKeepsPassword is the other side: a proved address was the owner's before.
func TestProvenKeepsPassword(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	c := h.Client()
	c.Post("/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": "a good password"}).Want(200)
	h.Client().Get(ask(h, "ada@example.com", nil)).Want(302)
	h.Client().Post("/sign-in/email", m{"email": "ada@example.com", "password": "a good password"}).WantCode(401, "INVALID_EMAIL_OR_PASSWORD")
	// The first link claimed the account; now it is proved, and a password stays.
	if _, err := emailpassword.SetPassword.Call(context.Background(), h.Auth, emailpassword.SetPasswordInput{NewPassword: "a good password"},
		core.WithHeader(h.SignIn("ada@example.com").Headers())); err != nil {
		t.Fatal(err)
	}
	h.Client().Get(ask(h, "ada@example.com", nil)).Want(302)
	h.Client().Post("/sign-in/email", m{"email": "ada@example.com", "password": "a good password"}).Want(200)
}

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

func TestCallbacks(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{})
	codes := map[string]string{"callbackURL": "INVALID_CALLBACK_URL", "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL", "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL"}
	to := ask(h, "a@example.com", nil)
	for _, bad := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "https://auth.example.com.evil.example", "http://auth.example.com/"} {
		for name, code := range codes {
			h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com", name: bad}).WantCode(403, code)
			path, _, _ := strings.Cut(to, "&")
			h.Client().Get(path+"&"+name+"="+url.QueryEscape(bad)).WantCode(403, "INVALID_CALLBACK_URL")
		}
	}
	h.NoMail("a@example.com")
	location(h.Client().Get(to), "https://auth.example.com/") // refusals used nothing up
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

var field = regexp.MustCompile(`name="([a-zA-Z]+)" value="([^"]*)"`)

// form sends the form of a page.
func form(a *plugintest.Answer) plugintest.Request {
	values := url.Values{}
	for _, f := range field.FindAllStringSubmatch(string(a.Body), -1) {
		values.Set(f[1], strings.NewReplacer("&#43;", "+", "&amp;", "&").Replace(f[2]))
	}
	return plugintest.Request{Method: "POST", Path: "/magic-link/verify", Body: values.Encode(), Header: map[string]string{
		"content-type": "application/x-www-form-urlencoded", "origin": "null", "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "accept": "text/html"}}
}

func TestConfirmOnPost(t *testing.T) {
	h := harness(t, plugintest.SQLite, magiclink.Options{ConfirmOnPost: true})
	to := ask(h, "a@example.com", m{"callbackURL": "/in?a=1&b=2", "newUserCallbackURL": "/new"})
	h.Client().Get(to).Want(200) // a scanner, however often
	h.Client().Get(to).Want(200)
	c := h.Client()
	page := c.Get(to).Want(200)
	csp := page.Value("Content-Security-Policy")
	if !strings.Contains(csp, "form-action 'self' https://auth.example.com;") || !strings.Contains(csp, "default-src 'none'") || page.Value("Cache-Control") != "no-store" {
		t.Errorf("policy %q, cache %q", csp, page.Value("Cache-Control"))
	}
	if h.Count("session") != 0 || h.Count("verification") != 1 {
		t.Fatal("GET has used the link up")
	}
	refusal := "https://auth.example.com/in?a=1&b=2&error=CONFIRMATION_FAILED"
	location(h.Client().Do(form(page)), refusal) // another browser
	stranger := h.Client()
	stranger.Get(to).Want(200)
	location(stranger.Do(form(page)), refusal) // another browser that was shown a page of its own
	other := c.Get(ask(h, "b@example.com", nil)).Want(200)
	mixed := form(other)
	mixed.Body = strings.Replace(form(page).Body.(string), regexp.MustCompile(`confirmation=[^&]+`).FindString(form(page).Body.(string)),
		regexp.MustCompile(`confirmation=[^&]+`).FindString(mixed.Body.(string)), 1)
	location(c.Do(mixed), refusal) // the confirmation of another link
	cross := form(page)
	cross.Header["sec-fetch-site"] = "cross-site"
	if a := c.Do(cross); a.Status != 403 {
		t.Errorf("from another site: %d", a.Status)
	}
	location(c.Do(form(page)), "https://auth.example.com/new")
	location(c.Do(form(page)), "https://auth.example.com/in?a=1&b=2&error=INVALID_TOKEN")
	location(c.Do(form(other)), "https://auth.example.com/") // the page that was opened later still works
	c.Get("/get-session").Want(200).Text("user.email")
	location(h.Client().Get(to), "https://auth.example.com/in?a=1&b=2&error=INVALID_TOKEN")
}

// TestChallenge follows a link as somebody with a second factor.
func TestChallenge(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})}, Config: func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
			e.Challenge("totp")
			return nil
		}))
	}})
	c := h.Client()
	location(c.Do(plugintest.Request{Method: "GET", Path: ask(h, "a@example.com", m{"callbackURL": "/in"}), Header: map[string]string{"sec-fetch-mode": "navigate"}}),
		"https://auth.example.com/in?twoFactorRedirect=true&twoFactorMethods=totp")
	a := c.Get(ask(h, "a@example.com", nil)).Want(200)
	if a.Get("twoFactorRedirect") != true || a.Get("token") != nil || a.Get("session") != nil {
		t.Errorf("%s", a.Body)
	}
	if h.Count("session") != 0 || c.Cookie("session_token") != "" {
		t.Error("there is a session before the second factor")
	}
}

// TestFailure breaks the database in the middle: the answer is 503, and the link works
// once it is mended.
func TestFailure(t *testing.T) {
	broken := true
	refuse := core.NewError("NO_NEW_USERS", 403, "No new users")
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})}, Config: func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SessionCreate.Before(func(context.Context, *core.SessionEvent) error {
			if broken {
				return errors.New("the disk is gone")
			}
			return nil
		}), core.UserCreate.Before(func(_ context.Context, e *core.UserCreateEvent) error {
			if e.Method != "magic-link" {
				return fmt.Errorf("method %q", e.Method)
			}
			if e.User.Email == "no@example.com" {
				return refuse
			}
			return nil
		}))
	}})
	to := ask(h, "a@example.com", nil)
	if a := h.Client().Get(to); a.Status < 500 {
		t.Fatalf("%d", a.Status)
	}
	if h.Count("user") != 0 {
		t.Error("half of it has happened")
	}
	broken = false
	location(h.Client().Get(to), "https://auth.example.com/")
	location(h.Client().Get(ask(h, "no@example.com", m{"errorCallbackURL": "/bad"})), "https://auth.example.com/bad?error=NO_NEW_USERS&error_description=No+new+users")
}

func TestFaultsOfOptions(t *testing.T) {
	for want, o := range map[string]magiclink.Options{
		"expiresIn":        {ExpiresIn: 86401},
		"rateLimit":        {RateLimit: magiclink.Limit{Max: -1}},
		"is not \"plain\"": {StoreToken: "md5"},
		"needs Options":    {StoreToken: "custom"},
		"is set and not":   {Hash: func(string) (string, error) { return "", nil }},
	} {
		_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(o)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{ExpiresIn: -1})}, Config: func(c *core.Config) { c.Mailer = nil }})
	if err == nil || !strings.Contains(err.Error(), "expiresIn") || !strings.Contains(err.Error(), "mailer") {
		t.Errorf("not every fault is named: %v", err)
	}
}

func TestGenerateToken(t *testing.T) {
	short := magiclink.New(magiclink.Options{GenerateToken: func(string) (string, error) { return "1234", nil }})
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{short}})
	if a := h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com"}); a.Status != 500 || h.Count("verification") != 0 {
		t.Errorf("a guessable token is sent: %d %s", a.Status, a.Body)
	}
	long := magiclink.New(magiclink.Options{GenerateToken: func(email string) (string, error) { return email + "-0123456789+0123456789", nil }})
	h = plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{long}})
	location(h.Client().Get(ask(h, "a@example.com", nil)), "https://auth.example.com/")
}

func TestRateLimit(t *testing.T) {
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})}, Config: func(c *core.Config) {
		on := true
		c.RateLimit.Enabled = &on
	}})
	for range 5 {
		h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com"}).Want(200)
		h.Client().Get("/magic-link/verify?token=x").Want(302)
	}
	h.Client().Post("/sign-in/magic-link", m{"email": "a@example.com"}).WantCode(429, "TOO_MANY_REQUESTS")
	h.Client().Get("/magic-link/verify?token=x").WantCode(429, "TOO_MANY_REQUESTS")
}
