package core

import (
	"fmt"
	"strings"

	"github.com/sallyport-auth/sallyport/core/internal/origin"
)

// AnswerHTML answers with a page. The page must not contain anything that a client
// sent unless html/template put it there. Its forms may be sent to this origin, which may
// redirect to where challenges go and to the origins of targets: URLs that have been
// checked.
func (c *Call) AnswerHTML(status int, page []byte, targets ...string) {
	form := "form-action 'self'"
	for _, t := range append([]string{c.host.cfg.ChallengeURL}, targets...) {
		if o := origin.Source(t); o != "" && !strings.Contains(form, o) {
			form += " " + o
		}
	}
	c.answer = &Response{Status: status, Header: []Field{
		{"Content-Type", "text/html; charset=utf-8"},
		{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; " + form + "; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", "no-referrer"}}, Body: page}
}

// AnswerFile answers with a file that a browser saves and does not show, under a name that
// must hold no path. Whatever it is, nothing in it runs: it is taken for the media type that
// it is said to be, in a sandbox, and no page of another origin may embed it.
func (c *Call) AnswerFile(name, mediaType string, body []byte) {
	c.answer = &Response{Status: 200, Header: []Field{
		{"Content-Type", mediaType}, {"Content-Disposition", disposition(name)},
		{"Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"}, {"Cross-Origin-Resource-Policy", "same-origin"}, {"Referrer-Policy", "no-referrer"}}, Body: body}
}

// disposition is RFC 6266 section 4: a name in ASCII for all, and the name itself.
func disposition(name string) string {
	var ascii, exact strings.Builder
	for _, r := range name {
		if r >= ' ' && r < 0x7f && r != '"' && r != '\\' && r != '%' { // section D: these are not read alike
			ascii.WriteRune(r)
		} else {
			ascii.WriteByte('_')
		}
	}
	for _, b := range []byte(name) { // RFC 8187 section 3.2.1
		if b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || strings.IndexByte("!#$&+-.^_`|~", b) >= 0 {
			exact.WriteByte(b)
		} else {
			fmt.Fprintf(&exact, "%%%02X", b)
		}
	}
	return `attachment; filename="` + ascii.String() + `"; filename*=UTF-8''` + exact.String()
}
