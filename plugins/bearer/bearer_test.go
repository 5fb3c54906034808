package bearer_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/bearer"
	"github.com/sallyport-auth/sallyport/plugintest"
)

const alice = "alice@example.com"

func harness(t testing.TB, o bearer.Options, config func(*core.Config)) *plugintest.Harness {
	t.Helper()
	return plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{door{}, bearer.New(o)}, Config: config})
}

// signed is the decoded value of a client's session cookie.
func signed(t testing.TB, c *plugintest.Client) string {
	t.Helper()
	v, err := url.PathUnescape(c.Cookie("session_token"))
	if err != nil || strings.Count(v, ".") != 1 {
		t.Fatalf("no session cookie: %q %v", v, err)
	}
	return v
}

func raw(t testing.TB, c *plugintest.Client) string {
	t.Helper()
	token, _, _ := strings.Cut(signed(t, c), ".")
	return token
}

// with sends a request that carries an Authorization header.
func with(c *plugintest.Client, method, path, authorization string) *plugintest.Answer {
	r := plugintest.Request{Method: method, Path: path, Header: map[string]string{"authorization": authorization, "origin": ""}}
	if method == "POST" {
		r.Body = plugintest.M{}
	}
	return c.Do(r)
}

// who is whose session a request with the header has; "" for nobody's.
func who(c *plugintest.Client, authorization string) string {
	email, _ := with(c, "GET", "/get-session", authorization).Want(200).Get("user.email").(string)
	return email
}

func TestForms(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	c := h.SignUp(alice)
	sig, token := signed(t, c), raw(t, c)
	encoded := url.QueryEscape(sig)
	_, mac, _ := strings.Cut(sig, ".")
	other := "x" + token[1:]
	if other == token {
		other = "y" + token[1:]
	}
	for name, x := range map[string]struct {
		authorization, want string
		strict              string // with RequireSignature
	}{
		"raw":                     {"Bearer " + token, alice, ""},
		"signed":                  {"Bearer " + sig, alice, alice},
		"signed and encoded":      {"Bearer " + encoded, alice, alice},
		"another case":            {"bEARER " + sig, alice, alice},
		"spaces around":           {"Bearer   " + sig + "  ", alice, alice},
		"quoted":                  {`Bearer "` + sig + `"`, alice, alice},
		"another scheme":          {"Basic " + sig, "", ""},
		"no scheme":               {sig, "", ""},
		"no space":                {"Bearer" + sig, "", ""},
		"empty":                   {"Bearer ", "", ""},
		"no signature":            {"Bearer " + token + ".", "", ""},
		"only a signature":        {"Bearer ." + mac, "", ""},
		"wrong signature":         {"Bearer " + token + "." + strings.Repeat("A", 43) + "=", "", ""},
		"signature without =":     {"Bearer " + strings.TrimSuffix(sig, "="), "", ""},
		"encoded twice":           {"Bearer " + url.QueryEscape(encoded), "", ""},
		"other token, same mac":   {"Bearer " + other + "." + mac, "", ""},
		"unknown token":           {"Bearer " + strings.Repeat("x", 32), "", ""},
		"two tokens":              {"Bearer " + token + " " + token, "", ""},
		"more than 4096 bytes":    {"Bearer " + token + strings.Repeat(" ", 4096), "", ""},
		"signed by another":       {"Bearer " + token + "." + mac[1:] + "=", "", ""},
		"a line feed in it":       {"Bearer " + token + "\n", "", ""},
		"bytes that are no text":  {"Bearer \xff\xfe\x00", "", ""},
		"what the database holds": {"Bearer " + h.Rows("session")[0]["token"], "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := who(h.Client(), x.authorization); got != x.want {
				t.Errorf("session of %q, want %q", got, x.want)
			}
		})
		t.Run(name+", signature required", func(t *testing.T) {
			h := harness(t, bearer.Options{RequireSignature: true}, nil)
			h.SignUp(alice)
			setToken(t, h, token)
			if got := who(h.Client(), x.authorization); got != x.strict {
				t.Errorf("session of %q, want %q", got, x.strict)
			}
		})
	}
}

// setToken gives the only session a token that is known.
func setToken(t testing.TB, h *plugintest.Harness, token string) {
	t.Helper()
	if _, err := h.Host.DB().Exec(context.Background(), "UPDATE {session=} SET {session:token} = ?", token); err != nil {
		t.Fatal(err)
	}
}

