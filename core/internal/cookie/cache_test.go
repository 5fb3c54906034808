package cookie

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

func TestJavaScriptForms(t *testing.T) {
	b, err := os.ReadFile("testdata/javascript.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases []struct{ Text, Plain, Dates string }
	}
	if err := json.Unmarshal(b, &f); err != nil || len(f.Cases) < 300 {
		t.Fatal(len(f.Cases), err)
	}
	for _, c := range f.Cases {
		if got, err := rewrite([]byte(c.Text), false); err != nil || string(got) != c.Plain {
			t.Errorf("%s: %s, %v; want %s", c.Text, got, err, c.Plain)
		}
		got, err := rewrite([]byte(c.Text), true)
		if err != nil || string(got) != c.Dates {
			t.Errorf("%s with dates: %s, %v; want %s", c.Text, got, err, c.Dates)
		}
		if again, err := rewrite(got, true); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: not stable: %s", got, again)
		}
	}
}

func TestRewriteRefuses(t *testing.T) {
	for _, s := range []string{
		"", " ", "{", "[", "[1,]", "{,}", `{"a":1,}`, `{"a" 1}`, `{a:1}`, `"a`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\x01\"", "\"\n\"",
		"\"\xff\"", "\"\xed\xa0\x80\"", "01", "-", "1.", ".5", "1e", "+1", "1e400", "NaN", "tru", "nulll", "1 2", "[1}",
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"__proto__":1}`, `[{"x":{"__proto__":1}}]`,
		`{"k":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + "}",
		strings.Repeat("[", 100000), "\ufeff{}",
	} {
		if got, err := rewrite([]byte(s), false); err == nil || got != nil {
			t.Errorf("%.40q: %.40q, %v", s, got, err)
		}
	}
	if got, err := rewrite([]byte(`"9999-12-31T24:00:00Z"`), true); err == nil {
		t.Errorf("year 10000: %s", got)
	}
}

func TestMarshalJS(t *testing.T) {
	got, err := MarshalJS(struct {
		S string            `json:"s"`
		N float64           `json:"n"`
		I int64             `json:"i"`
		M map[string]string `json:"m"`
		R json.RawMessage   `json:"r"`
		D string            `json:"d"`
	}{"<>&\u2028\u2029\b\f\x01\x7f\xff", 1e21, 1795426634277, map[string]string{"b": "", "10": "", "9": ""}, json.RawMessage(` { "z" : "\ud800" } `), "2026-01-01T00:00:00Z"})
	want := "{\"s\":\"<>&\u2028\u2029\\b\\f\\u0001\x7f\ufffd\",\"n\":1e+21,\"i\":1795426634277,\"m\":{\"9\":\"\",\"10\":\"\",\"b\":\"\"},\"r\":{\"z\":\"\\ud800\"},\"d\":\"2026-01-01T00:00:00Z\"}"
	if err != nil || string(got) != want {
		t.Errorf("%s %v\nwant %s", got, err, want)
	}
	if _, err := MarshalJS(math.Inf(1)); err == nil {
		t.Error("infinity was written")
	}
}

func payloadOf(t *testing.T, decoded json.RawMessage) CachePayload {
	t.Helper()
	var v struct {
		Session, User json.RawMessage
		UpdatedAt     int64
		Version       string
	}
	if err := json.Unmarshal(decoded, &v); err != nil {
		t.Fatal(err)
	}
	return CachePayload{Session: v.Session, User: v.User, UpdatedAt: v.UpdatedAt, Version: v.Version}
}

func TestCompactVectors(t *testing.T) {
	v := load(t)
	keys := [][]byte{[]byte(v.Secret)}
	seen := 0
	for _, d := range v.Data {
		if d.Strategy != "compact" {
			continue
		}
		seen++
		var outer struct {
			Session   json.RawMessage
			ExpiresAt int64
		}
		if err := json.Unmarshal(d.Decoded, &outer); err != nil {
			t.Fatal(err)
		}
		want := payloadOf(t, outer.Session)
		want.ExpiresAt = outer.ExpiresAt
		got, ok := DecodeCompact(keys, d.Value)
		if !ok || got.UpdatedAt != want.UpdatedAt || got.Version != want.Version || got.ExpiresAt != want.ExpiresAt {
			t.Errorf("%s: %+v %v", d.What, got, ok)
		}
		if again := EncodeCompact(keys[0], want); again != d.Value {
			t.Errorf("%s: encoded\n%s\nwant\n%s", d.What, again, d.Value)
		}
		if d.MACInput != "" {
			b, err := got.encode()
			mac := strings.TrimSuffix(string(b), "}") + `,"expiresAt":1795426934277}`
			if err != nil || mac != d.MACInput {
				t.Errorf("MAC input %s", mac)
			}
		}
	}
	if seen != 3 {
		t.Fatalf("%d compact vectors", seen)
	}
}

