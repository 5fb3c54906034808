package core_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unsafe"

	"github.com/sallyport-auth/sallyport/core"
)

// request is one request; the zero value of each field is left out.
type request struct {
	method, path, query, body string
	header                    map[string][]string
	peer                      netip.Addr
}

// exchange hands out memory that is overwritten after the call, as a server may do it:
// whoever kept a string without copying it sees rubbish.
type exchange struct {
	r     request
	arena [][]byte
}

func (x *exchange) text(s string) string {
	b := []byte(s)
	x.arena = append(x.arena, b)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (x *exchange) scribble() {
	for _, b := range x.arena {
		for i := range b {
			b[i] = '#'
		}
	}
}

func (x *exchange) Method() string   { return x.text(x.r.method) }
func (x *exchange) Path() string     { return x.text(x.r.path) }
func (x *exchange) Query() string    { return x.text(x.r.query) }
func (x *exchange) Peer() netip.Addr { return x.r.peer }
func (x *exchange) Header(name string) string {
	for k, v := range x.r.header {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return x.text(v[0])
		}
	}
	return ""
}

func (x *exchange) HeaderLines(name string) (out []string) {
	for k, v := range x.r.header {
		if strings.EqualFold(k, name) {
			for _, s := range v {
				out = append(out, x.text(s))
			}
		}
	}
	return out
}

func (x *exchange) Body(limit int) ([]byte, error) {
	if len(x.r.body) > limit {
		return nil, core.ErrPayloadTooLarge
	}
	b := []byte(x.r.body)
	x.arena = append(x.arena, b)
	return b, nil
}

// answer is a response as a client sees it.
type answer struct {
	core.Response
	json map[string]any
}

func (e *env) do(r request) answer { return serve(e.auth, r) }

func serve(a *core.Auth, r request) answer { return serveIn(context.Background(), a, r) }

func serveIn(ctx context.Context, a *core.Auth, r request) answer {
	if r.method == "" {
		r.method = "GET"
	}
	if !r.peer.IsValid() {
		r.peer = netip.MustParseAddr("192.0.2.1")
	}
	x := &exchange{r: r}
	res := a.Serve(ctx, x)
	x.scribble()
	out := answer{Response: res}
	_ = json.Unmarshal(res.Body, &out.json)
	return out
}

func (a answer) code() string { s, _ := a.json["code"].(string); return s }

// cookies returns what the answer sets; an empty value is a deletion.
func (a answer) cookies() map[string]string {
	out := map[string]string{}
	for _, f := range a.Header {
		if f.Name == "Set-Cookie" {
			pair, _, _ := strings.Cut(f.Value, ";")
			name, value, _ := strings.Cut(pair, "=")
			out[name] = value
		}
	}
	return out
}

// client is a browser: it keeps cookies and sends its origin.
type client struct {
	e      *env
	auth   *core.Auth
	jar    map[string]string
	header map[string]string
	peer   netip.Addr
}

func (e *env) client() *client {
	return &client{e: e, auth: e.auth, jar: map[string]string{}, header: map[string]string{"Origin": base}}
}

func (c *client) clone() *client {
	d := *c
	d.jar, d.header = maps.Clone(c.jar), maps.Clone(c.header)
	return &d
}

func (c *client) request(method, path string, body any) request {
	path, query, _ := strings.Cut(path, "?")
	r := request{method: method, path: "/api/auth" + path, query: query, header: map[string][]string{}, peer: c.peer}
	for k, v := range c.header {
		r.header[k] = []string{v}
	}
	if len(c.jar) > 0 {
		r.header["Cookie"] = []string{c.cookieHeader()}
	}
	switch b := body.(type) {
	case nil:
	case string:
		r.body, r.header["Content-Type"] = b, []string{"application/json"}
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			panic(err)
		}
		r.body, r.header["Content-Type"] = string(raw), []string{"application/json"}
	}
	return r
}

func (c *client) cookieHeader() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(c.jar)) {
		parts = append(parts, k+"="+c.jar[k])
	}
	return strings.Join(parts, "; ")
}

// send makes a request and keeps the cookies of its answer.
func (c *client) send(method, path string, body any) answer {
	a := serve(c.auth, c.request(method, path, body))
	for k, v := range a.cookies() {
		if v == "" {
			delete(c.jar, k)
		} else {
			c.jar[k] = v
		}
	}
	return a
}

type m = map[string]any

func (c *client) post(path string, body any) answer { return c.send("POST", path, body) }
func (c *client) get(path string) answer            { return c.send("GET", path, nil) }

// must makes a request that has to have this status.
func (c *client) must(status int, method, path string, body any) answer {
	c.e.t.Helper()
	a := c.send(method, path, body)
	if a.Status != status {
		c.e.t.Fatalf("%s %s: %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return a
}

// signUp makes a user and leaves the client signed in (where sign-up does that).
func (c *client) signUp(email string) *client {
	c.e.t.Helper()
	c.must(200, "POST", "/sign-up/email", m{"name": "Ada", "email": email, "password": password})
	return c
}

func (c *client) signIn(email, pass string) answer {
	return c.post("/sign-in/email", m{"email": email, "password": pass})
}

// user returns the id of who get-session says is signed in, or "".
func (c *client) user() string {
	c.e.t.Helper()
	a := c.must(200, "GET", "/get-session", nil)
	u, _ := a.json["user"].(map[string]any)
	id, _ := u["id"].(string)
	return id
}

// token is the session token in the client's cookie.
func (c *client) token() string {
	v, err := url.PathUnescape(c.jar[tokenCookie])
	if err != nil {
		c.e.t.Fatal(err)
	}
	tok, _, _ := strings.Cut(v, ".")
	return tok
}
