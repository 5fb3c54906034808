package core

import (
	"net/url"
	"strings"

	"github.com/sallyport-auth/sallyport/core/internal/origin/weburl"
)

// Redirect targets are written the way a browser's URL parser writes them
// (https://url.spec.whatwg.org), so that what was checked is what is sent.

// place is a callback in its parts: an origin ("" for a relative one), path, query and
// fragment with their delimiters taken off.
type place struct {
	origin, path, query, fragment string
	hasFragment                   bool
}

func parsePlace(to string) place {
	var p place
	to, p.fragment, p.hasFragment = strings.Cut(to, "#")
	to, p.query, _ = strings.Cut(to, "?")
	if i := strings.Index(to, "://"); i >= 0 && !strings.HasPrefix(to, "/") {
		if k := strings.IndexByte(to[i+3:], '/'); k >= 0 {
			p.origin, to = to[:i+3+k], to[i+3+k:]
		} else {
			p.origin, to = to, ""
		}
	}
	if p.origin == "" && !strings.HasPrefix(to, "/") { // "myapp:done", which has no authority
		if i := strings.IndexByte(to, ':'); i > 0 && !strings.Contains(to[:i], "/") {
			p.origin, to = to[:i+1], to[i+1:]
		}
	}
	p.path = to
	if strings.HasPrefix(p.origin, "http") || p.origin == "" {
		p.path = cleanPath(to)
	}
	p.query = percentEncode(p.query, " \"<>'")
	return p
}

func (p place) String() string {
	out := p.origin + p.path
	if p.query != "" {
		out += "?" + p.query
	}
	if p.hasFragment {
		out += "#" + p.fragment
	}
	return out
}

// cleanPath resolves dot segments, also encoded ones, and encodes what a path must not
// hold.
func cleanPath(path string) string {
	var out []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(s), "%2e", ".") {
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		case ".":
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, percentEncode(s, " \"<>`{}^"))
		}
	}
	return "/" + strings.Join(out, "/")
}

// percentEncode escapes controls, everything beyond ASCII, and the bytes in set.
func percentEncode(s, set string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c <= 0x1f || c >= 0x7f || strings.IndexByte(set, c) >= 0 {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Location writes a checked redirect target as a header may have it, in ASCII alone (RFC 9110,
// section 10.2.2): a host as browsers write it, which is the one that was checked, everything
// else percent-encoded. Clients do not agree on what other bytes mean.
func Location(to string) string {
	if strings.IndexFunc(to, func(r rune) bool { return r >= 0x7f }) < 0 {
		return to
	}
	if i := strings.Index(to, "://"); i > 0 && !strings.HasPrefix(to, "/") {
		end := len(to)
		if k := strings.IndexAny(to[i+3:], "/?#"); k >= 0 {
			end = i + 3 + k
		}
		if w, ok := weburl.Parse(to[:end]); ok && w.Origin() != "" {
			return w.Origin() + percentEncode(to[end:], "")
		}
	}
	return percentEncode(to, "")
}

// AddQuery adds query parameters (pairs of name and value) to a URL or relative path,
// behind those that it has, and keeps its fragment.
func AddQuery(to string, pairs ...string) string {
	p := parsePlace(to)
	for i := 0; i+1 < len(pairs); i += 2 {
		if p.query != "" && !strings.HasSuffix(p.query, "&") {
			p.query += "&"
		}
		p.query += formEscape(pairs[i]) + "=" + formEscape(pairs[i+1])
	}
	return p.String()
}

// ResolveQuery makes a callback absolute, on BaseURL if it is relative, and sets query
// parameters (pairs of name and value): the first of a name is replaced, others of it go.
func (h *Host) ResolveQuery(to string, pairs ...string) string {
	if strings.HasPrefix(to, "/") {
		to = h.cfg.BaseURL + to
	}
	p := parsePlace(to)
	var names, values []string
	for _, part := range strings.Split(p.query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		names, values = append(names, formUnescape(name)), append(values, formUnescape(value))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		names, values = setPair(names, values, pairs[i], pairs[i+1])
	}
	parts := make([]string, len(names))
	for i := range names {
		parts[i] = formEscape(names[i]) + "=" + formEscape(values[i])
	}
	p.query = strings.Join(parts, "&")
	return p.String()
}

func setPair(names, values []string, name, value string) ([]string, []string) {
	var n, v []string
	set := false
	for i := range names {
		switch {
		case names[i] != name:
			n, v = append(n, names[i]), append(v, values[i])
		case !set:
			n, v, set = append(n, name), append(v, value), true
		}
	}
	if !set {
		n, v = append(n, name), append(v, value)
	}
	return n, v
}

// formEscape is the serialiser of URLSearchParams.
func formEscape(s string) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "~", "%7E")
	return strings.ReplaceAll(s, "%2A", "*")
}

func formUnescape(s string) string {
	if t, err := url.QueryUnescape(s); err == nil {
		return t
	}
	return s
}
