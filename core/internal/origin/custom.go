package origin

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core/internal/origin/glob"
)

// denied are schemes that run or show what the address itself holds. No pattern can
// name them, and no address with them is trusted.
var denied = map[string]bool{
	"javascript": true, "data": true, "vbscript": true, "blob": true,
	"filesystem": true, "about": true, "view-source": true,
}

// customURL is an address of a custom scheme, split by hand: URL parsers disagree about
// schemes that they do not know. Scheme and authority are lower case; path has its
// percent escapes and dot segments resolved, and is "" for the root.
type customURL struct {
	scheme, authority, path string
}

type customPattern struct {
	customURL
	wildcard   bool
	authorityG *glob.Pattern // with wildcard; nil for any authority
	pathG      *glob.Pattern // with wildcard; nil for any path
	ipv4       bool
}

// splitCustom reads s; in a wildcard pattern "?" does not begin a query.
func splitCustom(s string, pattern bool) (customURL, bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" {
		return customURL{}, false
	}
	c := customURL{scheme: strings.ToLower(scheme)}
	authorityEnd, pathEnd := "/?#", "?#"
	if pattern {
		authorityEnd, pathEnd = "/#", "#"
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		rest = ""
		if i := strings.IndexAny(after, authorityEnd); i >= 0 {
			after, rest = after[:i], after[i:]
		}
		c.authority = strings.ToLower(after)
	}
	if i := strings.IndexAny(rest, pathEnd); i >= 0 {
		rest = rest[:i]
	}
	c.path = resolve(rest)
	// An encoded backslash is a slash to some apps' routers and a letter to others.
	return c, !strings.Contains(c.path, `\`)
}

func (p *customPattern) match(c customURL) bool {
	if p.scheme != c.scheme {
		return false
	}
	if !p.wildcard {
		if p.authority != "" && p.authority != c.authority {
			return false
		}
		return p.path == "" || c.path == p.path || strings.HasPrefix(c.path, p.path+"/")
	}
	// A user part could carry what the wildcard wants to see of the host.
	if strings.Contains(c.authority, "@") {
		return false
	}
	if p.authorityG != nil {
		host, _, _ := strings.Cut(c.authority, ":")
		if !p.authorityG.Match(c.authority) || p.ipv4 && !isIPv4(host) {
			return false
		}
	}
	path := c.path
	if path == "" {
		path = "/"
	}
	return p.pathG == nil || p.pathG.Match(path)
}

// resolve decodes a path once and takes out its dot segments, so that "/cb/../evil" and
// "/cb/%2e%2e/evil" do not pass for "/cb". What does not decode is taken as it is.
func resolve(path string) string {
	if d, err := url.PathUnescape(path); err == nil && utf8.ValidString(d) {
		path = d
	}
	var kept []string
	for _, seg := range strings.Split(path, "/") {
		switch seg {
		case "", ".":
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, seg)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "/" + strings.Join(kept, "/")
}

// isIPv4 wants four decimal parts without leading zeros, nothing else.
func isIPv4(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

// ipv4Range reports whether a host pattern can only mean addresses: digits, dots and
// wildcards, at least one digit and one wildcard.
func ipv4Range(host string) bool {
	return glob.Has(host) && strings.ContainsAny(host, "0123456789") &&
		strings.Trim(host, "0123456789*?.") == ""
}