// TestVectors presents what Better Auth's own run has recorded.
func TestVectors(t *testing.T) {
	var v struct {
		Secret string `json:"secret"`
		Bearer []struct {
			What          string `json:"what"`
			SetAuthToken  string `json:"set_auth_token"`
			CookieValue   string `json:"cookie_value"`
			Authorization string `json:"authorization"`
			Valid         bool   `json:"valid"`
		} `json:"bearer"`
	}
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	h := harness(t, bearer.Options{}, func(c *core.Config) { c.Secret = v.Secret })
	h.SignUp(alice)
	presented := 0
	for _, x := range v.Bearer {
		if x.SetAuthToken != "" {
			token, _, _ := strings.Cut(x.SetAuthToken, ".")
			if got := h.Host.SignValue(token); got != x.SetAuthToken || url.QueryEscape(got) != x.CookieValue {
				t.Errorf("%s: %q", x.What, got)
			}
			continue
		}
		presented++
		token, _, _ := strings.Cut(strings.TrimPrefix(x.Authorization, "Bearer "), ".")
		setToken(t, h, token)
		if got := who(h.Client(), x.Authorization) == alice; got != x.Valid {
			t.Errorf("%s: valid %v, want %v", x.What, got, x.Valid)
		}
	}
	if presented != 4 {
		t.Errorf("%d vectors were presented", presented)
	}
}

// TestBesideACookie: a good bearer token goes before the cookie, what is none does not
// count, and a token that nobody has is not replaced by the cookie.
func TestBesideACookie(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	a, bob := h.SignUp(alice), h.SignUp("bob@example.com")
	for authorization, want := range map[string]string{
		"Bearer " + raw(t, a):                               alice,
		"Bearer " + signed(t, a):                            alice,
		"Bearer " + raw(t, a) + ".nonsense":                 "bob@example.com",
		"Basic " + signed(t, a):                             "bob@example.com",
		"Bearer 0123456789012345678901234567890123456789ab": "",
	} {
		if got := who(bob.Copy(), authorization); got != want {
			t.Errorf("%s: session of %q, want %q", authorization[:12], got, want)
		}
	}
}

func TestOriginCheck(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	c := h.SignUp(alice)
	update := func(client *plugintest.Client, header map[string]string) *plugintest.Answer {
		header["authorization"] = "Bearer " + signed(t, c)
		return client.Do(plugintest.Request{Method: "POST", Path: "/update-user", Body: plugintest.M{"name": "A"}, Header: header})
	}
	app := h.Client()
	app.Origin = ""
	update(app, map[string]string{}).Want(200)
	update(h.Client(), map[string]string{"origin": "https://evil.example"}).Want(200) // no cookie, so nothing that a browser added
	update(c.Copy(), map[string]string{"origin": "https://evil.example"}).WantCode(403, "INVALID_ORIGIN")
	update(c.Copy(), map[string]string{"origin": ""}).WantCode(403, "MISSING_OR_NULL_ORIGIN")
}

// TestHandsOut goes through a session's life: issued, read, renewed, ended.
func TestHandsOut(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	c := h.SignUp(alice)
	token := signed(t, c)
	app := h.Client()
	a := with(app, "GET", "/get-session", "Bearer "+token).Want(200)
	if a.Value(bearer.Header) != "" || len(a.Values("Set-Cookie")) > 0 {
		t.Errorf("reading a session handed something out: %v", a.Header)
	}
	h.Clock.Advance(25 * time.Hour)
	a = with(app, "GET", "/get-session", "Bearer "+token).Want(200)
	if got := a.Value(bearer.Header); got != token {
		t.Errorf("a renewed session gives %q, want %q", got, token)
	}
	if got := a.Value("Access-Control-Expose-Headers"); got != bearer.Header {
		t.Errorf("exposed: %q", got)
	}
	h.Clock.Advance(6*24*time.Hour + time.Hour) // beyond the first end
	if got := who(app, "Bearer "+token); got != alice {
		t.Errorf("the session was not renewed: %q", got)
	}
	a = with(h.Client(), "POST", "/sign-out", "Bearer "+token).Want(200)
	if a.Value(bearer.Header) != "" {
		t.Error("signing out hands a token out")
	}
	if got := who(h.Client(), "Bearer "+token); got != "" || h.Count("session") != 0 {
		t.Errorf("after signing out: session of %q, %d rows", got, h.Count("session"))
	}
}

// TestIssued: whatever makes a session hands its token out.
func TestIssued(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	h.CreateUser(alice)
	c, header := signIn(t, h, alice)
	if got := header.Get(bearer.Header); got != signed(t, c) {
		t.Errorf("%q, and the cookie is %q", got, signed(t, c))
	}
	if got := header.Get("Access-Control-Expose-Headers"); got != bearer.Header {
		t.Errorf("exposed: %q", got)
	}
}

