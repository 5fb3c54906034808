package input

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core/internal/origin/weburl"
)

// check is one rule on a value that has the right type.
type check struct {
	op    op
	limit float64
	text  string // of the limit, as it stands in messages
}

type op uint8

const (
	opMin op = iota
	opMax
	opEmail
	opURL
	opTrim
)

// splitRules takes the rule about the whole body out.
func splitRules(tag string) (rules []string, body bool) {
	if tag == "" {
		return nil, false
	}
	for rule := range strings.SplitSeq(tag, ",") {
		if rule == "body" {
			body = true
		} else {
			rules = append(rules, rule)
		}
	}
	return rules, body
}

var (
	errKind  = errors.New("does not apply to this type")
	errValue = errors.New("has no usable value")
)

// known are all rules but body, loose and union, which few inputs need, for messages.
const known = ": there are email, url, nonempty, min=N, max=N, enum=A|B, trim, default=VALUE, optional, nullable, coerce, single"

// rule adds one rule of an input tag.
func (s *schema) rule(rule string) error {
	name, value, hasValue := strings.Cut(rule, "=")
	if hasValue != (name == "min" || name == "max" || name == "enum" || name == "default") {
		return errors.New("is unknown, lacks its value or takes none" + known)
	}
	switch name {
	case "optional":
		s.optional = true
	case "required":
		s.optional = false
		if !s.pointer {
			return errKind
		}
	case "nullable":
		s.nullable = true
	case "coerce":
		s.coerce = true
		return s.only(wantBool, wantString)
	case "single":
		s.single = true
		if s.want != wantArray || s.elem.want != wantString {
			return errKind
		}
	case "email", "url", "trim":
		s.checks = append(s.checks, check{op: map[string]op{"email": opEmail, "url": opURL, "trim": opTrim}[name]})
		return s.only(wantString)
	case "nonempty":
		s.checks = append(s.checks, check{op: opMin, limit: 1, text: "1"})
		return s.only(wantString, wantArray)
	case "min", "max":
		return s.bound(name, value)
	case "enum":
		s.enum = strings.Split(value, "|")
		if value == "" {
			return errValue
		}
		return s.only(wantString)
	case "default":
		return s.setDefault(value)
	default:
		return errors.New("is unknown" + known)
	}
	return nil
}

func (s *schema) only(wants ...want) error {
	for _, w := range wants {
		if s.want == w {
			return nil
		}
	}
	return errKind
}

func (s *schema) bound(name, value string) error {
	limit, err := strconv.ParseFloat(value, 64)
	sized := s.want == wantString || s.want == wantArray
	if err != nil || sized && (limit < 0 || limit != float64(int(limit))) {
		return errValue
	}
	c := check{op: opMin, limit: limit, text: jsNumber(limit)}
	if name == "max" {
		c.op = opMax
		if s.want == wantArray {
			s.maxItems = int(limit)
		}
	}
	s.checks = append(s.checks, c)
	return s.only(wantString, wantArray, wantInt, wantFloat)
}

func (s *schema) setDefault(value string) error {
	t := s.typ
	if s.opt {
		t = t.Field(2).Type
	} else if s.pointer {
		t = t.Elem()
	}
	v := reflect.New(t).Elem()
	var err error
	switch s.want {
	case wantString:
		v.SetString(value)
	case wantBool:
		var b bool
		b, err = strconv.ParseBool(value)
		v.SetBool(b)
	case wantInt:
		var n int64
		n, err = strconv.ParseInt(value, 10, 64)
		v.SetInt(n)
	case wantFloat:
		var f float64
		f, err = strconv.ParseFloat(value, 64)
		v.SetFloat(f)
	default:
		return errKind
	}
	if err != nil {
		return errValue
	}
	s.fallback = v
	return nil
}

// finish composes the message for a value of another type; the type received follows it.
func (s *schema) finish() {
	switch {
	case s.single:
		s.mismatch = "Invalid input"
	case len(s.enum) == 1:
		s.mismatch = `Invalid input: expected "` + s.enum[0] + `"`
	case s.enum != nil:
		s.mismatch = `Invalid option: expected one of "` + strings.Join(s.enum, `"|"`) + `"`
	default:
		s.mismatch = "Invalid input: expected " + [...]string{
			wantString: "string", wantBool: "boolean", wantInt: "number", wantFloat: "number", wantArray: "array",
			wantRecord: "record", wantObject: "object", wantAny: "nonoptional", wantRaw: "nonoptional",
		}[s.want] + ", received "
		if s.coerce {
			s.mismatch = "Invalid input: expected nonoptional, received "
		}
	}
}

// isURL trims as zod does, and returns the text that it hands on.
func isURL(s string) (string, bool) {
	s = trim(s)
	if _, ok := weburl.Parse(s); !ok {
		return "", false
	}
	return strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s), true
}

// trim takes JavaScript's white space off both ends, which is not quite Unicode's.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch r {
		case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
			return true
		}
		return 0x2000 <= r && r <= 0x200a
	})
}

// maxEmail is in bytes: 64 of a local part, the @, and 255 of a domain (RFC 5321, section
// 4.5.3.1). A longer one is no address, and would fail later, in an index or a mail.
const maxEmail = 320

// isEmail is zod's practical pattern for addresses of at most maxEmail bytes, in one pass:
//
//	local  dot-separated parts of letters, digits and _ ' + -, none empty, the last
//	       not ending in an apostrophe
//	domain at least two labels of letters, digits and -, none beginning with -, the
//	       last of at least two letters alone
func isEmail(s string) bool {
	at := strings.IndexByte(s, '@')
	if at <= 0 || len(s) > maxEmail {
		return false
	}
	for part := range strings.SplitSeq(s[:at], ".") {
		if part == "" || !allBytes(part, "_'+-") {
			return false
		}
	}
	if s[at-1] == '\'' {
		return false
	}
	domain := s[at+1:]
	dot := strings.LastIndexByte(domain, '.')
	if dot < 0 || len(domain)-dot <= 2 {
		return false
	}
	for _, c := range []byte(domain[dot+1:]) {
		if !letter(c) {
			return false
		}
	}
	for label := range strings.SplitSeq(domain[:dot], ".") {
		if label == "" || label[0] == '-' || !allBytes(label, "-") {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// allBytes reports whether s holds letters, digits and the bytes of extra only.
func allBytes(s, extra string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || !letter(c) && (c < '0' || c > '9') && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}
