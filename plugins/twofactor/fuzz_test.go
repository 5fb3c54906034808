package twofactor

import (
	"strings"
	"testing"
	"time"
)

// FuzzStored reads what may stand in a row or cookie: nothing panics, and what is taken
// has the form that it is taken for.
func FuzzStored(f *testing.F) {
	for _, s := range []string{"", "base32:JBSWY3DPEHPK3PXP", "base32:jbswy3dp====", "base32:1", "123456:0", "a:b:3", ":", "x!trust-device-" + strings.Repeat("a", 32),
		"2fa-" + strings.Repeat("a", 20), "2fa-otp-" + strings.Repeat("a", 16), `["a-b"]`, `[1]`, "null", `{"methods":["pwd"]}`, `{"methods":[]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, err := secretKey([]byte(s)); err == nil && len(key) == 0 {
			t.Error("an empty key")
		}
		if _, id, ok := splitTrust(s); ok && (!strings.HasPrefix(id, trustPrefix) || !strings.HasSuffix(s, id) || strings.Contains(id[len(trustPrefix):], ":")) && len(id) != 45 {
			t.Errorf("%q is a trusted device", s)
		}
		if isChallenge(s) && (len(s) != 24 || strings.HasPrefix(s, "2fa-otp-")) {
			t.Errorf("%q is a challenge", s)
		}
		if prefix, n := parseOTP(s); !strings.HasPrefix(s, prefix) || n >= 0 && !strings.HasSuffix(prefix, ":") {
			t.Errorf("%q is %q and %d", s, prefix, n)
		}
		if _, err := parseBackupCodes([]byte(s)); err != nil && strings.Contains(err.Error(), s) && len(s) > 8 {
			t.Error("the error tells what is stored")
		}
		if p, err := parseFirstProof(s); err == nil && len(p.Methods) == 0 {
			t.Error("no proof at all")
		}
	})
}

// FuzzCode never takes a code that is not the right digits.
func FuzzCode(f *testing.F) {
	o, key, now := totpParams{6, 30}, []byte("kEPOMeklvXUu5JRzYXInnVcws6JLL8zf"), time.Unix(1700000000, 0)
	right := map[string]bool{}
	for s := now.Unix()/30 - 1; s <= now.Unix()/30+1; s++ {
		c, err := o.at(key, s)
		if err != nil {
			f.Fatal(err)
		}
		right[c] = true
		f.Add(c)
	}
	for _, s := range []string{"", " 887577", "88757\x00", "\u0668\u0668", "-87577", "8875770"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok, err := o.match(key, s, now); err != nil || ok != right[s] {
			t.Errorf("%q: %v, %v", s, ok, err)
		}
	})
}
