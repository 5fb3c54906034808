package plugintest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// secretName is what a member is called that nobody else may read.
var secretName = regexp.MustCompile(`(?i)password|secret|token|otp|^code$|backupcode|privatekey`)

// checkSecrets collects every secret that passes by and then looks for it where it has
// no business.
func checkSecrets(c *checker) {
	h := c.harness(SQLite)
	typed, issued := map[string]string{}, map[string]string{} // value to what it is
	type exchanged struct {
		r       Request
		a       *Answer
		carries bool
	}
	var log []exchanged
	c.walk(h, func(client *Client, r *Request) { note(client, issued) }, func(client *Client, r *Request, a *Answer) {
		raw, _ := json.Marshal(r.Body) //nolint:errcheck // it was sent as JSON before
		var body any
		_ = json.Unmarshal(raw, &body) // a form or broken text has no members
		gather(body, typed)
		note(client, issued)
		if i := h.own(r); i != nil {
			log = append(log, exchanged{*r, a, c.listed(h, c.o.Carries, i)})
		}
	})
	h.RunJobs()
	for _, m := range h.Outbox.All() {
		add(typed, m.Token, "a mailed token")
		add(typed, m.OTP, "a mailed code")
	}
	text := h.Logs.String()
	hidden := h.hidden()
	for name, v := range hidden {
		if contains(text, v) {
			c.fault("the log holds the hidden column %s", name)
		}
	}
	for _, list := range []map[string]string{typed, issued} {
		for v, what := range list {
			if contains(text, v) {
				c.fault("the log holds %s: %s", what, lineWith(text, v))
			}
		}
	}
	for _, x := range log {
		if x.carries {
			continue
		}
		out := string(x.a.Body) + "\n" + x.a.Value("Location")
		for name, v := range hidden {
			if contains(out, v) {
				c.fault("%s %s answers with the hidden column %s", x.r.Method, x.r.Path, name)
			}
		}
		for v, what := range typed {
			if contains(out, v) && !strings.Contains(x.r.Path, v) {
				c.fault("%s %s answers with %s: if it exists to hand that out, list it in Rules.Carries", x.r.Method, x.r.Path, what)
			}
		}
		cookies := strings.Join(x.a.Values("Set-Cookie"), "\n")
		for v, what := range issued {
			if contains(out, v) && !strings.Contains(cookies, v) {
				c.fault("%s %s answers with %s and does not set it", x.r.Method, x.r.Path, what)
			}
		}
	}
}

// note keeps the secrets of a client's cookies: whole, and the token inside.
func note(c *Client, into map[string]string) {
	for name, v := range c.cookies {
		add(into, v, "the cookie "+name)
		if raw, err := url.QueryUnescape(v); err == nil {
			token, _, _ := strings.Cut(raw, ".")
			add(into, token, "the token in the cookie "+name)
		}
	}
}

// gather keeps the members of a body that are secret by their name.
func gather(v any, into map[string]string) {
	switch x := v.(type) {
	case map[string]any:
		for name, m := range x {
			if s, ok := m.(string); ok && secretName.MatchString(name) {
				add(into, s, "what was sent as "+name)
			}
			gather(m, into)
		}
	case []any:
		for _, m := range x {
			gather(m, into)
		}
	}
}

// add leaves out what would be found by chance.
func add(into map[string]string, v, what string) {
	if len(v) >= 6 {
		into[v] = what
	}
}

// hidden are the values of columns that never leave the server, by table and column. One
// that is the id of a user is known to everybody who may know the user.
func (h *Harness) hidden() map[string]string {
	want, _, _ := h.Auth.Schema()
	out := map[string]string{}
	users := map[string]bool{}
	for _, r := range h.Rows("user") {
		users[r["id"]] = true
	}
	for _, t := range want.Tables {
		for _, r := range h.Rows(t.Name) {
			for name, v := range r {
				col := t.Column(name)
				if t.Name == "session" && name == "amr" { // hidden from Better Auth's client, and no secret of its user's
					continue
				}
				secret := col.Hidden || t.Name == "session" && name == "token" || t.Name == "account" && name == "password"
				if k := col.Kind.String(); secret && !users[v] && len(v) >= 12 && (k == "string" || k == "bytes" || k == "json") {
					out[t.Name+"."+name+" of "+r["id"]] = v
				}
			}
		}
	}
	return out
}

// contains finds a secret that stands by itself: digits inside a time are no code.
func contains(text, v string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], v)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(v)
		if !wordAt(text, start-1) && !wordAt(text, end) {
			return true
		}
		at = start + 1
	}
}

func wordAt(s string, i int) bool {
	return i >= 0 && i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z')
}

func lineWith(text, v string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, v) {
			return clip(strings.ReplaceAll(strings.TrimSpace(line), v, "[it]"))
		}
	}
	return ""
}
