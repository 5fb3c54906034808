// Package glob compiles the wildcard patterns that trusted origins and rate-limit paths
// are written in, with the meaning that Better Auth gives them:
//
//   - "*" stands for any run of characters, also an empty one, but no slash;
//   - "?" stands for exactly one character, but no slash;
//   - "**" as a whole segment stands for any number of segments;
//   - a slash in the pattern stands for one or more, and a pattern that does not end in
//     one may be followed by any number of them;
//   - "\" in the text is a slash.
//
// Everything else, dots too, stands for itself. Patterns hold no escapes.
package glob

import (
	"errors"
	"regexp"
	"strings"
)

// Pattern is a compiled wildcard pattern, safe for concurrent use. Matching takes time
// linear in the text.
type Pattern struct{ re *regexp.Regexp }

// Has reports whether p holds a wildcard.
func Has(p string) bool { return strings.ContainsAny(p, "*?") }

const (
	run      = `[^/\\]*`
	one      = `[^/\\\x{10000}-\x{10FFFF}]` // two UTF-16 units are not one character
	slashes  = `[/\\]+`
	trailing = `[/\\]*`
)

// Compile refuses a pattern with a backslash.
func Compile(pattern string) (*Pattern, error) {
	if strings.Contains(pattern, `\`) {
		return nil, errors.New("glob: a pattern cannot hold a backslash")
	}
	segments := strings.Split(pattern, "/")
	var b strings.Builder
	b.WriteString(`\A`)
	for i, seg := range segments {
		if seg == "" && i > 0 {
			continue
		}
		sep := slashes
		if last := i == len(segments)-1; last {
			sep = trailing
		} else if segments[i+1] == "**" {
			sep = ""
		}
		if seg != "**" {
			segment(&b, seg)
			b.WriteString(sep)
		} else if sep != "" {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString("(?:" + run + sep + ")*")
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, err
	}
	return &Pattern{re: re}, nil
}

func segment(b *strings.Builder, s string) {
	for s != "" {
		i := strings.IndexAny(s, "*?")
		if i < 0 {
			i = len(s)
		}
		b.WriteString(regexp.QuoteMeta(s[:i]))
		if i == len(s) {
			return
		}
		if s[i] == '*' {
			b.WriteString(run)
		} else {
			b.WriteString(one)
		}
		s = s[i+1:]
	}
}

// Match reports whether the whole of s is described by the pattern.
func (p *Pattern) Match(s string) bool { return p.re.MatchString(s) }
