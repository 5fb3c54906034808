// Mission is a runner: a program that a user lets read some of their encrypted notes. It
// prints those that were granted, and what it is refused.
//
//	RUNNER_KEY=runner.pem AUTH_URL=https://auth.example.com SERVICE_KEY=... AUDIT_URL=postgres://runner@db/auth \
//	    mission mission.json
//
// mission.json is what browser.mjs, the user's side, has left.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	_ "github.com/lib/pq" // the driver "postgres"

	"github.com/sallyport-auth/sallyport/adapters/decryptaudit"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/runner"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mission mission.json")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Getenv, os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mission:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, env func(string) string, file string, out io.Writer) error {
	var mission struct {
		UserID    string            `json:"userId"`
		MissionID string            `json:"missionId"`
		Notes     map[string]string `json:"notes"`
		Grant     json.RawMessage   `json:"grant"`
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &mission); err != nil {
		return err
	}
	r, closing, err := open(ctx, env)
	if err != nil {
		return err
	}
	defer closing()

	m, err := r.Open(ctx, mission.Grant, runner.Mission{UserID: mission.UserID, ID: mission.MissionID})
	if err != nil {
		return err
	}
	defer m.Close()
	for _, id := range slices.Sorted(maps.Keys(mission.Notes)) {
		note, err := m.Decrypt(ctx, "notes", id, mission.Notes[id])
		if err != nil {
			fmt.Fprintf(out, "notes:%s refused: %s\n", id, runner.ReasonOf(err))
			continue
		}
		fmt.Fprintf(out, "notes:%s %s\n", id, note)
	}
	return nil
}

// open makes the runner from the environment.
func open(ctx context.Context, env func(string) string) (*runner.Runner, func(), error) {
	key, err := privateKey(env("RUNNER_KEY"))
	if err != nil {
		return nil, nil, err
	}
	issuer, keys, err := issuers(ctx, env("AUTH_URL"))
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open("postgres", env("AUDIT_URL"))
	if err != nil {
		return nil, nil, err
	}
	closing := func() { _ = db.Close() }
	audit, err := decryptaudit.New(ctx, db, decryptaudit.Options{})
	if err == nil {
		status := runner.StatusClient{URL: env("AUTH_URL") + "/api/auth/mission-grant/status", ServiceKey: env("SERVICE_KEY")}
		var r *runner.Runner
		if r, err = runner.New(runner.Options{PrivateKeys: []*rsa.PrivateKey{key}, Issuer: issuer, Issuers: keys, Audit: audit, Revoked: status.Revoked}); err == nil {
			return r, closing, nil
		}
	}
	closing()
	return nil, nil, err
}

func privateKey(file string) (*rsa.PrivateKey, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errors.New("RUNNER_KEY holds no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("RUNNER_KEY is no RSA key")
	}
	return k, nil
}

// issuers asks the server for its signing keys. A runner that is set up once keeps them,
// and asks again when the operator says so.
func issuers(ctx context.Context, server string) (issuer string, keys []ed25519.PublicKey, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/auth/mission-grant/keys", nil)
	if err != nil {
		return "", nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer res.Body.Close()
	var out struct {
		Issuer string `json:"issuer"`
		Keys   []struct {
			PublicKey []byte `json:"publicKey"` // base64
		} `json:"keys"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&out); err != nil {
		return "", nil, err
	}
	for _, k := range out.Keys {
		keys = append(keys, k.PublicKey)
	}
	return out.Issuer, keys, nil
}
