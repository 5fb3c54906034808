package webhooks

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// guard says which addresses may be connected to: public ones, and those of networks that
// the operator has listed.
type guard struct{ networks []netip.Prefix }

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// special4 are the IPv4 networks that are not public (RFC 6890 and the registry that it
// made), with multicast and what is reserved.
func special4() []netip.Prefix {
	return prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"224.0.0.0/4", "240.0.0.0/4")
}

// global6 is all of IPv6 that is given out (RFC 4291, section 2.4). Loopback, mapped and
// compatible IPv4, NAT64 (RFC 6052), unique local, link-local and multicast addresses are
// outside. special6 is what is not public in it: protocols with Teredo, documentation,
// 6to4, which has an IPv4 address inside.
func global6() netip.Prefix { return netip.MustParsePrefix("2000::/3") }

func special6() []netip.Prefix {
	return prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
}

// allows tells whether an address may be connected to. Addresses in IPv4 that are written
// as IPv6 (::ffff:127.0.0.1) are taken for what they are: CVE-2024-24790.
func (g guard) allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if within(g.networks, addr) {
		return true
	}
	if addr.Is4() {
		return !within(special4(), addr)
	}
	return global6().Contains(addr) && !within(special6(), addr)
}

func within(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// errRefused is the guard's word at a connection.
type errRefused struct{ addr string }

func (e *errRefused) Error() string {
	return e.addr + " is no public address, and allowNetworks has none that holds it"
}

// control is for net.Dialer: it sees the address that is about to be connected to, after
// the name was looked up. There is no time in between in which it could change.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !g.allows(ap.Addr()) {
		return &errRefused{ap.Addr().String()}
	}
	return nil
}

// parseNetworks reads allowNetworks. Its error begins behind the option's name.
func parseNetworks(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil:
			return nil, fmt.Errorf("[%d]: %q is no network, such as 10.1.2.0/24", i, s)
		case p.Addr().Is4In6():
			return nil, fmt.Errorf("[%d]: write %q as the IPv4 network that it is", i, s)
		case p.Bits() == 0:
			return nil, fmt.Errorf("[%d]: %q is every address", i, s)
		case p != p.Masked():
			return nil, fmt.Errorf("[%d]: %q is an address in the network %s: which is meant?", i, s, p.Masked())
		}
		out[i] = p
	}
	return out, nil
}

const (
	maxHeader = 16 << 10 // bytes of an answer's header
	maxAnswer = 4 << 10  // bytes of an answer that are read
	drainTime = time.Second
)

// newClient makes the client that deliveries go through. It follows no redirect and takes
// no proxy from the environment. Behind a proxy the addresses are the proxy's business.
// Each delivery has a connection of its own: one that was kept may be closed by the
// receiver while the next delivery is on its way, and goes where the name led before.
func newClient(g guard, proxy *url.URL, resolver *net.Resolver, conf *tls.Config) *http.Client {
	dialer := &net.Dialer{Resolver: resolver, Control: g.control}
	t := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: maxHeader, DisableCompression: true, DisableKeepAlives: true}
	if conf != nil {
		t.TLSClientConfig = conf.Clone()
	}
	if proxy != nil {
		dialer.Control = nil
		t.Proxy = http.ProxyURL(proxy)
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reason says why there was no answer, in words of ours: an error of net/http may quote
// the URL, which may hold a secret, or what came back, which is nobody's to read.
func reason(err error) string {
	var refused *errRefused
	var dns *net.DNSError
	var timeout net.Error
	var cert *tls.CertificateVerificationError
	var errno syscall.Errno
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.As(err, &dns):
		return "the name cannot be looked up"
	case errors.As(err, &cert):
		return "its certificate is not accepted"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return "the connection ended without a complete answer"
}
