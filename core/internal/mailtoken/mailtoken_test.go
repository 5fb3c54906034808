package mailtoken

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/cookie"
)

type vectors struct {
	Secret string
	JWTs   []struct {
		What, Token string
		Payload     struct {
			Email, UpdateTo, RequestType, UserID string
			Iat, Exp                             int64
		}
	} `json:"email_verification_jwt"`
}

func load(tb testing.TB) (v vectors) {
	tb.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil || len(v.JWTs) != 4 {
		tb.Fatal(err, len(v.JWTs))
	}
	return v
}

func TestVectors(t *testing.T) {
	v := load(t)
	key := []byte(v.Secret)
	for _, c := range v.JWTs {
		p := c.Payload
		want := Claims{p.Email, p.UpdateTo, p.RequestType, p.UserID, p.Iat, p.Exp, ""}
		got, err := Verify([][]byte{[]byte("other"), {}, key}, c.Token, time.Unix(p.Iat, 0))
		if err != nil || got != want {
			t.Errorf("%s: %+v %v", c.What, got, err)
		}
		want.Email = strings.ToUpper(want.Email) // is lower-cased again
		if s, err := Sign(key, want); err != nil || s != c.Token {
			t.Errorf("%s: signed %s, %v", c.What, s, err)
		}
		if _, err := Verify([][]byte{key}, c.Token, time.Unix(p.Exp-1, 999e6)); err != nil {
			t.Errorf("%s: in its last second: %v", c.What, err)
		}
		if got, err := Verify([][]byte{key}, c.Token, time.Unix(p.Exp, 0)); !errors.Is(err, ErrExpired) || got != (Claims{}) {
			t.Errorf("%s: at exp: %+v %v", c.What, got, err)
		}
		for _, keys := range [][][]byte{nil, {nil}, {[]byte("other")}} {
			for _, at := range []int64{p.Iat, p.Exp} { // a forged token is never "expired"
				if got, err := Verify(keys, c.Token, time.Unix(at, 0)); !errors.Is(err, ErrInvalid) || got != (Claims{}) {
					t.Errorf("%s: keys %q: %+v %v", c.What, keys, got, err)
				}
			}
		}
	}
}

// forge signs any header and body as HS256 does.
func forge(key []byte, header, body string) string {
	e := base64.RawURLEncoding
	s := e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(body))
	m := hmac.New(sha256.New, key)
	m.Write([]byte(s))
	return s + "." + e.EncodeToString(m.Sum(nil))
}

