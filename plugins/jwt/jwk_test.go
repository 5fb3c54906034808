package jwt

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type vector struct {
	What string `json:"what"`
	Row  struct {
		ID         string    `json:"id"`
		PublicKey  string    `json:"publicKey"`
		PrivateKey string    `json:"privateKey"`
		CreatedAt  time.Time `json:"createdAt"`
		Alg        *string   `json:"alg"`
		Crv        *string   `json:"crv"`
	} `json:"row"`
	JWKS json.RawMessage `json:"jwks_response"`
	JWT  string          `json:"jwt"`
}

func (v *vector) key() *Key {
	return &Key{ID: v.Row.ID, PublicKey: v.Row.PublicKey, PrivateKey: v.Row.PrivateKey, CreatedAt: v.Row.CreatedAt, Alg: v.Row.Alg, Crv: v.Row.Crv}
}

func vectors(t testing.TB) (list []vector, secret, base string) {
	t.Helper()
	var v struct {
		Secret string   `json:"secret"`
		Base   string   `json:"base_url"`
		JWKS   []vector `json:"jwks"`
	}
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil || len(v.JWKS) != 3 {
		t.Fatalf("%d vectors, %v", len(v.JWKS), err)
	}
	return v.JWKS, v.Secret, v.Base
}

// TestVectors goes on with rows that Better Auth wrote: its keys decrypt and sign, its
// answer of /jwks is ours, its tokens verify, and where signing has no randomness our
// token for its claims is its token.
func TestVectors(t *testing.T) {
	list, secret, base := vectors(t)
	for _, v := range list {
		t.Run(v.What, func(t *testing.T) {
			p := New(Options{})
			h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{p}, Config: func(c *core.Config) { c.Secret, c.BaseURL = secret, base }})
			row := v.key()
			if err := keys.Insert(t.Context(), h.Host.DB(), row); err != nil {
				t.Fatal(err)
			}
			s, err := p.open(row)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(v.JWT, ".")
			if s.header != parts[0]+"." {
				t.Errorf("header %s, want %s", s.header, parts[0])
			}
			claims, err := gojwt.NewParser().DecodeSegment(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.sign(claims)
			if err != nil || *v.Row.Alg == "EdDSA" && got != v.JWT {
				t.Errorf("signed again: %s, %v", got, err)
			}
			for _, tok := range []string{v.JWT, got} {
				if _, err := gojwt.NewParser(gojwt.WithoutClaimsValidation()).Parse(tok, func(*gojwt.Token) (any, error) { return s.key.Public(), nil }); err != nil {
					t.Errorf("%s: %v", tok, err)
				}
			}
			if v.JWKS == nil {
				return
			}
			var want, have any
			if err := json.Unmarshal(v.JWKS, &want); err != nil {
				t.Fatal(err)
			}
			h.Client().Get("/jwks").Want(200).Into(&have)
			w, _ := json.Marshal(want) //nolint:errcheck // it was JSON
			g, _ := json.Marshal(have) //nolint:errcheck // it was JSON
			if string(w) != string(g) || h.Count("jwks") != 1 {
				t.Errorf("jwks %s, want %s", g, w)
			}
			c := h.SignUp("noel@example.com")
			if tok := c.Get("/token").Want(200).Text("token"); !strings.HasPrefix(tok, parts[0]+".") {
				t.Errorf("our token has another header: %s", tok)
			}
		})
	}
}

// TestStoredForm: what we store is what Better Auth reads.
func TestStoredForm(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := New(Options{DisablePrivateKeyEncryption: plain})
		h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{p}})
		h.SignUp("a@example.com").Get("/token").Want(200)
		row := h.Rows("jwks")[0]
		stored := row["privateKey"]
		if plain != strings.HasPrefix(stored, `{"kty":"OKP"`) || !plain != (strings.HasPrefix(stored, `"`) && strings.HasSuffix(stored, `"`)) {
			t.Errorf("stored as %.20s...", stored)
		}
		text := []byte(stored)
		if !plain {
			var sealed string
			if err := json.Unmarshal(text, &sealed); err != nil {
				t.Fatal(err)
			}
			var err error
			if text, err = h.Host.Decrypt(sealed); err != nil {
				t.Fatal(err)
			}
		}
		var m map[string]string
		if err := json.Unmarshal(text, &m); err != nil || len(m) != 4 || m["kty"] != "OKP" || m["crv"] != "Ed25519" || len(m["d"]) != 43 || len(m["x"]) != 43 {
			t.Errorf("private key with %d members, %v", len(m), err)
		}
		if row["publicKey"] != `{"kty":"OKP","crv":"Ed25519","x":"`+m["x"]+`"}` || row["alg"] != "EdDSA" || row["crv"] != "Ed25519" || row["expiresAt"] != "" {
			t.Errorf("row %v", row["publicKey"])
		}
	}
}