// TestChallenge: while a second factor is due there is no token, in no header and no body
// (GHSA-4qvm-r4pr-v3wg).
func TestChallenge(t *testing.T) {
	h := harness(t, bearer.Options{}, func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
			e.Challenge("totp")
			return nil
		}))
	})
	h.CreateUser(alice)
	_, header := signIn(t, h, alice)
	if header.Get(bearer.Header) != "" || header.Get("Access-Control-Expose-Headers") != "" || h.Count("session") != 0 {
		t.Errorf("a challenge hands out %v", header)
	}
}

// TestRefused: a hook that refuses behind the sign-in takes the token back.
func TestRefused(t *testing.T) {
	refuse := core.NewError("REFUSED_BY_TEST", 403, "no")
	h := harness(t, bearer.Options{}, func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.Request.After(func(_ context.Context, e *core.RequestEvent) error {
			if e.Call.Issued() != nil {
				return refuse
			}
			return nil
		}))
	})
	h.CreateUser(alice)
	_, header := signIn(t, h, alice)
	if len(header) != 0 {
		t.Errorf("a refused sign-in hands out %v", header)
	}
}

// TestRotatedSecret: a token under an older secret counts, and is given back under the
// current one.
func TestRotatedSecret(t *testing.T) {
	now := "the-secret-of-today-0123456789abcdefghijklmnop"
	h := harness(t, bearer.Options{RequireSignature: true}, func(c *core.Config) {
		c.Secrets = []core.Secret{{Version: 2, Value: now}, {Version: 1, Value: plugintest.Secret}}
		c.Secret = ""
	})
	old := harness(t, bearer.Options{}, nil)
	h.SignUp(alice)
	token := strings.Repeat("q", 32)
	setToken(t, h, token)
	a := with(h.Client(), "GET", "/get-session", "Bearer "+old.Host.SignValue(token)).Want(200)
	if a.Get("user.email") != alice || a.Value(bearer.Header) != h.Host.SignValue(token) {
		t.Errorf("%s, %q", a.Body, a.Value(bearer.Header))
	}
	if got := who(h.Client(), "Bearer "+a.Value(bearer.Header)); got != alice {
		t.Errorf("the new form is a session of %q", got)
	}
}

// TestOtherSignedValues: the MAC of a cookie does not bind its name; the look-up does.
func TestOtherSignedValues(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	c := h.SignUp(alice)
	for _, text := range []string{"true", "2fa-" + raw(t, c), raw(t, c) + "!trust-device-abc", "x." + raw(t, c), c.UserID, h.Rows("session")[0]["id"]} {
		if got := who(h.Client(), "Bearer "+h.Host.SignValue(text)); got != "" {
			t.Errorf("the signed value %q is a session of %q", text, got)
		}
	}
}

// TestRenewedAndRefused: a session that is renewed on the way to a refusal is handed out
// with it, but not where its cookie is not.
func TestRenewedAndRefused(t *testing.T) {
	h := harness(t, bearer.Options{}, nil)
	token := signed(t, h.SignUp(alice))
	app := h.Client()
	if a := with(app, "POST", "/update-user", "Bearer "+token).Want(400); a.Value(bearer.Header) != "" {
		t.Errorf("nothing was due, and %q is handed out", a.Value(bearer.Header))
	}
	h.Clock.Advance(25 * time.Hour)
	a := with(app, "POST", "/update-user", "Bearer "+token).Want(400)
	if a.Value(bearer.Header) != token || a.Value("Access-Control-Expose-Headers") != bearer.Header {
		t.Errorf("a renewed session is handed out as %q, want %q", a.Value(bearer.Header), token)
	}

	h = harness(t, bearer.Options{}, func(c *core.Config) { c.Session.CookieCache.Enabled = true })
	token = signed(t, h.SignUp(alice))
	h.Clock.Advance(25 * time.Hour)
	a = with(h.Client(), "GET", "/list-accounts", "Bearer "+token).Want(200)
	if a.Value(bearer.Header) != "" {
		t.Errorf("without a session cookie, %q is handed out", a.Value(bearer.Header))
	}
	a = with(h.Client(), "GET", "/get-session", "Bearer "+token).Want(200)
	if got := a.Value("Set-Cookie"); !strings.Contains(got, "session_data") {
		t.Errorf("the session was not renewed: %q", got)
	}
}
