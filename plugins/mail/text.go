package mail

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// Bounds of what is shown of a mail, in characters or entries.
const (
	maxSubject   = 998 // RFC 5322 section 2.1.1
	maxName      = 256
	maxAddress   = 320
	maxSnippet   = 256 // RFC 8621 section 4.1.4
	maxAddresses = 100
	maxFiles     = 100
	maxMessageID = 998
	maxRefs      = 50
)

// line is a text as one line of at most limit characters. Control and formatting characters
// are left out, those that turn the direction of the text among them ("gpj.exe" must not read
// as "exe.jpg"); the joiners U+200C and U+200D stay, since words of several scripts need them.
func line(s string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Cf, r) && r != '\u200C' && r != '\u200D':
			continue
		case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			space = true
			continue
		case n >= limit:
			return b.String()
		case space && n > 0:
			b.WriteByte(' ')
			n++
		}
		b.WriteRune(r)
		n, space = n+1, false
	}
	return b.String()
}

// block is a text of several lines without what no reader needs: control characters, and
// overrides of the direction.
func block(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\u202D' || r == '\u202E' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// addresses are at most 100, and never nil.
func addresses(list []jmap.Address) []Address {
	out := []Address{}
	for _, a := range list[:min(len(list), maxAddresses)] {
		out = append(out, Address{line(text(a.Name), maxName), line(a.Email, maxAddress)})
	}
	return out
}

// jmapID is RFC 8620 section 1.2.
var jmapID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// messageID is RFC 5322 section 3.6.4 less its rarer forms: what cannot end a header.
var messageID = regexp.MustCompile(`^[!-;=?-~]{1,250}$`)

// references reads ids of messages from a text, in which angle brackets and white space divide
// them, or a list of texts. ok is false for anything else.
func references(raw json.RawMessage) (ids []string, ok bool) {
	var one string
	list := []string{}
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, true
	case json.Unmarshal(raw, &one) == nil:
		list = append(list, one)
	case json.Unmarshal(raw, &list) != nil:
		return nil, false
	}
	for _, s := range list {
		for _, id := range strings.FieldsFunc(s, func(r rune) bool { return r == '<' || r == '>' || unicode.IsSpace(r) }) {
			if !messageID.MatchString(id) {
				return nil, false
			}
			ids = append(ids, id)
		}
	}
	return ids[max(0, len(ids)-maxRefs):], true
}

// oneLine tells whether a text that is to be sent is one line without tricks.
func oneLine(s string) bool { return line(s, utf8.RuneCountInString(s)) == s }
