package bearer

import "strings"

// maxHeader is the longest header that is looked at, in bytes: the most that a browser
// keeps as a cookie.
const maxHeader = 4096

// parse returns the token of an Authorization header. The scheme is case-insensitive
// (RFC 9110, section 11.1). The token is printable ASCII: no token of ours has anything
// else, and nothing else should get as far as the database.
func parse(header string) (token string, ok bool) {
	const scheme = "bearer "
	if len(header) > maxHeader || len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	token = strings.Trim(header[len(scheme):], " \t")
	for i := 0; i < len(token); i++ {
		if token[i] < ' ' || token[i] > '~' {
			return "", false
		}
	}
	return token, token != ""
}
