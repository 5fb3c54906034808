package plugintest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// ghost is somebody whose sessions are no good.
const ghost = "ghost@example.com"

func checkAccess(c *checker) {
	h := c.harness(SQLite)
	for _, i := range h.Auth.Routes() {
		public := i.Access == core.Public.String()
		switch listed := c.listed(h, c.o.Public, &i); {
		case owned(i) && public && !listed:
			c.fault("%v %s is public and not in Rules.Public", i.Methods, h.below(&i))
		case owned(i) && !public && listed:
			c.fault("%v %s is in Rules.Public and not public", i.Methods, h.below(&i))
		}
	}
	h.SignUp(ghost)
	probed := map[string]bool{}
	probe := func(client *Client, r *Request) {
		i := h.own(r)
		if i == nil || i.Access == core.Public.String() {
			return
		}
		probed[i.Path] = true
		for name, stranger := range c.strangers(h, client) {
			before := h.snapshot()
			a := stranger.send(r)
			if a.Status != 401 {
				c.fault("%s %s with %s answers %d, want 401: %s", r.Method, r.Path, name, a.Status, clip(string(a.Body)))
			}
			if d := before.diff(h.snapshot()); d != "" && name != "an expired session" {
				c.fault("%s %s with %s changes rows:\n%s", r.Method, r.Path, name, d)
			}
		}
	}
	c.walk(h, probe, nil)
	alice := h.SignUp("access@example.com")
	for _, i := range h.Auth.Routes() {
		if owned(i) && !probed[i.Path] && i.Access != core.Public.String() && i.Access != core.ServerOnly.String() {
			probe(alice, h.synth(&i))
		}
	}
}

// strangers are clients whose cookies must not count.
func (c *checker) strangers(h *Harness, client *Client) map[string]*Client {
	value := client.Cookie("session_token")
	if value == "" {
		value = h.SignIn(ghost).Cookie("session_token")
	}
	raw, err := url.QueryUnescape(value)
	if err != nil {
		c.t.Fatalf("plugintest: the session cookie %q cannot be read: %v", value, err)
	}
	token, mac, _ := strings.Cut(raw, ".")
	with := func(v string) *Client {
		s := h.Client()
		s.SetCookie("session_token", url.QueryEscape(v))
		return s
	}
	expired := h.SignIn(ghost)
	expired.SetCookie("session_data", "")
	past := h.Clock.Now().Add(-time.Second)
	if _, err := h.Host.DB().Exec(context.Background(), "UPDATE {session=} SET {session:expiresAt} = ? WHERE {session.userId} = ?", past, expired.UserID); err != nil {
		c.t.Fatalf("plugintest: %v", err)
	}
	out := map[string]*Client{"no session": h.Client(), "an expired session": expired, "an altered signature": with(token + "." + flip(mac)),
		"an altered token": with(flip(token) + "." + mac), "a signature by another secret": with(sign("another-secret-of-another-server-0123456789", token)),
		"no signature": with(token)}
	rows := h.Rows("session")
	if i := slices.IndexFunc(rows, func(r Row) bool { return r["userId"] == client.UserID }); i >= 0 && strings.HasPrefix(rows[i]["token"], "sha256:") {
		out["what the database stores"] = with(sign(Secret, rows[i]["token"]))
	}
	return out
}

// sign makes a signed cookie's value: value, dot, HMAC-SHA-256 in base64.
func sign(secret, value string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(value))
	return value + "." + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func flip(s string) string {
	if s == "" {
		return "x"
	}
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

func checkOrigin(c *checker) {
	h := c.harness(SQLite)
	alice := h.SignUp("origin@example.com")
	probed := map[string]bool{}
	probe := func(client *Client, r *Request) {
		i := h.own(r)
		if i == nil || r.Method == "GET" {
			return
		}
		probed[i.Path] = true
		if len(client.cookies) == 0 {
			client = alice
		}
		for name, header := range map[string]map[string]string{
			"a foreign Origin":  {"origin": "https://evil.example"},
			"the Origin null":   {"origin": "null"},
			"no Origin at all":  {"origin": ""},
			"a similar Origin":  {"origin": h.Host.BaseURL() + ".evil.example"},
			"a foreign Referer": {"origin": "", "referer": "https://evil.example/" + h.Host.BaseURL()},
		} {
			forged := *r
			forged.Header = map[string]string{}
			for k, v := range r.Header {
				forged.Header[strings.ToLower(k)] = v
			}
			for k, v := range header {
				forged.Header[k] = v
			}
			before := h.snapshot()
			a := client.send(&forged)
			if a.Status != 403 && !h.otherForm(&forged) {
				c.fault("%s %s with %s and a cookie answers %d, want 403: %s", r.Method, r.Path, name, a.Status, clip(string(a.Body)))
			}
			if d := before.diff(h.snapshot()); d != "" {
				c.fault("%s %s with %s and a cookie changes rows:\n%s", r.Method, r.Path, name, d)
			}
		}
	}
	c.walk(h, probe, nil)
	for _, i := range h.Auth.Routes() {
		if owned(i) && !probed[i.Path] && i.Access != core.ServerOnly.String() && !slices.Contains(i.Methods, "GET") {
			probe(alice, h.synth(&i))
		}
	}
}

func checkGet(c *checker) {
	h := c.harness(SQLite)
	var before snapshot
	c.walk(h, func(_ *Client, r *Request) {
		if before = nil; r.Method == "GET" && h.own(r) != nil {
			before = h.snapshot()
		}
	}, func(_ *Client, r *Request, _ *Answer) {
		if before == nil || c.listed(h, c.o.Redeems, h.own(r)) || h.mailed(r.Path) {
			return
		}
		if d := before.diff(h.snapshot()); d != "" && !onlySessions(d) {
			c.fault("GET %s changes rows without a secret that was mailed: any site could have a browser send it\n%s", r.Path, d)
		}
	})
}

// onlySessions tells whether nothing but sessions changed: those are renewed and
// cleaned up by whoever reads them.
func onlySessions(diff string) bool {
	for line := range strings.SplitSeq(diff, "\n") {
		if !strings.HasPrefix(line[2:], "session:") {
			return false
		}
	}
	return true
}

// mailed tells whether a path holds a secret of a message.
func (h *Harness) mailed(path string) bool {
	for _, m := range h.Outbox.All() {
		if m.Token != "" && strings.Contains(path, m.Token) || m.OTP != "" && strings.Contains(path, m.OTP) {
			return true
		}
	}
	return false
}