// TestKeyPairs: a key signs if its parts have the form of its algorithm and belong
// together, and not otherwise.
func TestKeyPairs(t *testing.T) {
	made := map[string]*jwk{}
	for _, alg := range algorithms {
		k, err := generate(rand.Reader, alg, minModulus)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		if made[alg], err = parseJWK(text); err != nil {
			t.Fatal(err)
		}
		s, err := made[alg].signer(alg)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		m := gojwt.GetSigningMethod(alg)
		sig, err := m.Sign("text", s)
		if err != nil || m.Verify("text", sig, s.Public()) != nil || m.Verify("other", sig, s.Public()) == nil {
			t.Errorf("%s does not sign: %v", alg, err)
		}
		if pub := k.public(); !pub.fits(alg) || len(pub.D)+len(pub.P)+len(pub.Q)+len(pub.DP)+len(pub.DQ)+len(pub.QI) > 0 {
			t.Errorf("%s: the public key has private members", alg)
		}
	}
	for alg, k := range made {
		for _, other := range append([]string{"HS256", "none", ""}, algorithms...) {
			_, err := k.signer(other)
			same := other == alg || k.Kty == "RSA" && (other == "RS256" || other == "PS256")
			if (err == nil) != same {
				t.Errorf("a key of %s as %q: %v", alg, other, err)
			}
		}
		foreign, err := generate(rand.Reader, alg, minModulus)
		if err != nil {
			t.Fatal(err)
		}
		mixed := *k
		mixed.D = foreign.D
		if _, err := mixed.signer(alg); !errors.Is(err, errKeyPair) {
			t.Errorf("%s with another's d: %v", alg, err)
		}
		mixed = *k
		mixed.D = nil
		if _, err := mixed.signer(alg); err == nil {
			t.Errorf("%s without d signs", alg)
		}
	}
	short, err := generate(rand.Reader, "RS256", 1024)
	if err == nil && short.fits("RS256") {
		t.Error("an RSA key of 1024 bits fits")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

// TestNoRandomness: without randomness there is no key (CVE-2025-66630).
func TestNoRandomness(t *testing.T) {
	if k, err := generate(failing{}, "EdDSA", 0); err == nil || k != nil {
		t.Errorf("a key without randomness: %v", err)
	}
}

func TestPick(t *testing.T) {
	now := time.Now()
	at := func(id, alg string, age, life int) Key {
		k := Key{ID: id, CreatedAt: now.Add(-time.Duration(age) * time.Hour)}
		if alg != "" {
			k.Alg = &alg
		}
		if life != 0 {
			end := now.Add(time.Duration(life) * time.Hour)
			k.ExpiresAt = &end
		}
		return k
	}
	for name, x := range map[string]struct {
		rows []Key
		want string
	}{
		"none":                       {nil, ""},
		"the newest":                 {[]Key{at("a", "EdDSA", 3, 0), at("b", "EdDSA", 1, 0), at("c", "EdDSA", 2, 0)}, "b"},
		"one that has ended":         {[]Key{at("a", "EdDSA", 3, -1)}, ""},
		"the live one":               {[]Key{at("a", "EdDSA", 3, 1), at("b", "EdDSA", 1, -1)}, "a"},
		"of the algorithm":           {[]Key{at("a", "EdDSA", 3, 0), at("b", "ES256", 1, 0)}, "a"},
		"no algorithm is ours":       {[]Key{at("a", "", 3, 0), at("b", "ES256", 1, 0)}, "a"},
		"of another":                 {[]Key{at("a", "ES256", 3, 0), at("b", "RS256", 1, 0)}, "b"},
		"another, as ours has ended": {[]Key{at("a", "ES256", 3, 0), at("b", "EdDSA", 1, -1)}, "a"},
		"at the same time":           {[]Key{at("b", "EdDSA", 1, 0), at("c", "EdDSA", 1, 0), at("a", "EdDSA", 1, 0)}, "c"},
	} {
		got := ""
		if k := pick(x.rows, "EdDSA", now); k != nil {
			got = k.ID
		}
		if got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func FuzzJWK(f *testing.F) {
	for _, v := range []string{
		`{"crv":"Ed25519","d":"07RprGuWlkQjHagevTJ89NYLNLRfwn0mZKUWCCllAI0","x":"EGxiIm7sB2a03tKMxyOTgtVfJXYe1d5O5L-jNS_cXc8","kty":"OKP"}`,
		`{"kty":"EC","x":"IKRvGLg88vpC5TqOkuT_Ht1V5K_T0XvytzPdUQczMbE","y":"dsAfzLKMT96oGrfo93fLM5C_YC-llAdLNM4awjpbij8","crv":"P-256","d":"8NfuxiFy7dbF4ZV-U98G4A2ZSpiE_U2pXnGj6QVicLo"}`,
		`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQ","p":"Aw","q":"BQ"}`, `{}`,
	} {
		f.Add([]byte(v), "EdDSA")
		f.Add([]byte(v), "ES256")
		f.Add([]byte(v), "RS256")
	}
	f.Fuzz(func(t *testing.T, text []byte, alg string) {
		k, err := parseJWK(text)
		if (k == nil) != (err != nil) {
			t.Fatalf("key %v, error %v", k, err)
		}
		if k == nil {
			return
		}
		s, err := k.signer(alg)
		if err != nil {
			if s != nil {
				t.Fatal("a signer with an error")
			}
			return
		}
		m := gojwt.GetSigningMethod(alg)
		sig, err := m.Sign("text", s)
		if err != nil || m.Verify("text", sig, s.Public()) != nil {
			t.Fatalf("an accepted key does not sign: %v", err)
		}
	})
}
