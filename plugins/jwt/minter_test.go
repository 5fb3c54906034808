package jwt_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// taker is a plugin that wants a minter.
type taker struct{ minter contract.TokenMinter }

func (p *taker) Spec() core.Spec {
	return core.Spec{ID: "taker", Needs: []core.Need{core.Require(&p.minter)}}
}

func minter(t *testing.T, o jwt.Options) (*plugintest.Harness, contract.TokenMinter) {
	t.Helper()
	p := &taker{}
	return plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{jwt.New(o), p}}), p.minter
}

var somebody = contract.AccessToken{Subject: "u1", SessionID: "s1", Claims: map[string]any{
	"email": alice, "tier": "public", "sub": "somebody else", "sid": "other", "exp": 9999999999, "aud": "them"}}

func TestMint(t *testing.T) {
	for _, alg := range []string{"EdDSA", "ES256", "ES512", "RS256", "PS256"} {
		h, m := minter(t, jwt.Options{Algorithm: alg, Audience: []string{"mana"}, ExpirationTime: 600})
		token, err := m.Mint(t.Context(), somebody)
		if err != nil {
			t.Fatal(err)
		}
		_, claims := part(t, token, 1)
		if len(claims) != 8 || claims["sub"] != "u1" || claims["sid"] != "s1" || claims["aud"] != "mana" || claims["iss"] != plugintest.BaseURL ||
			claims["email"] != alice || claims["exp"].(float64)-claims["iat"].(float64) != 600 {
			t.Errorf("%s: %v", alg, claims)
		}
		got, ok, err := m.Verify(t.Context(), token)
		if err != nil || !ok || got.Subject != "u1" || got.SessionID != "s1" || got.Claims["tier"] != "public" || !got.ExpiresAt.Equal(h.Clock.Now().Truncate(time.Second).Add(600*time.Second)) {
			t.Errorf("%s: %+v %v %v", alg, got, ok, err)
		}
		h.Clock.Advance(600 * time.Second)
		if _, ok, err := m.Verify(t.Context(), token); ok || err != nil {
			t.Errorf("%s: an expired token: %v %v", alg, ok, err)
		}
	}
}

// TestVerifyRefuses: what is not ours to the last member is no token, and never an error.
func TestVerifyRefuses(t *testing.T) {
	h, m := minter(t, jwt.Options{})
	_, other := minter(t, jwt.Options{})
	_, them := minter(t, jwt.Options{Audience: []string{"them"}})
	mint := func(m contract.TokenMinter, a contract.AccessToken) string {
		token, err := m.Mint(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := mint(m, somebody)
	head, claims, sig := strings.Split(good, ".")[0], strings.Split(good, ".")[1], strings.Split(good, ".")[2]
	first := "A"
	if sig[0] == 'A' {
		first = "B"
	}
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	kid := h.Rows("jwks")[0]["id"]
	hmac, err := gojwt.NewWithClaims(gojwt.SigningMethodHS256, gojwt.MapClaims{"sub": "u1", "sid": "s1", "exp": 9999999999, "iss": plugintest.BaseURL,
		"aud": plugintest.BaseURL}).SignedString([]byte(h.Rows("jwks")[0]["publicKey"]))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"none": "", "text": "abc", "two dots": "..", "many dots": strings.Repeat(".", 5000), "long": strings.Repeat("a", 9000) + "." + claims + "." + sig,
		"another server's key":        mint(other, somebody),
		"another audience":            mint(them, somebody),
		"another signature":           head + "." + claims + "." + first + sig[1:],
		"other claims":                head + "." + b64(`{"sub":"u2","sid":"s2","exp":9999999999}`) + "." + sig,
		"alg none":                    b64(`{"alg":"none","kid":"`+kid+`"}`) + "." + claims + ".",
		"the public key as a secret":  hmac,
		"a critical extension":        b64(`{"alg":"EdDSA","kid":"`+kid+`","crit":["b64"],"b64":false}`) + "." + claims + "." + sig,
		"no kid":                      b64(`{"alg":"EdDSA"}`) + "." + claims + "." + sig,
		"kid of nobody":               b64(`{"alg":"EdDSA","kid":"nobody"}`) + "." + claims + "." + sig,
		"the session's native token":  token(h.SignUp(alice)),
		"no subject":                  mint(m, contract.AccessToken{SessionID: "s1"}),
		"no session":                  mint(m, contract.AccessToken{Subject: "u1"}),
		"padding":                     head + "." + claims + "." + sig + "==",
		"white space around its text": " " + good,
	} {
		if _, ok, err := m.Verify(t.Context(), token); ok || err != nil {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
	if _, ok, _ := m.Verify(t.Context(), good); !ok {
		t.Error("a good token is refused")
	}
}

// TestVerifyRotated: a token outlives its key's signing days, and not the grace period.
func TestVerifyRotated(t *testing.T) {
	h, m := minter(t, jwt.Options{ExpirationTime: 86400, GracePeriod: 86460})
	old, err := m.Mint(t.Context(), somebody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := command(h.Auth, "rotate"); err != nil {
		t.Fatal(err)
	}
	h.Clock.Advance(time.Minute)
	fresh, err := m.Mint(t.Context(), somebody)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"old": old, "fresh": fresh} {
		if _, ok, err := m.Verify(t.Context(), token); !ok || err != nil {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
}

// TestVerifyOutage: a database that does not answer never looks like a bad token.
func TestVerifyOutage(t *testing.T) {
	h, m := minter(t, jwt.Options{})
	token, err := m.Mint(t.Context(), somebody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Host.DB().Exec(context.Background(), "ALTER TABLE {jwks} RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := m.Verify(t.Context(), token); ok || err == nil || h.Host.Classify(t.Context(), err).Class != core.ClassServiceUnavailable {
		t.Errorf("%v %v", ok, err)
	}
	h.Clock.Advance(2 * time.Minute) // what is known of the key is old by then
	if _, err := m.Mint(t.Context(), somebody); h.Host.Classify(t.Context(), err).Class != core.ClassServiceUnavailable {
		t.Errorf("%v", err)
	}
}

// TestMintUnusable: a key that cannot be read mints nothing.
func TestMintUnusable(t *testing.T) {
	h, m := minter(t, jwt.Options{})
	if _, err := m.Mint(t.Context(), somebody); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Host.DB().Exec(context.Background(), "UPDATE {jwks} SET {jwks:privateKey} = ?", `"00"`); err != nil {
		t.Fatal(err)
	}
	h.Clock.Advance(2 * time.Minute)
	if token, err := m.Mint(t.Context(), somebody); token != "" || !errors.Is(err, jwt.ErrKeyUnusable) {
		t.Errorf("%q %v", token, err)
	}
}