func TestCompactCases(t *testing.T) {
	v := load(t)
	if len(v.DataCases) != 13 {
		t.Fatalf("%d cases", len(v.DataCases))
	}
	for _, c := range v.DataCases {
		p, ok := DecodeCompact([][]byte{[]byte("another"), []byte(v.Secret)}, c.Value)
		if ok { // the two comparisons with the clock that are the caller's
			var s struct{ ExpiresAt time.Time }
			if err := json.Unmarshal(p.Session, &s); err != nil {
				t.Fatal(err)
			}
			ok = p.ExpiresAt >= c.At && s.ExpiresAt.UnixMilli() >= c.At
		}
		if ok != c.Valid {
			t.Errorf("%s: %v, want %v", c.What, ok, c.Valid)
		}
		if c.What == `no version member (counts as "1")` && p.Version != "1" {
			t.Errorf("version %q", p.Version)
		}
		if _, ok := DecodeCompact([][]byte{[]byte("another")}, c.Value); ok {
			t.Errorf("%s: accepted under another key", c.What)
		}
	}
}

const (
	okSession = `{"id":"s","userId":"u","token":"t","expiresAt":"2030-01-01T00:00:00.000Z"}`
	okUser    = `{"id":"u","email":"e","name":"n"}`
)

var testPayload = CachePayload{Session: json.RawMessage(okSession), User: json.RawMessage(okUser), UpdatedAt: 5, Version: "1", ExpiresAt: 9}

func TestCompactSchema(t *testing.T) {
	key := []byte("k")
	for _, c := range []struct {
		name, session, user string
		want                bool
	}{
		{"least", okSession, okUser, true},
		{"short date", `{"id":"s","userId":"u","token":"t","expiresAt":"2030-01-01T00:00:00Z"}`, okUser, true},
		{"all", `{"id":"s","userId":"u","token":"t","expiresAt":"2030-01-01T00:00:00.000Z","ipAddress":null,"userAgent":"","createdAt":"2030-01-01T00:00:00.000Z","10":{"2":1,"1":[]}}`,
			`{"id":"u","email":"e","name":"\u003c\u2028","emailVerified":true,"image":null,"updatedAt":"2030-01-01T00:00:00.000Z"}`, true},
		{"no token", `{"id":"s","userId":"u","expiresAt":"2030-01-01T00:00:00.000Z"}`, okUser, false},
		{"token number", `{"id":"s","userId":"u","token":1,"expiresAt":"2030-01-01T00:00:00.000Z"}`, okUser, false},
		{"expiresAt text", `{"id":"s","userId":"u","token":"t","expiresAt":"soon"}`, okUser, false},
		{"expiresAt no date", `{"id":"s","userId":"u","token":"t","expiresAt":"2030-13-01T00:00:00.000Z"}`, okUser, false},
		{"expiresAt number", `{"id":"s","userId":"u","token":"t","expiresAt":9}`, okUser, false},
		{"createdAt null", `{"id":"s","userId":"u","token":"t","expiresAt":"2030-01-01T00:00:00.000Z","createdAt":null}`, okUser, false},
		{"ipAddress number", `{"id":"s","userId":"u","token":"t","expiresAt":"2030-01-01T00:00:00.000Z","ipAddress":1}`, okUser, false},
		{"no email", okSession, `{"id":"u","name":"n"}`, false},
		{"emailVerified null", okSession, `{"id":"u","email":"e","name":"n","emailVerified":null}`, false},
		{"image number", okSession, `{"id":"u","email":"e","name":"n","image":1}`, false},
	} {
		p := testPayload
		p.Session, p.User = json.RawMessage(c.session), json.RawMessage(c.user)
		raw := EncodeCompact(key, p)
		got, ok := DecodeCompact([][]byte{key}, raw)
		if raw == "" || ok != c.want {
			t.Errorf("%s: %v", c.name, ok)
		}
		if !ok && (got.Session != nil || got.User != nil) {
			t.Errorf("%s: content beside a refusal", c.name)
		}
	}
	for _, bad := range []string{"", "{", "[]", `"x"`, "{},\"x\":{}", `{"a":1,"a":2}`} {
		p := testPayload
		if p.User = json.RawMessage(bad); EncodeCompact(key, p) != "" {
			t.Errorf("encoded user %q", bad)
		}
	}
}

