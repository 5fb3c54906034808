package jwt_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugins/jwt/verify"
	"github.com/sallyport-auth/sallyport/plugintest"
)

const alice = "alice@example.com"

func harness(t testing.TB, o jwt.Options, config func(*core.Config)) *plugintest.Harness {
	t.Helper()
	return plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{jwt.New(o)}, Config: config})
}

// token asks for a token.
func token(c *plugintest.Client) string { return c.Get("/token").Want(200).Text("token") }

// part decodes one part of a token.
func part(t testing.TB, token string, i int) (text string, m map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q has not three parts", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return string(b), m
}

// verifier checks tokens as another service would, by way of /jwks.
func verifier(t testing.TB, h *plugintest.Harness, change func(*verify.Options)) *verify.Verifier {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a := h.Client().Get("/jwks")
		w.Header().Set("Content-Type", a.Value("Content-Type"))
		w.WriteHeader(a.Status)
		w.Write(a.Body) //nolint:errcheck // the client sees it
	}))
	t.Cleanup(s.Close)
	o := verify.Options{JWKSURL: s.URL, Issuer: plugintest.BaseURL, Audience: plugintest.BaseURL, Now: h.Clock.Now,
		Algorithms: []string{"EdDSA", "ES256", "ES512", "RS256", "PS256"}}
	if change != nil {
		change(&o)
	}
	v, err := verify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// database names a database that several servers can open.
type database struct {
	engine plugintest.Engine
	where  string
}

func newDatabase(t testing.TB, e plugintest.Engine) database {
	if e == plugintest.Postgres {
		return database{e, adaptertest.PostgresURL(t)}
	}
	return database{e, filepath.Join(t.TempDir(), "auth.db")}
}

func (d database) open(t testing.TB) storage.Database {
	t.Helper()
	var db storage.Database
	var err error
	if d.engine == plugintest.Postgres {
		db, err = postgres.Open(t.Context(), d.where, postgres.Options{MaxOpen: 4})
	} else {
		db, err = sqlite.Open(t.Context(), d.where, sqlite.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// replica starts one more server on a database.
func (d database) replica(t testing.TB, o jwt.Options, change func(*core.Config)) *core.Auth {
	t.Helper()
	cfg := core.Config{BaseURL: plugintest.BaseURL, Secret: plugintest.Secret, Database: d.open(t), Plugins: []core.Plugin{jwt.New(o)},
		NoBackground: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&cfg)
	}
	described, err := core.Describe(cfg)
	if err != nil {
		t.Fatal(err)
	}
	want, names, steps := described.Schema()
	if _, err := migrations.Apply(t.Context(), cfg.Database, want, names, steps); err != nil {
		t.Fatal(err)
	}
	a, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) }) //nolint:errcheck // nothing runs
	return a
}

// command runs "sallyport keys ARGS".
func command(a *core.Auth, args ...string) (string, error) {
	var out bytes.Buffer
	for _, c := range a.Commands() {
		if c.Plugin == jwt.ID && c.Name == "keys" {
			err := c.Run(context.Background(), a.Host(), args, &out)
			return out.String(), err
		}
	}
	panic("no such command")
}

// published gives the keys of /jwks to golang-jwt, by kid.
func published(t testing.TB, h *plugintest.Harness) gojwt.Keyfunc {
	return func(tok *gojwt.Token) (any, error) {
		var set jwt.KeySet
		h.Client().Get("/jwks").Want(200).Into(&set)
		for _, k := range set.Keys {
			if k.Kid == tok.Header["kid"] && k.Alg == tok.Method.Alg() {
				return publicKey(t, k), nil
			}
		}
		return nil, gojwt.ErrTokenUnverifiable
	}
}
