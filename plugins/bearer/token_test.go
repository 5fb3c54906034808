package bearer

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer a": "a", "bearer a.b": "a.b", "BEARER \t a%20b \t": "a%20b", "Bearer a,b": "a,b",
		"": "", "Bearer": "", "Bearer ": "", "Bearer\ta": "", "Bearera": "", " Bearer a": "", "Bearer a b": "a b", "Bearer a\x00": "", "Bearer é": "",
		"Bearer " + strings.Repeat("a", 4090): "", "Basic a": "",
	} {
		got, ok := parse(header)
		if got != want || ok != (want != "") {
			t.Errorf("parse(%.20q) = %q, %v; want %q", header, got, ok, want)
		}
	}
	if long := strings.Repeat("a", 4096-7); func() string { s, _ := parse("Bearer " + long); return s }() != long {
		t.Error("a header of 4096 bytes is refused")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"Bearer a", "bearer  a.b%3D ", "Basic a", "", "Bearer \xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, ok := parse(header)
		if !ok {
			if token != "" {
				t.Fatalf("refused, with a token")
			}
			return
		}
		if token == "" || len(header) > maxHeader || strings.Trim(token, " \t") != token || !strings.HasSuffix(strings.TrimRight(header, " \t"), token) {
			t.Fatalf("parse(%q) = %q", header, token)
		}
		for _, r := range token {
			if r < ' ' || r > '~' {
				t.Fatalf("parse(%q) lets %q through", header, r)
			}
		}
	})
}
