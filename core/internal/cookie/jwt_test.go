package cookie

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestJWT(t *testing.T) {
	v := load(t)
	key := []byte(v.Secret)
	d := v.Data[3]
	var times struct{ Iat, Exp int64 }
	if err := json.Unmarshal(d.Decoded, &times); err != nil || d.Strategy != "jwt" {
		t.Fatal(err, d.Strategy)
	}
	now := time.Unix(times.Iat, 999e6)
	p, ok := DecodeJWT([][]byte{[]byte("other"), key}, d.Value, now)
	if !ok || p.ExpiresAt != times.Exp*1000 {
		t.Fatalf("%+v %v", p, ok)
	}
	want := payloadOf(t, d.Decoded)
	if again, err := EncodeJWT(key, want, now, 300*time.Second); err != nil || again != d.Value {
		t.Errorf("encoded %s, %v\nwant %s", again, err, d.Value)
	}
	if _, ok := DecodeJWT([][]byte{key}, d.Value, time.Unix(times.Exp-1, 999e6)); !ok {
		t.Error("refused in its last second")
	}
	if _, ok := DecodeJWT([][]byte{key}, d.Value, time.Unix(times.Exp, 0)); ok {
		t.Error("accepted at exp")
	}
	plugin := v.Data[5] // signed by the jwks key
	if _, ok := DecodeJWT([][]byte{key}, plugin.Value, now); ok {
		t.Error("a token of another algorithm was accepted")
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + d.Value[strings.IndexByte(d.Value, '.'):]
	for name, raw := range map[string]string{
		"none": none, "none unsigned": none[:strings.LastIndexByte(none, '.')+1], "dots": jwtHeader + strings.Repeat(".", 1000),
		"cut": d.Value[:len(d.Value)-1], "empty": "", "line end": d.Value + "\n", "padding": d.Value + "=", "unsigned": d.Value[:strings.LastIndexByte(d.Value, '.')+1],
	} {
		if _, ok := DecodeJWT([][]byte{key}, raw, now); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	signing := d.Value[:strings.LastIndexByte(d.Value, '.')]
	sig, err := jwt.SigningMethodHS256.Sign(signing, []byte{})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{d.Value, signing + "." + base64.RawURLEncoding.EncodeToString(sig)} {
		for _, keys := range [][][]byte{nil, {nil}, {{}}, {[]byte("other")}} {
			if _, ok := DecodeJWT(keys, raw, now); ok {
				t.Errorf("accepted with keys %q", keys)
			}
		}
	}
}

// TestJWTClaims signs contents that no encoder makes.
func TestJWTClaims(t *testing.T) {
	key, now := []byte("k"), time.Unix(100, 0)
	least := `"session":` + okSession + `,"user":` + okUser + `,"updatedAt":1`
	for body, want := range map[string]bool{
		"{" + least + `,"exp":101}`:           true,
		"{" + least + `,"exp":101,"nbf":100}`: true,
		"{" + least + `,"exp":101,"nbf":101}`: false,
		"{" + least + `,"exp":100}`:           false,
		"{" + least + `}`:                     false,
		"{" + least + `,"exp":null}`:          false,
		"{" + least + `,"exp":"101"}`:         false,
		"{" + least + `,"EXP":101}`:           false,
		"{" + least + `,"exp":100,"exp":101}`: false,
		`{"session":{},"user":{},"exp":101}`:  false,
		`{"exp":101}`:                         false,
		`null`:                                false,
		`[]`:                                  false,
	} {
		signing := jwtHeader + "." + base64.RawURLEncoding.EncodeToString([]byte(body))
		sig, err := jwt.SigningMethodHS256.Sign(signing, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := DecodeJWT([][]byte{key}, signing+"."+base64.RawURLEncoding.EncodeToString(sig), now); ok != want {
			t.Errorf("%s: %v", body, ok)
		}
	}
}
