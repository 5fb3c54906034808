package v1_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// endpoint is one line of the table: what a good request looks like, and what it takes.
type endpoint struct {
	method, path string
	// body of a good request. nil: the endpoint reads none.
	body func(c *old) any
	// public endpoints answer anybody.
	public bool
	// cookie endpoints take no access token.
	cookie bool
	// stateless endpoints need no database.
	stateless bool
	// wrong is a body of the wrong type; nil where the endpoint reads no member.
	wrong any
	// ok is the status of a good request in the table, where what it refers to is not there.
	ok int
}

func fixed(body any) func(*old) any { return func(*old) any { return body } }

var table = []endpoint{
	{method: "GET", path: a + "/signup-status", public: true},
	{method: "POST", path: a + "/register", public: true, body: fixed(m{"email": "new@example.com", "password": pass}), wrong: m{"email": 1, "password": pass}, ok: 409},
	{method: "POST", path: a + "/login", public: true, body: fixed(m{"email": "alice@example.com", "password": pass}), wrong: m{"email": "alice@example.com", "password": m{}}},
	{method: "POST", path: a + "/session-to-token", cookie: true},
	{method: "POST", path: a + "/refresh", public: true, body: func(c *old) any { return m{"refreshToken": c.refresh} }, wrong: m{"refreshToken": 1}},
	{method: "POST", path: a + "/validate", public: true, body: func(c *old) any { return m{"token": c.spare} }, wrong: m{"token": nil}},
	{method: "POST", path: a + "/logout", public: true, body: fixed(m{})},
	{method: "GET", path: a + "/session", public: true},
	{method: "GET", path: a + "/profile", public: true},
	{method: "POST", path: a + "/profile", body: fixed(m{"name": "A"}), wrong: m{"name": 1}},
	{method: "POST", path: a + "/change-email", body: fixed(m{"newEmail": "other@example.com"}), wrong: m{"newEmail": true}},
	{method: "POST", path: a + "/change-password", body: fixed(m{"currentPassword": pass, "newPassword": pass}), wrong: m{"currentPassword": 1, "newPassword": pass}},
	{method: "POST", path: a + "/forgot-password", public: true, body: fixed(m{"email": "alice@example.com"})},
	{method: "POST", path: a + "/reset-password", public: true, body: fixed(m{"token": "nobody's", "newPassword": pass}), wrong: m{"token": 1, "newPassword": pass}, ok: 400},
	{method: "POST", path: a + "/resend-verification", public: true, body: fixed(m{"email": "nobody@example.com"}), wrong: m{"email": 1}, ok: 400},
	{method: "GET", path: a + "/security-events"},
	{method: "GET", path: a + "/sessions"},
	{method: "DELETE", path: a + "/sessions/unknown"},
	{method: "GET", path: a + "/jwks", public: true},
	{method: "GET", path: a + "/passkeys/capability", public: true, stateless: true},
	{method: "POST", path: a + "/passkeys/register/options", body: fixed(m{})},
	{method: "POST", path: a + "/passkeys/register/verify", body: fixed(m{"response": m{}}), wrong: `[]`, ok: 400},
	{method: "POST", path: a + "/passkeys/authenticate/options", public: true, body: fixed(m{})},
	{method: "POST", path: a + "/passkeys/authenticate/verify", public: true, stateless: true, body: fixed(m{"response": m{"id": "x"}}), wrong: m{"response": 1}, ok: 400},
	{method: "GET", path: a + "/passkeys"},
	{method: "DELETE", path: a + "/passkeys/unknown", ok: 404},
	{method: "PATCH", path: a + "/passkeys/unknown", body: fixed(m{"name": "X"}), wrong: m{"name": 1}, ok: 404},
	{method: "GET", path: me + "/data"},
	{method: "GET", path: me + "/data/export"},
	{method: "PATCH", path: me + "/profile", body: fixed(m{"name": "A"}), wrong: m{"name": 1}},
	{method: "DELETE", path: a + "/account", body: fixed(m{"password": pass}), wrong: m{"password": 1}},
	{method: "DELETE", path: me + "/data", body: fixed(m{"password": pass}), wrong: m{"password": 1}},
}

