package plugintest

import (
	"context"
	"net/netip"
	"strings"
	"unsafe"

	"github.com/sallyport-auth/sallyport/core"
)

// exchange is a request in memory that lives as long as the request does, as in Fiber:
// what the Auth has kept of it without a copy turns to rubbish.
type exchange struct {
	method, path, query string
	header              map[string]string // by lower-case name
	body                []byte
	peer                netip.Addr

	lent [][]byte
}

var _ core.Exchange = (*exchange)(nil)

func (x *exchange) lend(s string) string {
	if s == "" {
		return ""
	}
	b := []byte(s)
	x.lent = append(x.lent, b)
	return unsafe.String(&b[0], len(b))
}

func (x *exchange) Method() string            { return x.method }
func (x *exchange) Path() string              { return x.lend(x.path) }
func (x *exchange) Query() string             { return x.lend(x.query) }
func (x *exchange) Peer() netip.Addr          { return x.peer }
func (x *exchange) Header(name string) string { return x.lend(x.header[strings.ToLower(name)]) }

func (x *exchange) HeaderLines(name string) []string {
	v, ok := x.header[strings.ToLower(name)]
	if !ok {
		return nil
	}
	return []string{x.lend(v)}
}

func (x *exchange) Body(limit int) ([]byte, error) {
	if len(x.body) > limit {
		return nil, core.ErrPayloadTooLarge
	}
	b := append([]byte(nil), x.body...)
	x.lent = append(x.lent, b)
	return b, nil
}

// serve sends a request and then spoils the memory that it stood in.
func (h *Harness) serve(x *exchange) *Answer {
	h.T.Helper()
	res := h.Auth.Serve(context.Background(), x)
	a := &Answer{Status: res.Status, What: x.method + " " + x.path, t: h.T}
	for _, f := range res.Header {
		a.Header = append(a.Header, core.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
	}
	a.Body = append([]byte(nil), res.Body...)
	for _, b := range x.lent {
		for i := range b {
			b[i] = '~'
		}
	}
	return a
}
