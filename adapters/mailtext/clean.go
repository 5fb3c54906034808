package mailtext

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of one message. They bound the work of a render; what core sends is far below.
const (
	maxValue = 8 << 10 // bytes of one variable
	maxData  = 64      // entries of Message.Data
	maxName  = 100     // characters of a name that is shown
)

// Line returns s as one line of visible text: control characters and line and paragraph
// separators become spaces, spaces are collapsed and trimmed, and formatting characters
// (bidirectional overrides, zero-width characters) and invalid UTF-8 are removed. The
// joiners U+200C and U+200D stay, since words of several scripts need them.
func Line(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
		case unicode.Is(unicode.Cf, r) && r != '\u200C' && r != '\u200D':
		case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			space = true
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// displayName returns a name that is safe to greet with, or "" if it is empty, longer
// than 100 characters, or holds what a mail program may turn into a link: a slash, a
// colon, an at sign, or a dot between two visible characters. Otherwise signing up with a
// victim's address and the name "Prize: evil.example" would have us send that mail.
func displayName(s string) string {
	s = Line(s)
	if utf8.RuneCountInString(s) > maxName || strings.ContainsAny(s, "/\\:@<>") {
		return ""
	}
	// All four are label separators to a resolver: UTS #46 section 2.3.
	const dots = ".\u3002\uFF0E\uFF61"
	for i, r := range s {
		if !strings.ContainsRune(dots, r) {
			continue
		}
		if rest := s[i+utf8.RuneLen(r):]; rest != "" && rest[0] != ' ' {
			return ""
		}
	}
	return s
}

var errURL = errors.New("the url is not an absolute http or https URL")

// checkURL accepts the empty string and absolute http and https URLs.
func checkURL(s string) error {
	if s == "" {
		return nil
	}
	for i := range len(s) {
		// A byte outside visible ASCII has to be percent-encoded: RFC 3986 section 2.
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("\"<>\\^`{|}", s[i]) >= 0 {
			return errURL
		}
	}
	u, err := url.Parse(s)
	// The parser's own error would repeat the URL, and with it the token.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return errURL
	}
	return nil
}
