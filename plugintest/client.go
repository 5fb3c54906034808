package plugintest

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// M is a JSON object.
type M = map[string]any

// Request is one request of a client.
type Request struct {
	Method string
	// Path is below the base path, or absolute where it is an alias; it may have a query.
	Path string
	// Body is sent as JSON; a string or []byte as it is; nil is no body.
	Body any
	// Header is added to what the client sends, or replaces it; an empty value takes it
	// away.
	Header map[string]string
}

// Client is a browser as far as cookies go: it keeps what it is given, sends it back,
// and names its origin. It is not safe for use by several goroutines.
type Client struct {
	// UserID and Email are whose client it is, where the harness signed it in.
	UserID, Email string
	// Origin is sent with everything but GET. Default the harness's base URL; empty
	// sends none.
	Origin string
	// Addr is the client's address. Default 198.51.100.7.
	Addr netip.Addr

	h       *Harness
	cookies map[string]string
}

// Client makes a client without a session.
func (h *Harness) Client() *Client {
	return &Client{h: h, Origin: h.Host.BaseURL(), Addr: netip.MustParseAddr("198.51.100.7"), cookies: map[string]string{}}
}

// Get sends a GET request.
func (c *Client) Get(path string) *Answer {
	c.h.T.Helper()
	return c.Do(Request{Method: "GET", Path: path})
}

// Post sends a POST request with a JSON body.
func (c *Client) Post(path string, body any) *Answer {
	c.h.T.Helper()
	return c.Do(Request{Method: "POST", Path: path, Body: body})
}

// Do sends a request and keeps the cookies of its answer.
func (c *Client) Do(r Request) *Answer {
	c.h.T.Helper()
	if c.h.probe != nil && !c.h.quiet {
		c.h.quiet = true
		c.h.probe(c, &r)
		c.h.quiet = false
	}
	a := c.send(&r)
	for _, line := range a.Values("Set-Cookie") {
		c.store(line)
	}
	if c.h.observe != nil {
		c.h.observe(c, &r, a)
	}
	return a
}

// Copy returns a client with the same cookies.
func (c *Client) Copy() *Client {
	d := *c
	d.cookies = map[string]string{}
	for k, v := range c.cookies {
		d.cookies[k] = v
	}
	return &d
}

// Cookie returns a cookie's value as it was set, found by its plain name
// ("session_token") or its full one; empty if there is none.
func (c *Client) Cookie(name string) string { return c.cookies[c.full(name)] }

// SetCookie sets a cookie; an empty value deletes it.
func (c *Client) SetCookie(name, value string) {
	if value == "" {
		delete(c.cookies, c.full(name))
		return
	}
	c.cookies[c.full(name)] = value
}

// Headers returns the headers of a request by this client, for core.WithHeader.
func (c *Client) Headers() http.Header {
	h := http.Header{}
	if len(c.cookies) > 0 {
		h.Set("Cookie", c.cookieLine())
	}
	return h
}

func (c *Client) cookieLine() string {
	var list []string
	for k, v := range c.cookies {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}

func (c *Client) full(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return c.h.Host.Cookie(name, 0).Name()
}

func (c *Client) store(line string) {
	k, err := http.ParseSetCookie(line)
	if err != nil {
		c.h.T.Errorf("plugintest: a browser cannot read the cookie in %q: %v", line, err)
		return
	}
	if k.MaxAge < 0 || k.Value == "" {
		delete(c.cookies, k.Name)
		return
	}
	c.cookies[k.Name] = k.Value
}

// send sends a request with the client's cookies and keeps nothing.
func (c *Client) send(r *Request) *Answer {
	c.h.T.Helper()
	header := map[string]string{}
	if r.Method != "GET" && c.Origin != "" {
		header["origin"] = c.Origin
	}
	var body []byte
	switch b := r.Body.(type) {
	case nil:
	case []byte:
		body = b
	case string:
		body = []byte(b)
	default:
		var err error
		if body, err = json.Marshal(b); err != nil {
			c.h.T.Fatalf("plugintest: body of %s: %v", r.Path, err)
		}
	}
	if body != nil {
		header["content-type"] = "application/json"
	}
	if len(c.cookies) > 0 {
		header["cookie"] = c.cookieLine()
	}
	for k, v := range r.Header {
		if header[strings.ToLower(k)] = v; v == "" {
			delete(header, strings.ToLower(k))
		}
	}
	path, query, _ := strings.Cut(r.Path, "?")
	if !c.h.Auth.Owns(path) {
		base, _ := strings.CutPrefix(c.h.Host.URL(""), c.h.Host.BaseURL())
		path = base + path
	}
	return c.h.serve(&exchange{method: r.Method, path: path, query: query, header: header, body: body, peer: c.Addr})
}

// owned tells whether an endpoint belongs to a plugin under test.
func owned(r core.RouteInfo) bool {
	return r.Plugin != "core" && r.Plugin != "app" && r.Plugin != kitID
}
