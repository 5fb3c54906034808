package origin

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// corpus is testdata/corpus.json: the addresses that Better Auth trusts, per pattern.
type corpus struct {
	Patterns, URLs []string
	URL, Origin    map[string][]string
}

// stricter is testdata/stricter.json: what Better Auth trusts and we do not. An empty
// list of patterns means all.
type stricter struct {
	Why      string
	Patterns []string
	URLs     []string
}

func read(t testing.TB, name string, dst any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		t.Fatal(name, err)
	}
}

func TestCorpus(t *testing.T) {
	var c corpus
	read(t, "corpus.json", &c)
	var rules []stricter
	read(t, "stricter.json", &rules)
	used := make([]map[string]bool, len(rules))
	reason := func(pattern, url string) int {
		for i, r := range rules {
			if slices.Contains(r.URLs, url) && (len(r.Patterns) == 0 || slices.Contains(r.Patterns, pattern)) {
				return i
			}
		}
		return -1
	}
	pairs := 0
	for _, p := range c.Patterns {
		m, err := New([]string{p})
		if err != nil {
			t.Fatal(err)
		}
		check := func(kind string, theirs []string, ours func(string) bool) {
			for _, u := range c.URLs {
				pairs++
				want, got := slices.Contains(theirs, u), ours(u)
				if got == want {
					continue
				}
				i := reason(p, u)
				if got || i < 0 {
					t.Errorf("%s, pattern %q, %q: ours %v, Better Auth %v", kind, p, u, got, want)
					continue
				}
				if used[i] == nil {
					used[i] = map[string]bool{}
				}
				used[i][u] = true
			}
		}
		check("url", c.URL[p], m.URL)
		check("origin", c.Origin[p], m.Origin)
	}
	for i, r := range rules {
		for _, u := range r.URLs {
			if !used[i][u] {
				t.Errorf("%q is listed as stricter (%s), and is not", u, r.Why)
			}
		}
	}
	if pairs < 10000 {
		t.Errorf("only %d pairs", pairs)
	}
}
