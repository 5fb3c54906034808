package jwt_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestClaims(t *testing.T) {
	fields := func(c *core.Config) {
		no := false
		c.User.Fields = []core.Extra{{Name: "plan", Type: "string", Default: "free"}, {Name: "secret", Type: "string", Returned: &no, Default: "hush"},
			{Name: "score", Type: "number"}}
	}
	type result struct {
		claims map[string]any
		text   string
	}
	get := func(t *testing.T, o jwt.Options) result {
		h := harness(t, o, fields)
		text, m := part(t, token(h.SignUp(alice)), 1)
		return result{m, text}
	}
	names := func(m map[string]any) string {
		var list []string
		for k := range m {
			list = append(list, k)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	r := get(t, jwt.Options{Issuer: "https://issuer.example", Audience: []string{"api"}, ExpirationTime: 60, Payload: []string{"email", "plan", "score"}, Subject: "email"})
	if names(r.claims) != "aud email exp iat iss plan score sub" || r.claims["iss"] != "https://issuer.example" || r.claims["aud"] != "api" ||
		r.claims["sub"] != alice || r.claims["plan"] != "free" || r.claims["score"] != nil || r.claims["exp"].(float64)-r.claims["iat"].(float64) != 60 {
		t.Errorf("chosen: %s", r.text)
	}
	if r = get(t, jwt.Options{Payload: []string{}, Audience: []string{"a", "b"}}); names(r.claims) != "aud exp iat iss sub" || fmt.Sprint(r.claims["aud"]) != "[a b]" {
		t.Errorf("no payload: %s", r.text)
	}
	if r = get(t, jwt.Options{}); r.claims["plan"] != "free" || strings.Contains(r.text, "hush") {
		t.Errorf("all fields: %s", r.text)
	}
	r = get(t, jwt.Options{
		PayloadFunc: func(_ context.Context, a *core.SessionAnswer) (map[string]any, error) {
			return map[string]any{"role": "admin <&>", "n": 1, "session": a.Session.ID != ""}, nil
		},
		SubjectFunc: func(_ context.Context, a *core.SessionAnswer) (string, error) { return "user:" + a.User.ID, nil },
	})
	if names(r.claims) != "aud exp iat iss n role session sub" || !strings.Contains(r.text, `"role":"admin <&>"`) || !strings.HasPrefix(r.claims["sub"].(string), "user:") ||
		r.claims["session"] != true {
		t.Errorf("from Go: %s", r.text)
	}
}

var registered = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "sid"}

// TestRegisteredClaims: neither a user's own field nor the app's payload decides what
// decides (CVE-2024-29892).
func TestRegisteredClaims(t *testing.T) {
	t.Run("user fields", func(t *testing.T) {
		h := harness(t, jwt.Options{}, func(c *core.Config) {
			for _, name := range registered {
				c.User.Fields = append(c.User.Fields, core.Extra{Name: name, Type: "string"})
			}
			c.User.Fields = append(c.User.Fields, core.Extra{Name: "plan", Type: "string"})
		})
		c := h.SignUp(alice)
		body := plugintest.M{"plan": "pro"}
		for _, name := range registered {
			body[name] = "4000000000"
		}
		c.Post("/update-user", body).Want(200)
		text, claims := part(t, token(c), 1)
		if strings.Contains(text, "4000000000") || claims["plan"] != "pro" || claims["sub"] != c.UserID {
			t.Errorf("claims %s", text)
		}
	})
	t.Run("payload", func(t *testing.T) {
		h := harness(t, jwt.Options{PayloadFunc: func(context.Context, *core.SessionAnswer) (map[string]any, error) {
			m := map[string]any{"plan": "pro"}
			for _, name := range registered {
				m[name] = "4000000000"
			}
			return m, nil
		}}, nil)
		c := h.SignUp(alice)
		token(c)
		text, claims := part(t, token(c), 1)
		if strings.Contains(text, "4000000000") || claims["plan"] != "pro" || strings.Count(text, `"sub"`) != 1 || strings.Count(text, `"exp"`) != 1 {
			t.Errorf("claims %s", text)
		}
		if n := strings.Count(h.Logs.String(), "registered claim"); n != len(registered) {
			t.Errorf("%d warnings", n)
		}
	})
}

// TestPayloadFails: what fails in the app's function is ours, and costs get-session the header alone.
func TestPayloadFails(t *testing.T) {
	h := harness(t, jwt.Options{PayloadFunc: func(context.Context, *core.SessionAnswer) (map[string]any, error) {
		return nil, errors.New("the app's own database is away")
	}}, nil)
	c := h.SignUp(alice)
	if a := c.Get("/get-session").Want(200); a.Get("user.email") != alice || a.Value(jwt.Header) != "" {
		t.Errorf("get-session: %s", a.Body)
	}
	if a := c.Get("/token").WantCode(500, "INTERNAL_SERVER_ERROR"); strings.Contains(string(a.Body), "database") {
		t.Errorf("the answer tells the cause: %s", a.Body)
	}
	if !strings.Contains(h.Logs.String(), "the app's own database is away") {
		t.Error("the log does not tell the cause")
	}
	h = harness(t, jwt.Options{SubjectFunc: func(context.Context, *core.SessionAnswer) (string, error) { return "", nil }}, nil)
	h.SignUp(alice).Get("/token").WantCode(500, "INTERNAL_SERVER_ERROR")
	h = harness(t, jwt.Options{Subject: "image"}, nil)
	h.SignUp(alice).Get("/token").WantCode(500, "INTERNAL_SERVER_ERROR")
}

// TestPrivateMembers: whatever the public column holds, /jwks gives public members only,
// and one bad row does not take the others with it.
func TestPrivateMembers(t *testing.T) {
	h := harness(t, jwt.Options{}, nil)
	c := h.SignUp(alice)
	token(c)
	insert := func(id, public string) {
		t.Helper()
		if _, err := h.Host.DB().Exec(t.Context(), "INSERT INTO {jwks} ({jwks:id}, {jwks:publicKey}, {jwks:privateKey}, {jwks:createdAt}, {jwks:alg}) VALUES (?, ?, ?, ?, ?)",
			id, public, "{}", h.Clock.Now().Add(-time.Hour), "EdDSA"); err != nil {
			t.Fatal(err)
		}
	}
	insert("whole", `{"kty":"OKP","crv":"Ed25519","x":"EGxiIm7sB2a03tKMxyOTgtVfJXYe1d5O5L-jNS_cXc8","d":"07RprGuWlkQjHagevTJ89NYLNLRfwn0mZKUWCCllAI0","k":"x"}`)
	insert("broken", `{`)
	insert("other", `{"kty":"EC","crv":"P-256","x":"","y":""}`)
	insert("symmetric", `{"kty":"oct","k":"c2VjcmV0"}`)
	for range 2 {
		a := h.Client().Get("/jwks").Want(200)
		if text := string(a.Body); strings.Contains(text, "07RprGuWlk") || strings.Contains(text, `"d"`) || strings.Contains(text, `"k"`) {
			t.Errorf("private members: %s", text)
		}
		if list := a.Get("keys").([]any); len(list) != 2 || a.Get("keys.0.kid") != "whole" {
			t.Errorf("%s", a.Body)
		}
	}
	if n := strings.Count(h.Logs.String(), "public key of a row"); n != 3 {
		t.Errorf("%d log lines for three bad rows", n)
	}
}
