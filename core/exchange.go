package core

import "net/netip"

// Field is one header line of an answer.
type Field struct{ Name, Value string }

// Exchange is one request and its answer, as core sees them: a lens over Fiber's,
// net/http's or a test's own types. Strings and slices that it returns may be memory
// that the server uses again after the request: core copies what it keeps.
type Exchange interface {
	// Method is the request's method in upper case.
	Method() string
	// Path is the path as it was sent: not decoded, not cleaned, without the query.
	Path() string
	// Query is the raw query without the question mark.
	Query() string
	// Header returns the first line of that name, or "". Names are case-insensitive.
	Header(name string) string
	// HeaderLines returns all lines of that name, in order.
	HeaderLines(name string) []string
	// Peer is the address of the connection's other end; the zero Addr if unknown.
	Peer() netip.Addr
	// Body returns the whole body, at most limit bytes; longer is ErrPayloadTooLarge.
	Body(limit int) ([]byte, error)
}

// Response is an answer that a transport has to write: status, header lines in order
// (Set-Cookie may repeat), body.
type Response struct {
	Status int
	Header []Field
	Body   []byte
}

// Get returns the first header line of that name (exact case as core writes it).
func (r *Response) Get(name string) string {
	for _, f := range r.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
