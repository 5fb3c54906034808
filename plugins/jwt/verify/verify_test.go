package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const issuer = "https://auth.example.com"

// pairs are one key pair of each algorithm.
var pairs = sync.OnceValue(func() map[string]crypto.Signer {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	rs, _ := rsa.GenerateKey(rand.Reader, 2048)
	return map[string]crypto.Signer{"EdDSA": ed, "ES256": p256, "ES512": p521, "RS256": rs, "PS256": rs}
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// public writes a key as the server does.
func public(alg, kid string, s crypto.Signer) map[string]any {
	switch k := s.Public().(type) {
	case ed25519.PublicKey:
		return map[string]any{"alg": alg, "kid": kid, "kty": "OKP", "crv": "Ed25519", "x": b64(k)}
	case *ecdsa.PublicKey:
		p, _ := k.Bytes()
		n := len(p) / 2
		return map[string]any{"alg": alg, "kid": kid, "kty": "EC", "crv": k.Params().Name, "x": b64(p[1 : 1+n]), "y": b64(p[1+n:])}
	case *rsa.PublicKey:
		return map[string]any{"alg": alg, "kid": kid, "kty": "RSA", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	}
	panic("no such key")
}

// server hands out key sets.
type server struct {
	*httptest.Server
	answer  atomic.Value // func(http.ResponseWriter, *http.Request)
	fetches atomic.Int64
}

func newServer(t testing.TB) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fetches.Add(1)
		s.answer.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(f func(http.ResponseWriter, *http.Request)) { s.answer.Store(f) }

func (s *server) publish(list ...map[string]any) {
	b, err := json.Marshal(map[string]any{"keys": append([]map[string]any{}, list...)})
	if err != nil {
		panic(err)
	}
	s.raw(200, "application/json", string(b))
}

func (s *server) raw(status int, typ, body string) {
	s.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", typ)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

// bench is a server, a clock and a verifier.
type bench struct {
	*server
	*Verifier
	now time.Time
}

func newBench(t testing.TB, change func(*Options)) *bench {
	t.Helper()
	b := &bench{server: newServer(t), now: time.Unix(1_800_000_000, 0)}
	o := Options{JWKSURL: b.URL + "/jwks", Issuer: issuer, Audience: "api", Algorithms: []string{"EdDSA", "ES256", "ES512", "RS256", "PS256"},
		Now: func() time.Time { return b.now }}
	if change != nil {
		change(&o)
	}
	var err error
	if b.Verifier, err = New(o); err != nil {
		t.Fatal(err)
	}
	b.publish(public("EdDSA", "ed", pairs()["EdDSA"]))
	return b
}

// settle waits for a fetch that runs beside the requests.
func (b *bench) settle() {
	b.mu.Lock()
	flight := b.flight
	b.mu.Unlock()
	if flight != nil {
		<-flight
	}
}

func (b *bench) claims(change map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"iat": b.now.Unix(), "exp": b.now.Unix() + 900, "iss": issuer, "aud": "api", "sub": "user-1", "name": "Ann"}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func sign(t testing.TB, alg string, key any, header map[string]any, claims jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims)
	delete(tok.Header, "typ")
	maps.Copy(tok.Header, header)
	s, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b *bench) token(t testing.TB, change map[string]any) string {
	return sign(t, "EdDSA", pairs()["EdDSA"], map[string]any{"kid": "ed"}, b.claims(change))
}

func TestAlgorithms(t *testing.T) {
	b := newBench(t, nil)
	var set []map[string]any
	for alg, s := range pairs() {
		set = append(set, public(alg, "kid-"+alg, s))
	}
	b.publish(set...)
	for alg, s := range pairs() {
		c, err := b.Verify(t.Context(), sign(t, alg, s, map[string]any{"kid": "kid-" + alg}, b.claims(nil)))
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if c.KeyID != "kid-"+alg || c.Issuer != issuer || c.Subject != "user-1" || len(c.Audience) != 1 || c.Audience[0] != "api" ||
			!c.IssuedAt.Equal(b.now) || !c.ExpiresAt.Equal(b.now.Add(900*time.Second)) || c.All["name"] != "Ann" {
			t.Errorf("%s: %+v", alg, c)
		}
	}
	if n := b.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestRefused signs with good keys what must not count, and the other way round.
func TestRefused(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Algorithms = []string{"EdDSA", "RS256", "PS256"} })
	ed, rs := pairs()["EdDSA"], pairs()["RS256"]
	b.publish(public("EdDSA", "ed", ed), public("RS256", "rs", rs), public("ES256", "es", pairs()["ES256"]))
	_, foreign, _ := ed25519.GenerateKey(rand.Reader)
	der, err := x509.MarshalPKIXPublicKey(rs.Public())
	if err != nil {
		t.Fatal(err)
	}
	kid := func(k string) map[string]any { return map[string]any{"kid": k} }
	good := b.token(t, nil)
	parts := strings.Split(good, ".")
	now := b.now.Unix()
	tokens := map[string]string{
		"alg none":                     sign(t, "none", jwt.UnsafeAllowNoneSignatureType, kid("ed"), b.claims(nil)),
		"HS256 with the public key":    sign(t, "HS256", []byte(ed.Public().(ed25519.PublicKey)), kid("ed"), b.claims(nil)),
		"HS256 with the public PEM":    sign(t, "HS256", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), kid("rs"), b.claims(nil)),
		"an algorithm not pinned":      sign(t, "ES256", pairs()["ES256"], kid("es"), b.claims(nil)),
		"RS384":                        sign(t, "RS384", rs, kid("rs"), b.claims(nil)),
		"PS256 with the key of RS256":  sign(t, "PS256", rs, kid("rs"), b.claims(nil)),
		"another key of the algorithm": sign(t, "EdDSA", foreign, kid("ed"), b.claims(nil)),
		"a foreign kid":                sign(t, "EdDSA", ed, kid("other"), b.claims(nil)),
		"another key's kid":            sign(t, "EdDSA", ed, kid("rs"), b.claims(nil)),
		"no kid":                       sign(t, "EdDSA", ed, nil, b.claims(nil)),
		"a kid that is a number":       sign(t, "EdDSA", ed, map[string]any{"kid": 1}, b.claims(nil)),
		"a long kid":                   sign(t, "EdDSA", ed, kid(strings.Repeat("k", 300)), b.claims(nil)),
		"a key in the header":          sign(t, "EdDSA", foreign, map[string]any{"kid": "x", "jwk": public("EdDSA", "x", foreign)}, b.claims(nil)),
		"a URL in the header":          sign(t, "EdDSA", foreign, map[string]any{"kid": "x", "jku": b.URL}, b.claims(nil)),
		"crit":                         sign(t, "EdDSA", ed, map[string]any{"kid": "ed", "crit": []string{"b64"}}, b.claims(nil)),
		"another typ":                  sign(t, "EdDSA", ed, map[string]any{"kid": "ed", "typ": "better-auth.session-cache+jwt"}, b.claims(nil)),
		"expired":                      b.token(t, map[string]any{"iat": now - 1000, "exp": now - 6}),
		"not valid yet":                b.token(t, map[string]any{"nbf": now + 60}),
		"issued in the future":         b.token(t, map[string]any{"iat": now + 60}),
		"expired before it was issued": b.token(t, map[string]any{"iat": now + 3, "exp": now + 1}),
		"another issuer":               b.token(t, map[string]any{"iss": issuer + ".evil.example"}),
		"another audience":             b.token(t, map[string]any{"aud": "web"}),
		"other audiences":              b.token(t, map[string]any{"aud": []string{"web", "app"}}),
		"without iss":                  b.token(t, map[string]any{"iss": nil}),
		"without aud":                  b.token(t, map[string]any{"aud": nil}),
		"without sub":                  b.token(t, map[string]any{"sub": nil}),
		"without exp":                  b.token(t, map[string]any{"exp": nil}),
		"without iat":                  b.token(t, map[string]any{"iat": nil}),
		"exp as text":                  b.token(t, map[string]any{"exp": "never"}),
		"iat as text":                  b.token(t, map[string]any{"iat": "now"}),
		"other claims":                 parts[0] + "." + b64([]byte(`{"sub":"admin"}`)) + "." + parts[2],
		"no signature":                 parts[0] + "." + parts[1] + ".",
		"half a signature":             good[:len(good)-20],
		// The last character has four bits that count for nothing.
		"a signature with bits more": good[:len(good)-1] + string(good[len(good)-1]+1),
		"padding":                    good + "==",
		"spaces":                     " " + good,
		"two parts":                  parts[0] + "." + parts[1],
		"four parts":                 good + ".x",
		"JSON serialisation":         `{"payload":"` + parts[1] + `","signatures":[]}`,
		"empty":                      "",
		"dots alone":                 "..",
		"too long":                   good + strings.Repeat("A", 16<<10),
		"a scheme before it":         "Bearer " + good,
	}
	for name, token := range tokens {
		c, err := b.Verify(t.Context(), token)
		if !errors.Is(err, ErrInvalid) || errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if c.Subject != "" || c.All != nil {
			t.Errorf("%s: claims of a refused token", name)
		}
		if errors.Is(err, ErrExpired) != (name == "expired") {
			t.Errorf("%s: %v", name, err)
		}
		if len(token) > 20 && strings.Contains(err.Error(), token[:20]) {
			t.Errorf("%s: the error quotes the token", name)
		}
	}
	if _, err := b.Verify(t.Context(), good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestExpiredAndForged: a bad signature is never reported as merely expired (CVE-2024-51744).
func TestExpiredAndForged(t *testing.T) {
	b := newBench(t, nil)
	_, foreign, _ := ed25519.GenerateKey(rand.Reader)
	past := map[string]any{"iat": b.now.Unix() - 1000, "exp": b.now.Unix() - 100}
	if _, err := b.Verify(t.Context(), sign(t, "EdDSA", foreign, map[string]any{"kid": "ed"}, b.claims(past))); !errors.Is(err, ErrInvalid) || errors.Is(err, ErrExpired) {
		t.Errorf("expired and forged: %v", err)
	}
	past["aud"] = "web"
	if _, err := b.Verify(t.Context(), b.token(t, past)); errors.Is(err, ErrExpired) {
		t.Errorf("expired and for somebody else: %v", err)
	}
}

func TestAccepted(t *testing.T) {
	b := newBench(t, nil)
	now := b.now.Unix()
	for name, change := range map[string]map[string]any{
		"several audiences":      {"aud": []string{"web", "api"}},
		"clocks that differ":     {"iat": now + 4},
		"just expired":           {"iat": now - 900, "exp": now - 4},
		"expires this second":    {"exp": now + 1},
		"nbf in the past":        {"nbf": now - 1},
		"a fraction of a second": {"iat": float64(now) - 0.5},
	} {
		if _, err := b.Verify(t.Context(), b.token(t, change)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Verify(t.Context(), sign(t, "EdDSA", pairs()["EdDSA"], map[string]any{"kid": "ed", "typ": "jwt"}, b.claims(nil))); err != nil {
		t.Errorf("typ: %v", err)
	}
}

// TestDots: a megabyte of dots costs next to nothing (CVE-2025-30204).
func TestDots(t *testing.T) {
	b := newBench(t, nil)
	for _, token := range []string{strings.Repeat(".", 1<<20), strings.Repeat(".", maxToken)} {
		const times = 1000 // others allocate at the same time, but not as often
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			if _, err := b.Verify(t.Context(), token); !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / times; n > 1024 {
			t.Errorf("%d dots: %d bytes", len(token), n)
		}
	}
	if b.fetches.Load() != 0 {
		t.Error("dots had keys fetched")
	}
}

func TestOptions(t *testing.T) {
	good := Options{JWKSURL: "https://auth.example.com/jwks", Issuer: "i", Audience: "a"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"no URL": func(o *Options) { o.JWKSURL = "" }, "a path": func(o *Options) { o.JWKSURL = "/jwks" },
		"http":                     func(o *Options) { o.JWKSURL = "http://auth.example.com/jwks" },
		"http to a similar name":   func(o *Options) { o.JWKSURL = "http://localhost.example.com/jwks" },
		"another scheme":           func(o *Options) { o.JWKSURL = "file:///etc/passwd" },
		"credentials":              func(o *Options) { o.JWKSURL = "https://a:b@auth.example.com/jwks" },
		"no issuer":                func(o *Options) { o.Issuer = "" },
		"no audience":              func(o *Options) { o.Audience = "" },
		"HS256":                    func(o *Options) { o.Algorithms = []string{"EdDSA", "HS256"} },
		"none":                     func(o *Options) { o.Algorithms = []string{"none"} },
		"a life below the floor":   func(o *Options) { o.MaxAge = time.Second },
		"clocks an hour apart":     func(o *Options) { o.Leeway = time.Hour },
		"a floor below the ground": func(o *Options) { o.MinRefresh = -1 },
	} {
		o := good
		change(&o)
		if v, err := New(o); err == nil || v != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, u := range []string{"http://localhost:3000/jwks", "http://127.0.0.1/jwks", "http://[::1]:80/jwks"} {
		o := good
		o.JWKSURL = u
		if _, err := New(o); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	v, err := New(Options{JWKSURL: "ftp://x", Algorithms: []string{"none"}})
	if v != nil || err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all faults at once: %v", err)
	}
}
