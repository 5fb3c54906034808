package glob

import (
	"regexp"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a/b.c", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"*.example.com", "a.b.example.com", true},
		{"*.example.com", "example.com", false},
		{"*.example.com", "a.example.com.evil", false},
		{"a*b*c", "axxbxxbc", true},
		{"a*b*c", "axxcxxb", false},
		{"**", "anything", true},
		{"a.c", "abc", false},
		{"A", "a", false},
		{`\*`, "*", false},
		{`\*`, `\anything`, true},
		{"?", "ä", true},
		{"?", "😀", false},
		{"??", "😀", true},
		{"*[a]", "x[a]", true},
	} {
		if got := Match(c.pattern, c.s); got != c.want {
			t.Errorf("Match(%q, %q) = %v, want %v", c.pattern, c.s, got, c.want)
		}
	}
}

func TestHas(t *testing.T) {
	for s, want := range map[string]bool{"": false, "abc": false, "a*": true, "?a": true} {
		if got := Has(s); got != want {
			t.Errorf("Has(%q) = %v", s, got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("*.example.com", "a.example.com")
	f.Add("a?*b", "acccb")
	f.Fuzz(func(t *testing.T, p, s string) {
		if !ascii(p) || !ascii(s) || len(p) > 30 || len(s) > 60 || strings.Contains(s, "\n") {
			return
		}
		expr := regexp.QuoteMeta(p)
		expr = strings.ReplaceAll(expr, `\*`, ".*")
		expr = strings.ReplaceAll(expr, `\?`, ".")
		want := regexp.MustCompile("^(?s:" + expr + ")$").MatchString(s)
		if got := Match(p, s); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", p, s, got, want)
		}
	})
}