func TestVerifyClaims(t *testing.T) {
	key := []byte("k")
	const hs256 = `{"alg":"HS256"}`
	for _, c := range []struct {
		header, body string
		want         error
	}{
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":9}`, nil},
		{hs256, ` { "exp":9 , "iat":1, "userId":"u", "email":"\u0061@b" } `, nil},
		{hs256, `{"email":"a@b","updateTo":"c@d","userId":"u","iat":1,"exp":9}`, nil},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":2}`, ErrExpired},
		{hs256, `{"email":"a@b","userId":"u","iat":1}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","exp":9}`, nil},
		{hs256, `{"email":"a@b","iat":1,"exp":9}`, nil},
		{hs256, `{"userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{hs256, `{"email":"","userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"","iat":1,"exp":9}`, nil},
		{hs256, `{"email":1,"userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":"9"}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":9.5}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":null}`, ErrInvalid},
		{hs256, `{"email":"a@b","updateTo":null,"userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":2,"exp":9}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"EXP":9}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":9,"Email":"x@y"}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":1,"exp":9,"session":{}}`, ErrInvalid},
		{hs256, `{"email":"a@b","userId":"u","iat":9,"exp":3}`, ErrExpired},
		{hs256, `{"email":"a@b","requestType":"change-email-verification","userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{hs256, `{"email":"a@b","updateTo":"c@d","requestType":"other","userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{hs256, `null`, ErrInvalid},
		{hs256, `[]`, ErrInvalid},
		{hs256, ``, ErrInvalid},
		{`{"alg":"HS256","typ":"JWT"}`, `{"email":"a@b","userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{`{"alg":"HS384"}`, `{"email":"a@b","userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{`{"alg":"none"}`, `{"email":"a@b","userId":"u","iat":1,"exp":9}`, ErrInvalid},
		{`{"alg":"HS256","crit":["x"]}`, `{"email":"a@b","userId":"u","iat":1,"exp":9}`, ErrInvalid},
	} {
		got, err := Verify([][]byte{key}, forge(key, c.header, c.body), time.Unix(5, 0))
		if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) || (err == nil) != (got != Claims{}) {
			t.Errorf("%s %s: %+v %v, want %v", c.header, c.body, got, err, c.want)
		}
	}
	good := forge(key, hs256, `{"email":"a@b","userId":"u","iat":1,"exp":9}`)
	for name, s := range map[string]string{
		"empty": "", "dots": header + strings.Repeat(".", 1<<20), "one dot": header + ".", "cut": good[:len(good)-1],
		"unsigned": good[:strings.LastIndexByte(good, '.')+1], "newline": good + "\n", "padding": good + "=", "fourth": good + ".",
		"long": forge(key, hs256, `{"email":"a@b","userId":"`+strings.Repeat("u", maxToken)+`","iat":1,"exp":9}`),
	} {
		if _, err := Verify([][]byte{key}, s, time.Unix(5, 0)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int{maxToken - len(header), 1 << 20} {
		dots := header + strings.Repeat(".", size)
		if n := testing.AllocsPerRun(10, func() { Verify([][]byte{key}, dots, time.Unix(5, 0)) }); n != 0 {
			t.Errorf("%d dots: %v allocations", size, n)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	ok := Claims{Email: "a@b", UserID: "u", IssuedAt: 1, ExpiresAt: 2}
	if _, err := Sign([]byte("k"), ok); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*Claims){
		"no email":            func(c *Claims) { c.Email = "" },
		"no user":             func(c *Claims) { c.UserID = "" },
		"no iat":              func(c *Claims) { c.IssuedAt = 0 },
		"exp at iat":          func(c *Claims) { c.ExpiresAt = 1 },
		"request without new": func(c *Claims) { c.RequestType = ChangeEmailVerification },
		"unknown request":     func(c *Claims) { c.UpdateTo, c.RequestType = "c@d", "x" },
		"too long":            func(c *Claims) { c.Email = strings.Repeat("a", maxToken) },
	} {
		c := ok
		edit(&c)
		if s, err := Sign([]byte("k"), c); err == nil || s != "" {
			t.Errorf("%s: %q", name, s)
		}
	}
	if s, err := Sign(nil, ok); err == nil || s != "" {
		t.Error("signed with an empty key")
	}
}

// TestOtherKinds swaps the two tokens that are HS256 under the same key.
func TestOtherKinds(t *testing.T) {
	key, now := []byte("k"), time.Unix(1000, 0)
	cache, err := cookie.EncodeJWT(key, cookie.CachePayload{
		Session: json.RawMessage(`{"id":"s","userId":"u","token":"t","expiresAt":"2030-01-01T00:00:00.000Z","email":"a@b"}`),
		User:    json.RawMessage(`{"id":"u","email":"a@b","name":"n"}`), UpdatedAt: 1,
	}, now, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := cookie.DecodeJWT([][]byte{key}, cache, now); !ok {
		t.Fatal("the cache is not valid as such")
	}
	if _, err := Verify([][]byte{key}, cache, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("a session cache as mail token: %v", err)
	}
	mail, err := Sign(key, Claims{Email: "a@b", UserID: "u", IssuedAt: 1000, ExpiresAt: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := cookie.DecodeJWT([][]byte{key}, mail, now); ok {
		t.Error("a mail token as session cache")
	}
}

func FuzzVerify(f *testing.F) {
	v := load(f)
	key := []byte(v.Secret)
	for _, c := range v.JWTs {
		f.Add(c.Token, `{"email":"a@b","userId":"u","iat":1,"exp":9}`)
	}
	now := time.Unix(v.JWTs[0].Payload.Iat, 0)
	f.Fuzz(func(t *testing.T, token, body string) {
		for _, s := range []string{token, forge(key, `{"alg":"HS256"}`, body)} {
			c, err := Verify([][]byte{key}, s, now)
			if err != nil {
				if c != (Claims{}) || err != ErrInvalid && err != ErrExpired {
					t.Fatalf("%+v %v", c, err)
				}
				continue
			}
			if c.Email == "" || c.UserID == "" || c.ExpiresAt <= now.Unix() {
				t.Fatalf("%+v", c)
			}
		}
	})
}