// send sends the good request of a line.
func (e *endpoint) send(c *old) *reply {
	c.t.Helper()
	if e.body == nil {
		return c.do(e.method, e.path, nil)
	}
	return c.do(e.method, e.path, e.body(c))
}

func (e *endpoint) good() int {
	if e.ok == 0 {
		return 200
	}
	return e.ok
}

// TestTable: every endpoint, with every way to be somebody or nobody, and with every kind
// of broken request.
func TestTable(t *testing.T) {
	for _, e := range table {
		t.Run(e.method+" "+e.path, func(t *testing.T) {
			h, c := start(t, setup{o: v1.Options{MaxDailySignUps: 100}})
			c.spare = c.access
			revoked := newOld(t, h, c.url).signUp("revoked@example.com")
			revoked.plain, revoked.spare = true, c.access
			revoked.post(a+"/logout", m{}).want(200)
			nobody := newOld(t, h, c.url)
			nobody.plain, nobody.spare = true, c.access

			// Nobody, and somebody whose session has ended.
			for _, who := range []*old{nobody, revoked} {
				switch r := e.send(who); {
				case e.path == a+"/refresh":
					r.fails(401, core.ClassTokenExpired)
				case strings.HasSuffix(e.path, "/session") || e.method == "GET" && e.path == a+"/profile":
					if r.want(200); string(r.body) != "null" {
						t.Errorf("a session: %s", r.body)
					}
				case !e.public:
					r.fails(401, core.ClassUnauthorized)
				case e.path == a+"/register": // the second is known
				default:
					if r.status >= 500 || r.status == 401 {
						t.Errorf("%d %s", r.status, r.body)
					}
				}
			}

			// What cannot be read.
			if e.method != "GET" {
				for name, r := range map[string]*reply{
					"broken JSON": c.do(e.method, e.path, `{"email":`),
					"a list":      c.do(e.method, e.path, `[]`),
				} {
					switch {
					case e.path == a+"/forgot-password":
						r.want(200)
					case name == "a list" && e.wrong == nil: // nothing is read of it
						if r.status >= 500 {
							t.Errorf("%s: %d %s", name, r.status, r.body)
						}
					case e.cookie:
						if r.status != 400 && r.status != 401 {
							t.Errorf("%s: %d %s", name, r.status, r.body)
						}
					default:
						r.fails(400, core.ClassValidation)
					}
				}
				if e.path != a+"/forgot-password" {
					c.do(e.method, e.path, `{}`, "Content-Type", "text/plain").fails(415, core.ClassValidation)
					c.do(e.method, e.path, `a=b`, "Content-Type", "application/x-www-form-urlencoded").fails(415, core.ClassValidation)
					c.do(e.method, e.path, `{"x":"`+strings.Repeat("x", 1<<20)+`"}`).fails(413, core.ClassValidation)
				}
			}
			if e.wrong != nil {
				c.do(e.method, e.path, e.wrong).fails(400, core.ClassValidation)
			}

			// From a foreign page, with the cookie; and another method.
			c.plain = false
			if e.method != "GET" && e.path != a+"/forgot-password" {
				c.do(e.method, e.path, m{}, "Origin", "https://evil.example", "Authorization", "").fails(400, core.ClassValidation)
			}
			if !strings.HasPrefix(e.path, me) {
				c.do("PUT", e.path, m{}).fails(404, core.ClassNotFound)
			}

			// By cookie and by access token.
			fresh := newOld(t, h, c.url).signUp("fresh@example.com")
			fresh.access = ""
			fresh.spare = c.access
			if r := e.send(fresh); r.status != e.good() {
				t.Errorf("by cookie: %d %s", r.status, r.body)
			}
			c.plain, c.access = true, c.spare
			r := e.send(c)
			switch {
			case e.cookie:
				r.fails(401, core.ClassUnauthorized)
			case r.status != e.good():
				t.Errorf("by access token: %d %s", r.status, r.body)
			}
		})
	}
}

