package jmap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/option"
)

// Options say where the server is.
type Options struct {
	// URL is the server's origin, or its session resource where that is not at
	// /.well-known/jmap. https, or http to a loopback address.
	URL string
	// Timeout bounds one request. Required.
	Timeout time.Duration
	// TLS is for a private certificate authority. Default the system's.
	TLS *tls.Config
}

// Login is how a user signs in.
type Login struct{ Name, Password string }

// Client talks to one server. It is safe for use by several goroutines.
type Client struct {
	session *url.URL
	timeout time.Duration
	http    *http.Client
}

const (
	// maxAnswer is what is read of one answer, in bytes.
	maxAnswer = 16 << 20
	// maxConns bounds the connections, so that a slow server does not use up ours: who comes
	// later waits, as long as their context allows.
	maxConns = 64
	// maxHops is how often a GET may be redirected, on the same origin.
	maxHops = 3
)

// New makes a client. It makes no connection.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("url: want https://host[:port][/path]") // not its text: it may hold a password
	}
	if u.Scheme == "http" && !option.Loopback(u.Hostname()) {
		return nil, errors.New("url: passwords would travel in the open: want https")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/.well-known/jmap" // RFC 8620 section 2.2
	}
	if o.Timeout <= 0 {
		return nil, errors.New("timeout: must be more than zero")
	}
	t := &http.Transport{
		Proxy:                  nil, // credentials pass nobody else
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DialContext:            (&net.Dialer{Timeout: o.Timeout}).DialContext,
		TLSHandshakeTimeout:    o.Timeout,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxConns / 4,
		IdleConnTimeout:        time.Minute,
	}
	if o.TLS != nil {
		t.TLSClientConfig = o.TLS.Clone()
	}
	c := &Client{session: u, timeout: o.Timeout}
	c.http = &http.Client{Transport: t, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != u.Scheme || r.URL.Host != u.Host || r.Method != http.MethodGet || len(via) > maxHops {
			return http.ErrUseLastResponse // the redirect is the answer, which is none
		}
		return nil
	}}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// at is a URL of the server's on the configured origin: its path and query, whatever the
// server calls itself.
func (c *Client) at(ref string) (string, error) {
	u, err := c.session.Parse(ref)
	if err != nil {
		return "", errors.New("jmap: the session names an address that is none")
	}
	u.Scheme, u.Host, u.User, u.Fragment = c.session.Scheme, c.session.Host, nil, ""
	return u.String(), nil
}

// request does one HTTP request as the user, and reads at most limit bytes of the answer.
func (c *Client) request(ctx context.Context, l Login, method, target, contentType string, body io.Reader, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, errors.New("jmap: the request cannot be made")
	}
	r.SetBasicAuth(l.Name, l.Password)
	r.Header.Set("Accept", "application/json, */*;q=0.5")
	r.Header.Set("User-Agent", "sallyport")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, transport(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return nil, ErrUnauthorized
	case res.StatusCode == http.StatusNotFound && contentType == "":
		return nil, ErrNotFound
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, problem(res)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, transport(err)
	}
	if int64(len(raw)) > limit {
		return nil, ErrTooLarge
	}
	return raw, nil
}

// transport keeps of an error of net/http what broke: its own text quotes the URL.
func transport(err error) error {
	sent := true
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		sent = false
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &TransportError{Err: err, Sent: sent}
}

// TransportError is a request that got no answer.
type TransportError struct {
	Err error
	// Sent tells that the server may have got it.
	Sent bool
}

func (e *TransportError) Error() string { return fmt.Sprintf("jmap: %v", e.Err) }

// Unwrap returns what broke.
func (e *TransportError) Unwrap() error { return e.Err }
