package cookie

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

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
	NewSigner([][]byte{key}).keys[0].compact(&sig, []byte(payload), 9)
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
