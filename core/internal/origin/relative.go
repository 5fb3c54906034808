package origin

import "strings"

// safeRelative accepts a path of this site: one leading slash (RFC 3986, section 4.2:
// two would start an authority), no backslash, no control character, and no encoded
// slash or backslash in the path, which routers decode at different moments. A path
// whose dot segments leave it starting with two slashes is refused too: the browser
// stays, but code that redirects to location.pathname would leave.
func safeRelative(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || !clean(s) {
		return false
	}
	path := s
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		path = s[:i]
	}
	lower := strings.ToLower(path)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") {
		return false
	}
	return !startsEmpty(lower[1:])
}

// startsEmpty resolves dot segments as the URL standard does ("%2e" is a dot) and
// reports whether an empty segment comes first and others follow.
func startsEmpty(path string) bool {
	if !strings.Contains(path, "//") && !strings.HasPrefix(path, "/") {
		return false
	}
	var kept []string
	segments := strings.Split(path, "/")
	for i, seg := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(seg, "%2e", ".") {
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		case ".":
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, seg)
		}
	}
	return len(kept) > 1 && kept[0] == ""
}
