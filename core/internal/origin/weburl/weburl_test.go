package weburl

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// verdict is one row of testdata/urls.json, written by testdata/urls.mjs.
type verdict struct {
	Input                        string
	OK                           bool
	Protocol, Host, Port, Origin string
}

func verdicts(t testing.TB) []verdict {
	raw, err := os.ReadFile("testdata/urls.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []verdict
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 200 {
		t.Fatalf("only %d rows", len(rows))
	}
	return rows
}

// stricter are inputs that the URL class takes and Parse refuses.
var stricter = map[string]string{}

func TestParseAgreesWithURLClass(t *testing.T) {
	for _, v := range verdicts(t) {
		u, ok := Parse(v.Input)
		if why, known := stricter[v.Input]; known {
			if ok || !v.OK {
				t.Errorf("%q: no longer stricter (%s)", v.Input, why)
			}
			continue
		}
		if ok != v.OK {
			t.Errorf("%q: ok = %v, URL class says %v", v.Input, ok, v.OK)
			continue
		}
		if !ok {
			if u != (URL{}) {
				t.Errorf("%q: refused, yet %+v", v.Input, u)
			}
			continue
		}
		if u.Scheme+":" != v.Protocol || u.Host != v.Host || u.Port != v.Port || u.Origin() != v.Origin {
			t.Errorf("%q: got %q %q %q %q, URL class says %q %q %q %q", v.Input,
				u.Scheme, u.Host, u.Port, u.Origin(), v.Protocol, v.Host, v.Port, v.Origin)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range verdicts(f) {
		f.Add(v.Input)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := Parse(s)
		if !ok {
			if u != (URL{}) {
				t.Fatalf("refused %q with %+v", s, u)
			}
			return
		}
		if strings.ContainsAny(u.Host, "/\\@?# \t\r\n") {
			t.Fatalf("%q: host %q", s, u.Host)
		}
		o := u.Origin()
		if o == "" {
			return
		}
		if again, ok := Parse(o); !ok || again != u {
			t.Fatalf("%q: origin %q reads as %+v, %v; was %+v", s, o, again, ok, u)
		}
	})
}