// TestBrokenDatabase: without its tables the server answers 503 everywhere, counts nobody
// as wrong, and goes on where it was when they are back.
func TestBrokenDatabase(t *testing.T) {
	both(t, setup{o: v1.Options{MaxDailySignUps: 100}}, func(t *testing.T, h *plugintest.Harness, url string) {
		c := newOld(t, h, url).signUp("alice@example.com")
		c.spare = c.access
		tables := []string{"user", "session", "account", "verification", "v1Refresh", "v1SignUp", "jwks", "passkey"}
		rename := func(sql string) {
			t.Helper()
			for _, name := range tables {
				if _, err := h.Host.DB().Exec(context.Background(), fmt.Sprintf(sql, "{"+name+"}", "gone_"+strings.ToLower(name))); err != nil {
					t.Fatal(err)
				}
			}
		}
		rename("ALTER TABLE %s RENAME TO %s")
		for _, e := range table {
			for _, plain := range []bool{false, true} {
				c.plain, c.access = plain, ""
				if plain {
					c.access = c.spare
				}
				for range 6 { // more often than a lock takes
					r := e.send(c)
					switch {
					case e.stateless: // but for the access token, whose key is read
						if r.status >= 500 && !plain {
							t.Errorf("%s: %d %s", r.what, r.status, r.body)
						}
					case plain && e.cookie:
						r.fails(401, core.ClassUnauthorized)
					default:
						r.fails(503, core.ClassServiceUnavailable)
					}
				}
			}
		}
		for _, row := range h.Rows("attempt") { // of the good sign-in before
			if row["failures"] != "0" || row["leases"] != "0" || row["lockedUntil"] != "" {
				t.Errorf("somebody was counted: %s", row)
			}
		}
		schema, names, _ := h.Auth.Schema()
		for _, name := range tables {
			if schema.Table(name) == nil {
				t.Fatal(name)
			}
			sql := "ALTER TABLE gone_" + strings.ToLower(name) + " RENAME TO " + `"` + names.Table(name) + `"`
			if _, err := h.Host.DB().Exec(context.Background(), sql); err != nil {
				t.Fatal(err)
			}
		}
		c.plain, c.access = true, ""
		c.keep(c.login("alice@example.com").want(200))
		c.get(me + "/data").want(200)
	})
}

// TestLockout: the facade and the endpoints below the base path count together, and the
// spelling of an address does not matter.
func TestLockout(t *testing.T) {
	h, _ := start(t, setup{})
	c := newOld(t, h, listen(t, h, "fiber"))
	for i := range 5 {
		path, email := a+"/login", "alice@example.com"
		if i%2 == 1 {
			path, email = "/api/auth/sign-in/email", "ALICE@example.com"
		}
		c.post(path, m{"email": email, "password": "wrong password"}).want(401)
	}
	r := c.login("Alice@Example.com").fails(429, core.ClassAccountLocked)
	if s, _ := r.get("retryAfterSec").(float64); s < 1790 || s > 1800 {
		t.Errorf("retryAfterSec %v", s)
	}
}

func TestRateLimit(t *testing.T) {
	yes := true
	h := setup{config: func(c *core.Config) { c.RateLimit.Enabled = &yes; c.RateLimit.Max = 2 }}.start(t)
	c := newOld(t, h, listen(t, h, "net/http"))
	for range 2 {
		c.post(a+"/validate", m{"token": "x"}).want(200)
	}
	c.post(a+"/validate", m{"token": "x"}).fails(429, core.ClassRateLimited)
	for range 3 { // a limit of its own
		c.post(a+"/forgot-password", m{"email": "x@example.com"}).want(200)
	}
	c.post(a+"/forgot-password", m{"email": "x@example.com"}).fails(429, core.ClassRateLimited)
}