// forgeCompact signs any payload, with expiresAt 9.
func forgeCompact(key []byte, payload string) string {
	var sig [43]byte
	compactMAC(&sig, key, []byte(payload), 9)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"session":` + payload + `,"expiresAt":9,"signature":"` + string(sig[:]) + `"}`))
}

func TestCompactBody(t *testing.T) {
	key := []byte("k")
	raw := EncodeCompact(key, testPayload)
	body, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		edit func(string) string
		want bool
	}{
		{"as it is", func(s string) string { return s }, true},
		{"spaces", func(s string) string { return " " + strings.ReplaceAll(s, `,"`, ` , "`) + "\n" }, true},
		{"escapes", func(s string) string { return strings.ReplaceAll(s, `"token"`, `"\u0074oken"`) }, true},
		{"dates shortened", func(s string) string { return strings.ReplaceAll(s, "00.000Z", "00Z") }, true},
		{"padded signature", func(s string) string { return strings.TrimSuffix(s, `"}`) + `="}` }, true},
		{"further outer member", func(s string) string { return strings.TrimSuffix(s, "}") + `,"x":1}` }, true},
		{"expiresAt changed", func(s string) string { return strings.Replace(s, `"expiresAt":9`, `"expiresAt":10`, 1) }, false},
		{"expiresAt twice", func(s string) string { return strings.TrimSuffix(s, "}") + `,"expiresAt":10}` }, false},
		{"expiresAt in the payload", func(s string) string { return strings.Replace(s, `"updatedAt":5`, `"expiresAt":9,"updatedAt":5`, 1) }, false},
		{"no signature", func(s string) string { return s[:strings.Index(s, `,"signature"`)] + "}" }, false},
		{"empty signature", func(s string) string { return s[:strings.Index(s, `,"signature"`)] + `,"signature":""}` }, false},
		{"order changed", func(s string) string {
			return strings.Replace(s, `"updatedAt":5,"version":"1"`, `"version":"1","updatedAt":5`, 1)
		}, false},
		{"an array", func(s string) string { return "[" + s + "]" }, false},
	} {
		edited := base64.RawURLEncoding.EncodeToString([]byte(c.edit(string(body))))
		if _, ok := DecodeCompact([][]byte{key}, edited); ok != c.want {
			t.Errorf("%s: %v", c.name, ok)
		}
	}
	for name, v := range map[string]string{
		"newline": raw[:8] + "\n" + raw[8:], "escape": raw + "%zz", "both alphabets": raw + "+-", "empty": "", "long": strings.Repeat("A", maxValue+1),
	} {
		if _, ok := DecodeCompact([][]byte{key}, v); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, keys := range [][][]byte{nil, {nil}, {{}}} {
		if _, ok := DecodeCompact(keys, forgeCompact(nil, `{"session":`+okSession+`,"user":`+okUser+`,"updatedAt":5}`)); ok {
			t.Errorf("accepted with keys %v", keys)
		}
	}
	for payload, want := range map[string]bool{
		`{"session":` + okSession + `,"user":` + okUser + `,"updatedAt":5}`:                             true,
		`{"session":` + okSession + `,"user":` + okUser + `,"updatedAt":5,"more":[]}`:                   true,
		`{"session":` + okSession + `,"user":` + okUser + `,"updatedAt":5,"expiresAt":99}`:              false,
		`{"session":` + okSession + `,"user":` + okUser + `,"updatedAt":"5"}`:                           false,
		`{"session":` + okSession + `,"user":` + okUser + `,"updatedAt":5,"version":1}`:                 false,
		`{"session":` + okSession + `,"user":` + okUser + `}`:                                           false,
		`{"session":` + okSession + `,"updatedAt":5}`:                                                   false,
		`{"user":` + okUser + `,"updatedAt":5}`:                                                         false,
		`{"session":` + okSession + `,"user":` + okUser + `,"updatedAt":5,"__proto__":{"version":"9"}}`: false,
	} {
		if _, ok := DecodeCompact([][]byte{key}, forgeCompact(key, payload)); ok != want {
			t.Errorf("%s: %v", payload, ok)
		}
	}
}

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

func TestJWE(t *testing.T) {
	v := load(t)
	key := []byte(v.Secret)
	d := v.Data[4]
	var times struct{ Iat, Exp int64 }
	if err := json.Unmarshal(d.Decoded, &times); err != nil || d.Strategy != "jwe" {
		t.Fatal(err, d.Strategy)
	}
	now := time.Unix(times.Iat, 0)
	p, ok := DecodeJWE([][]byte{[]byte("other"), key}, d.Value, now)
	want := payloadOf(t, d.Decoded)
	if !ok || p.ExpiresAt != times.Exp*1000 || p.UpdatedAt != want.UpdatedAt || p.Version != want.Version {
		t.Fatalf("%+v %v", p, ok)
	}
	if _, ok := DecodeJWE([][]byte{[]byte("other")}, d.Value, now); ok {
		t.Error("accepted with an unknown kid")
	}
	for at, want := range map[int64]bool{times.Exp: true, times.Exp + 14: true, times.Exp + 15: false} {
		if _, ok := DecodeJWE([][]byte{key}, d.Value, time.Unix(at, 0)); ok != want {
			t.Errorf("at exp%+d: %v", at-times.Exp, ok)
		}
	}
	raw, err := EncodeJWE(rand.Reader, key, want, now, 300*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if h, w := raw[:strings.IndexByte(raw, '.')], d.Value[:strings.IndexByte(d.Value, '.')]; h != w {
		t.Errorf("header %s, want %s", h, w)
	}
	q, ok := DecodeJWE([][]byte{key}, raw, now)
	if !ok || !bytes.Equal(q.Session, p.Session) || !bytes.Equal(q.User, p.User) || q.ExpiresAt != p.ExpiresAt {
		t.Errorf("round trip %+v %v", q, ok)
	}
	if _, ok := OpenClaims([][]byte{key}, SaltAccount, raw, now); ok {
		t.Error("opened under another salt")
	}
	flip := []byte(raw)
	flip[len(flip)-30] ^= 1
	zip := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}`)) + raw[strings.IndexByte(raw, '.'):]
	for name, s := range map[string]string{"altered": string(flip), "line end": raw + "\n", "zip": zip, "empty": "", "dots": strings.Repeat(".", 5000), "four": "...."} {
		if _, ok := DecodeJWE([][]byte{key}, s, now); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := EncodeJWE(iotest.ErrReader(errors.New("broken")), key, want, now, time.Minute); err == nil {
		t.Error("a broken source of randomness was not noticed")
	}
}

