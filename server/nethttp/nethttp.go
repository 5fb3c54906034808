// Package nethttp mounts an Auth in any net/http router: the standard ServeMux, chi,
// echo, gin.
//
//	http.ListenAndServe(":8080", nethttp.Handler(auth, yourMux))
package nethttp

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// Handler answers everything below the base path, aliases of endpoints, and CORS
// preflights of both from trusted origins; next gets the rest. It should stand in front
// of a router that cleans paths (ServeMux redirects "//"): core matches a path as it
// was sent, or not at all. With next nil the rest is 404.
func Handler(auth *core.Auth, next http.Handler, options ...Option) http.Handler {
	m := mount{cors: true}
	for _, o := range options {
		o(&m)
	}
	if next == nil {
		next = http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{r: r}
		if !auth.Owns(x.Path()) {
			next.ServeHTTP(w, r)
			return
		}
		if m.cors {
			if res, handled := auth.Preflight(x); handled {
				Write(w, res)
				return
			}
		}
		res := auth.Serve(r.Context(), x)
		if m.cors {
			auth.AddCORS(x, &res)
		}
		Write(w, res)
	})
}

// Option changes a mount.
type Option func(*mount)

type mount struct{ cors bool }

// WithoutCORS leaves out answers to preflights and the headers for other origins.
func WithoutCORS() Option { return func(m *mount) { m.cors = false } }

// Write writes an answer of core's.
func Write(w http.ResponseWriter, res core.Response) {
	h := w.Header()
	for _, f := range res.Header {
		if f.Name == "Set-Cookie" || f.Name == "Vary" {
			h.Add(f.Name, f.Value)
		} else {
			h.Set(f.Name, f.Value)
		}
	}
	if res.Header == nil || h.Get("Content-Type") == "" {
		h["Content-Type"] = nil // no sniffing
	}
	w.WriteHeader(res.Status)
	if len(res.Body) > 0 {
		_, _ = w.Write(res.Body) // the client may have gone
	}
}

// Exchange shows a request to core, for apps that call core's functions themselves.
func Exchange(r *http.Request) core.Exchange { return &exchange{r: r} }

type exchange struct{ r *http.Request }

func (x *exchange) Method() string { return x.r.Method }

// Path is the path as it was sent, before any decoding or cleaning.
func (x *exchange) Path() string {
	uri := x.r.RequestURI
	if uri == "" || uri[0] != '/' { // absolute form, or a request made by a test
		return x.r.URL.EscapedPath()
	}
	path, _, _ := strings.Cut(uri, "?")
	return path
}

func (x *exchange) Query() string { return x.r.URL.RawQuery }

func (x *exchange) Header(name string) string {
	if strings.EqualFold(name, "Host") {
		return x.r.Host
	}
	return x.r.Header.Get(name)
}

func (x *exchange) HeaderLines(name string) []string { return x.r.Header.Values(name) }

func (x *exchange) Peer() netip.Addr {
	a, err := netip.ParseAddrPort(x.r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

func (x *exchange) Body(limit int) ([]byte, error) {
	if x.r.Body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(nil, x.r.Body, int64(limit)))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return nil, core.ErrPayloadTooLarge
	}
	if err != nil {
		return nil, core.ErrBadRequest.WithMessage("The request body could not be read").Because(err)
	}
	return b, nil
}
