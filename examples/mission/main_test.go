package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/runner"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

const serviceKey = "the service key of this one mission"

// A mission from its beginning to its end: in the browser, in the runner, and back.
func TestMission(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	url, auditURL := serve(t, &key.PublicKey)
	dir := t.TempDir()
	mission, pemFile := filepath.Join(dir, "mission.json"), filepath.Join(dir, "runner.pem")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pemFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) string {
		return map[string]string{"RUNNER_KEY": pemFile, "AUTH_URL": url, "SERVICE_KEY": serviceKey, "AUDIT_URL": auditURL}[name]
	}
	browser := func(command, want string) {
		t.Helper()
		out, err := exec.Command("node", "browser.mjs", command, url, mission).CombinedOutput()
		if err != nil || string(out) != want {
			t.Fatalf("%s: %v\n%s\nwant\n%s", command, err, out, want)
		}
	}

	browser("begin", "granted notes:n1 and notes:n2, not notes:n3\n")
	var out bytes.Buffer
	if err := run(t.Context(), env, mission, &out); err != nil {
		t.Fatal(err)
	}
	if want := "notes:n1 {\"text\":\"Buy milk\"}\nnotes:n2 {\"text\":\"Call Bob\"}\nnotes:n3 refused: scope-violation\n"; out.String() != want {
		t.Errorf("the runner:\n%s", out.String())
	}
	browser("audit", "notes:n1 ok\nnotes:n2 ok\nnotes:n3 scope-violation\n")
	browser("revoke", "revoked 1\n")
	if err := run(t.Context(), env, mission, &out); runner.ReasonOf(err) != runner.Revoked {
		t.Errorf("after the revocation: %v", err)
	}
}

// serve starts a server on PostgreSQL: tables made by their owner, the server and the
// runner under roles of their own.
func serve(t *testing.T, to *rsa.PublicKey) (url, auditURL string) {
	t.Helper()
	owner := adaptertest.PostgresURL(t)
	der, err := x509.MarshalPKIXPublicKey(to)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url = "http://localhost:" + strings.TrimPrefix(listener.Addr().String(), "127.0.0.1:")
	auth := func(dsn string, migrating bool) *core.Auth {
		db, err := postgres.Open(t.Context(), dsn, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		a, err := core.New(t.Context(), core.Config{BaseURL: url, Secret: "a secret of the example, 32 characters", Database: db, SkipVerify: migrating, NoBackground: migrating,
			Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), vault.New(vault.Options{Keyring: base64.StdEncoding.EncodeToString(kek())}),
				missiongrant.New(missiongrant.Options{PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), ServiceKey: serviceKey})}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close(t.Context()) })
		return a
	}
	first := auth(owner, true)
	want, names, steps := first.Schema()
	if _, err := migrations.Apply(t.Context(), first.Database(), want, names, steps); err != nil {
		t.Fatal(err)
	}
	service := adaptertest.PostgresRole(t, owner, "GRANT USAGE ON SCHEMA public TO $role", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO $role")
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: nethttp.Handler(auth(service, false), http.NotFoundHandler())}}
	server.Start()
	t.Cleanup(server.Close)
	return url, adaptertest.PostgresRole(t, owner, "GRANT USAGE ON SCHEMA public TO $role", `GRANT INSERT ON "decrypt_audit" TO $role`)
}

func kek() []byte {
	raw := make([]byte, 32)
	rand.Read(raw) //nolint:errcheck // it never fails, see crypto/rand
	return raw
}
