package passkey

import (
	"testing"
)

// FuzzRegister: nothing that a client sends passes or panics.
func FuzzRegister(f *testing.F) {
	f.Add(raw(newKey(-7).register(chal2)))
	f.Add(raw(newKey(-8).assert(chal)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := testVerifier().register(b, expectation{"never sent", false}); err == nil {
			t.Fatalf("%q passes", b)
		}
	})
}

func FuzzAuthenticate(f *testing.F) {
	k, row := enrolled(f, -7)
	f.Add(raw(k.assert(chal)))
	f.Add(raw(k.register(chal2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := testVerifier().authenticate(b, row, expectation{"never sent", false}); err == nil {
			t.Fatalf("%q passes", b)
		}
	})
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(`{"type":"registration","expectedChallenge":"x","userData":{"id":"u","name":"n"},"context":null}`)
	f.Fuzz(func(t *testing.T, s string) {
		ch, ok := parseChallenge(s, "registration")
		if !ok {
			return
		}
		again, err := ch.encode()
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := parseChallenge(again, "registration"); !ok || c.Expected != ch.Expected || c.User.ID != ch.User.ID || c.Policy != ch.Policy {
			t.Fatalf("%q becomes %q", s, again)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for name, alg := range map[string]int{"ES256": -7, "EdDSA": -8, "RS256": -257} {
		k, row := enrolled(b, alg)
		answer, v := raw(k.assert(chal2)), testVerifier()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.authenticate(answer, row, expectation{chal2, true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