func TestAccountData(t *testing.T) {
	v := load(t)
	a := v.Account[0]
	var times struct{ Iat int64 }
	if err := json.Unmarshal(a.Payload, &times); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(times.Iat, 0)
	want, err := MarshalJS(a.Payload)
	if err != nil {
		t.Fatal(err)
	}
	// The secret that the vector's kid belongs to is in the middle.
	secrets := [][]byte{[]byte("rotated-secret-abcdefghijklmnopqrstuvwxyz-2"), []byte(v.Secret), []byte("x")}
	got, ok := OpenClaims(secrets, SaltAccount, a.Token, now)
	if !ok || !bytes.Equal(got, want) {
		t.Errorf("%s %v\nwant %s", got, ok, want)
	}
	if _, ok := DecodeJWE(secrets, a.Token, now); ok {
		t.Error("account data was taken for a session")
	}
	for _, bad := range []string{`[]`, `{"exp":1}`, `{`} {
		if _, err := SealClaims(rand.Reader, secrets[0], SaltAccount, json.RawMessage(bad), now, time.Minute); err == nil {
			t.Errorf("sealed %s", bad)
		}
	}
}

func TestJWEWithoutKid(t *testing.T) {
	v := load(t)
	key, _, err := jweKey([]byte("second"), SaltSession)
	if err != nil {
		t.Fatal(err)
	}
	encrypt := func(kid, body string, opts *jose.EncrypterOptions) string {
		t.Helper()
		e, err := jose.NewEncrypter(jose.A256CBC_HS512, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: kid}, opts)
		if err != nil {
			t.Fatal(err)
		}
		obj, err := e.Encrypt([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := obj.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for body, want := range map[string]bool{`{"exp":100}`: true, `{"exp":100,"nbf":116}`: false, `{"nbf":1}`: false, `{"exp":100,"exp":900}`: false, `{"EXP":100}`: false, `[]`: false} {
		raw := encrypt("", body, nil)
		secrets := [][]byte{[]byte(v.Secret), {}, []byte("second")}
		if _, ok := OpenClaims(secrets, SaltSession, raw, time.Unix(100, 0)); ok != want {
			t.Errorf("%s: %v", body, ok)
		}
		if _, ok := OpenClaims(secrets[:2], SaltSession, raw, time.Unix(100, 0)); ok {
			t.Errorf("%s: opened without its secret", body)
		}
	}
	secrets := [][]byte{[]byte("second")}
	if _, ok := OpenClaims(secrets, SaltSession, encrypt("another", `{"exp":100}`, nil), time.Unix(100, 0)); ok {
		t.Error("opened in spite of an unknown kid")
	}
	if _, ok := OpenClaims(secrets, SaltSession, encrypt("", `{"exp":100}`, &jose.EncrypterOptions{Compression: jose.DEFLATE}), time.Unix(100, 0)); ok {
		t.Error("opened a compressed token")
	}
}
