package rig

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Client asks one server. It takes little of the processor, since it shares that with the
// server, and never asks again by itself: what becomes of a request is what is measured.
type Client struct{ host *fasthttp.HostClient }

// NewClient makes a client whose requests may take so long.
func NewClient(address string, timeout time.Duration) *Client {
	return &Client{&fasthttp.HostClient{Addr: address, MaxConns: 4096, ReadTimeout: timeout, WriteTimeout: timeout,
		MaxIdleConnDuration: 20 * time.Second, MaxIdemponentCallAttempts: 1, NoDefaultUserAgentHeader: true,
		RetryIf: func(*fasthttp.Request) bool { return false }}}
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.host.CloseIdleConnections() }

// Request is one request. From is the client's address, as a proxy hands it on.
type Request struct {
	Method, Path, Body, Origin, From string
	Jar                              *Jar
}

// Answer is what came. Its texts are copies.
type Answer struct {
	Status           int
	Body, RetryAfter string
}

// Do sends a request once.
func (c *Client) Do(r Request) (Answer, error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI("http://" + c.host.Addr + r.Path)
	req.Header.SetMethod(r.Method)
	if r.Origin != "" {
		req.Header.Set("Origin", r.Origin)
	}
	if r.From != "" {
		req.Header.Set("X-Forwarded-For", r.From)
	}
	if r.Body != "" {
		req.Header.SetContentType("application/json")
		req.SetBodyString(r.Body)
	}
	if r.Jar != nil {
		if line := r.Jar.line(); line != "" {
			req.Header.Set("Cookie", line)
		}
	}
	if err := c.host.Do(req, res); err != nil {
		return Answer{}, err
	}
	if r.Jar != nil {
		r.Jar.take(&res.Header)
	}
	return Answer{Status: res.StatusCode(), Body: string(res.Body()), RetryAfter: string(res.Header.Peek("Retry-After"))}, nil
}

// Jar keeps the cookies of one user.
type Jar struct {
	mu sync.Mutex
	m  map[string]string
}

// Copy is a jar with the same cookies, for asking without changing them.
func (j *Jar) Copy() *Jar {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &Jar{m: maps.Clone(j.m)}
}

func (j *Jar) line() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b strings.Builder
	for k, v := range j.m {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(k + "=" + v)
	}
	return b.String()
}

func (j *Jar) take(h *fasthttp.ResponseHeader) {
	for _, line := range h.PeekAll("Set-Cookie") {
		var c fasthttp.Cookie
		if c.ParseBytes(line) != nil {
			continue
		}
		j.mu.Lock()
		if j.m == nil {
			j.m = map[string]string{}
		}
		if value := string(c.Value()); value == "" {
			delete(j.m, string(c.Key()))
		} else {
			j.m[string(c.Key())] = value
		}
		j.mu.Unlock()
	}
}
