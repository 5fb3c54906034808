package jwt_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugins/jwt/verify"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func publicKey(t testing.TB, k jwt.PublicKey) any {
	t.Helper()
	dec := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	switch k.Kty {
	case "OKP":
		return ed25519.PublicKey(dec(k.X))
	case "EC":
		c := elliptic.P256()
		if k.Crv == "P-521" {
			c = elliptic.P521()
		}
		p, err := ecdsa.ParseUncompressedPublicKey(c, slices.Concat([]byte{4}, dec(k.X), dec(k.Y)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(dec(k.N)), E: int(new(big.Int).SetBytes(dec(k.E)).Int64())}
}

// TestAlgorithms: for every algorithm, a token verifies with golang-jwt, with package
// verify and with Node's crypto.
func TestAlgorithms(t *testing.T) {
	for _, alg := range []string{"EdDSA", "ES256", "ES512", "RS256", "PS256"} {
		t.Run(alg, func(t *testing.T) {
			h := harness(t, jwt.Options{Algorithm: alg}, nil)
			c := h.SignUp(alice)
			tok := token(c)
			got, err := gojwt.Parse(tok, published(t, h), gojwt.WithValidMethods([]string{alg}), gojwt.WithTimeFunc(h.Clock.Now))
			if err != nil || !got.Valid {
				t.Errorf("golang-jwt: %v", err)
			}
			claims, err := verifier(t, h, nil).Verify(t.Context(), tok)
			if err != nil || claims.Subject != c.UserID || claims.All["email"] != alice {
				t.Errorf("verify: %v %+v", err, claims)
			}
			node(t, tok, h.Client().Get("/jwks").Want(200).Body)
			var row struct{ kty, crv string }
			for _, r := range h.Rows("jwks") {
				row.kty, row.crv = r["alg"], r["crv"]
			}
			want := map[string]string{"EdDSA": "Ed25519", "ES256": "P-256", "ES512": "P-521"}[alg]
			if row.kty != alg || row.crv != want {
				t.Errorf("row: alg %q, crv %q", row.kty, row.crv)
			}
		})
	}
}

// node verifies a token with Node's crypto, and sees that an altered one does not.
func node(t *testing.T, token string, jwks []byte) {
	t.Helper()
	in, err := json.Marshal(map[string]any{"token": token, "jwks": json.RawMessage(jwks)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/verify.mjs")
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "valid true, altered false\n" {
		t.Errorf("node: %v %s", err, out)
	}
}

var order = regexp.MustCompile(`^\{"iat":\d+,"name":"alice","email":"alice@example.com","emailVerified":true,"image":null,` +
	`"createdAt":"[^"]+Z","updatedAt":"[^"]+Z","id":"(\w+)","sub":"(\w+)","exp":\d+,"iss":"https://auth.example.com","aud":"https://auth.example.com"\}$`)

// TestDefaults: header, claims and their order are Better Auth's.
func TestDefaults(t *testing.T) {
	h := harness(t, jwt.Options{}, nil)
	c := h.SignUp(alice)
	a := c.Get("/token").Want(200)
	tok := a.Text("token")
	if text, _ := part(t, tok, 0); text != `{"alg":"EdDSA","kid":"`+h.Rows("jwks")[0]["id"]+`"}` {
		t.Errorf("header %s", text)
	}
	text, claims := part(t, tok, 1)
	if m := order.FindStringSubmatch(text); m == nil || m[1] != c.UserID || m[2] != c.UserID {
		t.Errorf("claims %s", text)
	}
	now := float64(h.Clock.Now().Unix())
	if claims["iat"] != now || claims["exp"] != now+900 {
		t.Errorf("iat %v, exp %v at %v", claims["iat"], claims["exp"], now)
	}
	if a.Value("Cache-Control") != "no-store" {
		t.Errorf("a token may be cached: %q", a.Value("Cache-Control"))
	}
}

func TestGetSessionHeader(t *testing.T) {
	h := harness(t, jwt.Options{}, nil)
	c := h.SignUp(alice)
	a := c.Get("/get-session").Want(200)
	if a.Value("Access-Control-Expose-Headers") != jwt.Header {
		t.Errorf("exposed: %q", a.Value("Access-Control-Expose-Headers"))
	}
	if _, err := verifier(t, h, nil).Verify(t.Context(), a.Value(jwt.Header)); err != nil {
		t.Error(err)
	}
	if a := h.Client().Get("/get-session").Want(200); a.Value(jwt.Header) != "" || string(a.Body) != "null" {
		t.Errorf("without a session: %s, %q", a.Body, a.Value(jwt.Header))
	}
	if a := c.Get("/list-sessions").Want(200); a.Value(jwt.Header) != "" {
		t.Error("another endpoint carries a token")
	}
	off := harness(t, jwt.Options{DisableHeader: true}, nil)
	c = off.SignUp(alice)
	if a := c.Get("/get-session").Want(200); a.Value(jwt.Header) != "" || off.Count("jwks") != 0 {
		t.Error("the header is there although it is switched off")
	}
	token(c)
}

// TestNoSession: no token without a session: before the second factor, and after a session
// was revoked (GHSA-4qvm-r4pr-v3wg).
func TestNoSession(t *testing.T) {
	due := false
	h := harness(t, jwt.Options{}, func(c *core.Config) {
		c.Hooks = append(c.Hooks, core.SignInPoint.Before(func(_ context.Context, e *core.SignInEvent) error {
			if due {
				e.Challenge("totp")
				e.Call.SetSigned(e.Call.Host().Cookie("two_factor", time.Hour), "2fa-"+e.User.ID, false)
			}
			return nil
		}))
	})
	c := h.SignUp(alice)
	due = true
	if _, err := h.TrySignIn(alice); err == nil || h.Count("session") != 1 {
		t.Fatalf("the second factor is not asked for: %v", err)
	}
	pending := h.Client()
	value := url.QueryEscape(h.Host.SignValue("2fa-" + c.UserID))
	pending.SetCookie("two_factor", value)
	pending.SetCookie("session_token", value) // what was signed for another cookie
	for _, path := range []string{"/token", "/get-session"} {
		if a := pending.Get(path); a.Value(jwt.Header) != "" || a.Get("token") != nil {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	pending.Get("/token").WantCode(401, "UNAUTHORIZED")
	c.Copy().Post("/revoke-sessions", plugintest.M{}).Want(200)
	c.Get("/token").WantCode(401, "UNAUTHORIZED")
	if a := c.Get("/get-session").Want(200); a.Value(jwt.Header) != "" {
		t.Error("a revoked session gets a token")
	}
}

func TestFaults(t *testing.T) {
	payload := func(context.Context, *core.SessionAnswer) (map[string]any, error) { return nil, nil }
	for want, o := range map[string]jwt.Options{
		`algorithm: "HS256"`:                       {Algorithm: "HS256"},
		`algorithm: "none"`:                        {Algorithm: "none"},
		`modulusLength: 1024`:                      {ModulusLength: 1024},
		`modulusLength: 16384`:                     {ModulusLength: 16384},
		`expirationTime: -1`:                       {ExpirationTime: -1},
		`expirationTime: 86401`:                    {ExpirationTime: 86401},
		`rotationInterval: 60`:                     {RotationInterval: 60},
		`gracePeriod: 900`:                         {GracePeriod: 900},
		`gracePeriod: 3600001`:                     {GracePeriod: 3600001, RotationInterval: 3600},
		`jwksPath: "jwks"`:                         {JWKSPath: "jwks"},
		`jwksPath: "/a/../b"`:                      {JWKSPath: "/a/../b"},
		`jwksPath: "/:kid"`:                        {JWKSPath: "/:kid"},
		`jwksPath: "/jwks/"`:                       {JWKSPath: "/jwks/"},
		`audience: an empty text`:                  {Audience: []string{"a", ""}},
		`payload: given both`:                      {Payload: []string{}, PayloadFunc: payload},
		`payload: "sub" is a registered claim`:     {Payload: []string{"name", "sub"}},
		`"phone" is no field of the user`:          {Payload: []string{"phone"}},
		`"nick" is no field of the user`:           {Subject: "nick"},
		`GET /token is taken by jwt`:               {JWKSPath: "/token"},
		"algorithm: \"x\" is none of EdDSA, ES256": {Algorithm: "x", ExpirationTime: -1},
	} {
		_, err := plugintest.Start(t, plugintest.Options{Plugins: []core.Plugin{jwt.New(o)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
}

func TestJWKSPath(t *testing.T) {
	h := harness(t, jwt.Options{JWKSPath: "/.well-known/jwks.json"}, nil)
	if a := h.Client().Get("/.well-known/jwks.json").Want(200); len(a.Get("keys").([]any)) != 1 {
		t.Errorf("%s", a.Body)
	}
	h.Client().Get("/jwks").Want(404)
}

// TestRotation moves the clock over the life of two keys.
func TestRotation(t *testing.T) {
	h := harness(t, jwt.Options{RotationInterval: 86400, GracePeriod: 7200, ExpirationTime: 3600}, nil)
	c := h.SignUp(alice)
	v := verifier(t, h, func(o *verify.Options) { o.MaxAge = time.Minute })
	kid := func(tok string) string { _, m := part(t, tok, 0); return m["kid"].(string) }
	kids := func() (out []string) {
		var set jwt.KeySet
		h.Client().Get("/jwks").Want(200).Into(&set)
		for _, k := range set.Keys {
			out = append(out, k.Kid)
		}
		return out
	}
	h.Clock.Advance(time.Hour)
	first := token(c)
	h.Clock.Advance(24*time.Hour - 10*time.Second)
	last := token(c)
	if kid(last) != kid(first) {
		t.Error("rotated too early")
	}
	h.Clock.Advance(20 * time.Second) // past the first key's end, and sooner than keys are looked at again
	second := token(c)
	if kid(second) == kid(last) || len(h.Rows("jwks")) != 2 {
		t.Errorf("not rotated: %d rows", h.Count("jwks"))
	}
	if got := kids(); !slices.Equal(got, []string{kid(last), kid(second)}) {
		t.Errorf("in the grace period: %v", got)
	}
	for name, tok := range map[string]string{"the old key's": last, "the new key's": second} {
		if _, err := v.Verify(t.Context(), tok); err != nil {
			t.Errorf("%s token: %v", name, err)
		}
	}
	h.Clock.Advance(2 * time.Hour)
	if got := kids(); !slices.Equal(got, []string{kid(second)}) {
		t.Errorf("after the grace period: %v", got)
	}
}

// TestLongToken: a header that proxies and clients refuse would take the session from whom it
// is about, whose name somebody else may have chosen.
func TestLongToken(t *testing.T) {
	h := harness(t, jwt.Options{}, nil)
	c := h.SignUp(alice)
	for _, tt := range []struct {
		name int
		want bool
	}{{3000, true}, {8000, false}, {500_000, false}} {
		c.Post("/update-user", map[string]any{"name": strings.Repeat("n", tt.name)}).Want(200)
		a := c.Get("/get-session").Want(200)
		if n := len(a.Value(jwt.Header)); n > 8<<10 || (n > 0) != tt.want || a.Get("user.email") != alice {
			t.Errorf("a name of %d: a header of %d bytes", tt.name, n)
		}
		if n := len(token(c)); n < tt.name {
			t.Errorf("a name of %d: a token of %d bytes", tt.name, n)
		}
	}
}
