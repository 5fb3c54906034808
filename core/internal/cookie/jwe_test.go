package cookie

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

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
	if _, ok := openClaims([][]byte{key}, saltAccount, raw, now); ok {
		t.Error("opened under another salt")
	}
	flip := []byte(raw)
	flip[len(flip)-30] ^= 1
	zip := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}`)) + raw[strings.IndexByte(raw, '.'):]
	for name, s := range map[string]string{"altered": string(flip), "line end": raw + "\n", "zip": zip, "encrypted key": strings.Replace(raw, "..", ".AAAA.", 1), "empty": "", "dots": strings.Repeat(".", 5000), "four": "...."} {
		if _, ok := DecodeJWE([][]byte{key}, s, now); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := EncodeJWE(iotest.ErrReader(errors.New("broken")), key, want, now, time.Minute); err == nil {
		t.Error("a broken source of randomness was not noticed")
	}
}

// saltAccount makes the key of account_data, which nothing here writes: the vector shows
// that one kind of content is not taken for another.
const saltAccount = "better-auth-account"

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
	got, ok := openClaims(secrets, saltAccount, a.Token, now)
	if !ok || !bytes.Equal(got.body, want) {
		t.Errorf("%s %v\nwant %s", got.body, ok, want)
	}
	if _, ok := DecodeJWE(secrets, a.Token, now); ok {
		t.Error("account data was taken for a session")
	}
	for _, bad := range []string{`[]`, `{"exp":1}`, `{`} {
		if _, err := sealClaims(rand.Reader, secrets[0], saltAccount, json.RawMessage(bad), now, time.Minute); err == nil {
			t.Errorf("sealed %s", bad)
		}
	}
}

func TestJWEWithoutKid(t *testing.T) {
	v := load(t)
	key, _, err := jweKey([]byte("second"), saltSession)
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
		if _, ok := openClaims(secrets, saltSession, raw, time.Unix(100, 0)); ok != want {
			t.Errorf("%s: %v", body, ok)
		}
		if _, ok := openClaims(secrets[:2], saltSession, raw, time.Unix(100, 0)); ok {
			t.Errorf("%s: opened without its secret", body)
		}
	}
	secrets := [][]byte{[]byte("second")}
	if _, ok := openClaims(secrets, saltSession, encrypt("another", `{"exp":100}`, nil), time.Unix(100, 0)); ok {
		t.Error("opened in spite of an unknown kid")
	}
	if _, ok := openClaims(secrets, saltSession, encrypt("", `{"exp":100}`, &jose.EncrypterOptions{Compression: jose.DEFLATE}), time.Unix(100, 0)); ok {
		t.Error("opened a compressed token")
	}
}
