package cookie

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzVerify(f *testing.F) {
	v := load(f)
	for _, c := range v.Cases {
		raw, _ := Lookup(c.Cookie, sessionName)
		f.Add(raw)
	}
	key := []byte(v.Secret)
	f.Fuzz(func(t *testing.T, raw string) {
		plain, i, ok := Verify([][]byte{key}, raw)
		if !ok {
			if plain != "" || i != -1 {
				t.Fatalf("%q %d beside a refusal", plain, i)
			}
			return
		}
		if Decode(Sign(key, plain)) != Decode(raw) {
			t.Fatalf("%q verifies but is not what Sign gives", raw)
		}
		if _, _, ok := Verify([][]byte{[]byte("another")}, raw); ok {
			t.Fatal("verifies under another key")
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("a b+%2B\"é")
	f.Fuzz(func(t *testing.T, s string) {
		e := Encode(s)
		if !isValue(e) {
			t.Fatalf("%q does not fit a header", e)
		}
		if utf8.ValidString(s) && Decode(e) != s {
			t.Fatalf("%q came back as %q", s, Decode(e))
		}
	})
}

func FuzzHeader(f *testing.F) {
	for _, s := range []string{"n=1", "n.0=a; n.1=b", `n="x"; n.0=%41`, ";=;n", "n.10=a;n.2=b;n.2=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		first, found := "", false
		for _, pair := range strings.Split(header, ";") {
			if k, v, ok := strings.Cut(pair, "="); ok && !found && strings.Trim(k, " \t") == "n" {
				first, found = strings.Trim(v, " \t"), true
			}
		}
		if v, ok := Lookup(header, "n"); v != first || ok != found {
			t.Fatalf("Lookup %q %v, want %q %v", v, ok, first, found)
		}
		v, ok := Join(header, "n")
		if ok && (v == "" || len(v) > len(header)) {
			t.Fatalf("Join %q", v)
		}
		Each(header, func(name, value string) {
			if (Cookie{Name: name, Value: value}).String() == "" {
				t.Fatalf("%q=%q is no cookie", name, value)
			}
		})
	})
}

func FuzzRewrite(f *testing.F) {
	for _, s := range []string{`{"b":[1.0e3,"\ud800\u0041"],"1":"2026-01-01T00:00:00.5Z","0":null}`, `[-0,1e21]`, okSession} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := rewrite(in, true)
		if err != nil {
			return
		}
		if !json.Valid(in) || !json.Valid(out) {
			t.Fatalf("%q became %q: not JSON", in, out)
		}
		if again, err := rewrite(out, true); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q became %q, then %q", in, out, again)
		}
		rest := append([]byte(nil), out...)
		if members(out, func(_, _ []byte) {}) != (rest[0] == '{') || !bytes.Equal(rest, out) {
			t.Fatal("members")
		}
	})
}

func FuzzDecodeCompact(f *testing.F) {
	v := load(f)
	for _, c := range v.DataCases {
		f.Add(c.Value)
	}
	key := []byte(v.Secret)
	f.Fuzz(func(t *testing.T, raw string) {
		p, ok := DecodeCompact([][]byte{key}, raw)
		if !ok {
			if p.Session != nil || p.User != nil || p.Version != "" {
				t.Fatal("content beside a refusal")
			}
			return
		}
		if q, ok := DecodeCompact([][]byte{key}, EncodeCompact(key, p)); !ok || !bytes.Equal(p.Session, q.Session) || !bytes.Equal(p.User, q.User) {
			t.Fatal("what was read cannot be written")
		}
	})
}

func FuzzDecodeJWT(f *testing.F) {
	v := load(f)
	key := []byte(v.Secret)
	now := time.UnixMilli(v.DataCases[0].At)
	for _, d := range v.Data {
		f.Add(d.Value)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, ok := DecodeJWT([][]byte{key}, raw, now)
		if q, also := DecodeJWE([][]byte{key}, raw, now); also && ok {
			t.Fatal("both a JWT and a JWE")
		} else if also {
			p, ok = q, also
		}
		if ok && (!json.Valid(p.Session) || !json.Valid(p.User)) {
			t.Fatal("content is no JSON")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	v := load(b)
	s, raw := NewSigner([][]byte{[]byte(v.Secret)}), v.Signed[0].Value
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := s.Verify(raw); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	v := load(b)
	header := "theme=dark; _ga=GA1.1.1; better-auth.session_data=" + v.Data[0].Value + "; " + sessionName + "=" + v.Signed[0].Value
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Lookup(header, sessionName); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkEncodeCompact(b *testing.B) {
	v := load(b)
	s := NewSigner([][]byte{[]byte(v.Secret)})
	p, ok := s.DecodeCompact(v.Data[0].Value)
	if !ok {
		b.Fatal("refused")
	}
	b.ReportAllocs()
	for b.Loop() {
		if s.EncodeCompact(p) == "" {
			b.Fatal("empty")
		}
	}
}

func BenchmarkDecodeCompact(b *testing.B) {
	v := load(b)
	s, raw := NewSigner([][]byte{[]byte(v.Secret)}), v.Data[0].Value
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.DecodeCompact(raw); !ok {
			b.Fatal("refused")
		}
	}
}
