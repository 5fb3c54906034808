// Package clientip finds the address that a request came from, behind proxies.
//
// X-Forwarded-For is written by whoever sends the request; only what trusted proxies
// appended to it is true. So it is read from the right, and only when the connection
// itself comes from a trusted proxy; the first address that is no trusted proxy is the
// client. What stands left of it is never looked at.
package clientip

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Resolver knows the trusted proxies. It is safe for concurrent use; the zero value and
// nil trust none.
type Resolver struct{ proxies []netip.Prefix }

// New takes single addresses and CIDR ranges, IPv4 and IPv6; none is fine and means that
// X-Forwarded-For is ignored. Every malformed entry is part of the error, and so is a /0:
// who trusts everybody lets every client choose its address.
func New(trustedProxies []string) (*Resolver, error) {
	r := &Resolver{}
	var errs []error
	for _, s := range trustedProxies {
		p, err := parse(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("trusted proxy %q: %w", s, err))
			continue
		}
		r.proxies = append(r.proxies, p)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

func parse(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, ok := parseHop(s)
		if !ok {
			return netip.Prefix{}, errors.New("is neither an IP address nor a CIDR range")
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("is neither an IP address nor a CIDR range")
	case p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("is an IPv4 range written as IPv6; write it as IPv4")
	case p.Bits() == 0:
		return netip.Prefix{}, errors.New("would trust every address")
	}
	return p.Masked(), nil
}

// Resolve returns the client's address. peer is the other end of the connection;
// forwardedFor are the X-Forwarded-For lines in the order received.
//
// A peer that is no trusted proxy is the client. Otherwise it is the right-most address
// in the lines that is no trusted proxy; empty list members are skipped (RFC 9110,
// section 5.6.1). The zero Addr means unknown: there is no such address, or an invalid
// one (also one with a port or a zone) stands in the way. Callers must treat all unknown
// clients as one, never as unlimited.
func (r *Resolver) Resolve(peer netip.Addr, forwardedFor []string) netip.Addr {
	peer = canonical(peer)
	if !r.trusted(peer) {
		return peer
	}
	for i := len(forwardedFor) - 1; i >= 0; i-- {
		rest, more := forwardedFor[i], true
		for more {
			var hop string
			if hop, rest, more = lastHop(rest); hop == "" {
				continue
			}
			a, ok := parseHop(hop)
			if !ok {
				return netip.Addr{}
			}
			if !r.trusted(a) {
				return a
			}
		}
	}
	return netip.Addr{}
}

// Compat is Better Auth's rule when no trusted proxy is configured: an X-Forwarded-For
// with exactly one valid address is believed, whoever sent it, and the connection's
// address is never used.
//
// It is UNSAFE: any client chooses its own address. It exists so that a server that is
// compared with Better Auth, exchange by exchange, can give the same answers.
func Compat(_ netip.Addr, forwardedFor []string) netip.Addr {
	var only string
	for _, line := range forwardedFor {
		rest, more := line, true
		for more {
			var hop string
			if hop, rest, more = lastHop(rest); hop == "" {
				continue
			}
			if only != "" {
				return netip.Addr{}
			}
			only = hop
		}
	}
	a, _ := parseHop(only)
	return a
}

// Key is how an address is kept in a session and counted by the rate limiter: IPv4 in
// dotted form, also when it came as IPv4-mapped IPv6; IPv6 as eight full groups in lower
// case with all bits after the first 64 zero, since one household or server owns a /64.
// It is "" for the zero Addr.
func Key(a netip.Addr) string {
	a = canonical(a)
	if !a.IsValid() {
		return ""
	}
	if a.Is4() {
		return a.String()
	}
	b := a.As16()
	out := make([]byte, 0, len("0000:0000:0000:0000")+len(noHost))
	for i := 0; i < 8; i += 2 {
		if i > 0 {
			out = append(out, ':')
		}
		out = hex.AppendEncode(out, b[i:i+2])
	}
	return string(append(out, noHost...))
}

const noHost = ":0000:0000:0000:0000"

func (r *Resolver) trusted(a netip.Addr) bool {
	if r == nil {
		return false
	}
	for _, p := range r.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func canonical(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// lastHop cuts the last member off a comma-separated list.
func lastHop(s string) (hop, rest string, more bool) {
	i := strings.LastIndexByte(s, ',')
	if i >= 0 {
		rest, more = s[:i], true
	}
	return strings.Trim(s[i+1:], " \t"), rest, more
}

func parseHop(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}