// TestURLs: mailed links lead where the server trusts, and nowhere else.
func TestURLs(t *testing.T) {
	h, c := start(t, setup{})
	for _, u := range []string{"https://evil.example/x", "//evil.example", "javascript:alert(1)", "https://app.mana.example.evil.example"} {
		c.post(a+"/register", m{"email": "u@example.com", "password": pass, "sourceAppUrl": u}).fails(400, core.ClassValidation)
		c.post(a+"/resend-verification", m{"email": "alice@example.com", "sourceAppUrl": u}).fails(400, core.ClassValidation)
		c.post(a+"/login", m{"email": "alice@example.com", "password": pass, "sourceAppUrl": u}).fails(400, core.ClassValidation)
		c.post(a+"/forgot-password", m{"email": "alice@example.com", "redirectTo": u}).want(200)
	}
	h.RunJobs()
	for _, msg := range h.Outbox.All() {
		if strings.Contains(msg.URL, "evil") {
			t.Errorf("mailed: %s", msg.URL)
		}
	}
	c.post(a+"/register", m{"email": "v@example.com", "password": pass, "sourceAppUrl": nil}).want(200)
}

// TestAccounts: what strangers learn of an address.
func TestAccounts(t *testing.T) {
	_, c := start(t, setup{})
	c.post(a+"/register", m{"email": "alice@example.com", "password": pass}).fails(409, core.ClassEmailRegistered)
	h, _ := start(t, setup{verify: true})
	d := newOld(t, h, listen(t, h, "net/http"))
	known := d.post(a+"/register", m{"email": "alice@example.com", "password": pass}).want(200)
	unknown := d.post(a+"/register", m{"email": "other@example.com", "password": pass}).want(200)
	if len(known.body) != len(unknown.body) || known.get("token") != nil {
		t.Errorf("%s\n%s", known.body, unknown.body)
	}
	for _, email := range []string{"alice@example.com", "nobody@example.com", "no address", ""} {
		if r := d.post(a+"/forgot-password", m{"email": email}).want(200); string(r.body) != `{"success":true}` {
			t.Errorf("%s: %s", email, r.body)
		}
	}
}

// TestWithoutPasskeys: the paths are there, and say what they are.
func TestWithoutPasskeys(t *testing.T) {
	_, c := start(t, setup{noPasskey: true})
	for _, e := range table {
		if strings.HasPrefix(e.path, a+"/passkeys") {
			e.send(c).fails(404, core.ClassPasskeyNotEnabled)
		}
	}
	c.get(a+"/nothing").fails(404, core.ClassNotFound)
	if r := c.get(me + "/nothing"); r.status != 404 || strings.Contains(string(r.body), "NOT_FOUND") {
		t.Errorf("the app's own path: %d %s", r.status, r.body)
	}
}

// TestTableIsWhole: the table and the documentation have every endpoint, and no other.
func TestTableIsWhole(t *testing.T) {
	h := setup{}.start(t)
	page, err := os.ReadFile("../../docs/api-v1.md")
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, r := range h.Auth.Routes() {
		served = append(served, r.Aliases...)
		if strings.HasPrefix(r.Path, "/api/v1/") {
			served = append(served, r.Methods[0]+" "+r.Path)
		}
	}
	var lines []string
	for _, e := range table {
		lines = append(lines, e.method+" "+strings.Replace(e.path, "/unknown", "/:id", 1))
	}
	for _, s := range served {
		if !slices.Contains(lines, s) {
			t.Errorf("the table lacks %s", s)
		}
		method, path, _ := strings.Cut(s, " ")
		if !strings.Contains(string(page), "| `"+method+" "+path+"` |") {
			t.Errorf("docs/api-v1.md lacks %s", s)
		}
	}
	for _, l := range lines {
		if !slices.Contains(served, l) {
			t.Errorf("nobody serves %s", l)
		}
	}
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			if name, _, _ = strings.Cut(name, "`"); strings.Contains(name, " /api/") && !slices.Contains(served, name) {
				t.Errorf("docs/api-v1.md has %s, which nobody serves", name)
			}
		}
	}
	for _, class := range core.Classes() {
		if !strings.Contains(string(page), "`"+string(class)+"`") {
			t.Errorf("docs/api-v1.md lacks %s", class)
		}
	}
}
