package runner

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
)

func TestOpen(t *testing.T) {
	w := newWorld(t)
	good := w.v2()
	w.want(good, mission, "")
	w.want(w.v1(), mission, "")
	w.want(good, Mission{UserID: "u2", ID: "m1"}, ScopeViolation)
	w.want(good, Mission{UserID: "u1", ID: "m2"}, ScopeViolation)
	w.want(w.v1(), Mission{UserID: "u1", ID: "m2"}, ScopeViolation)
	for _, s := range []string{"", "{}", "null", "[]", `"v2"`, `{"version":"v3"}`, `{"version":"v2"}`, `{"derivation":{"version":"v2"}}`, `{"version":1}`, strings.Repeat(" ", maxGrant) + "{}"} {
		r := Malformed
		if s == `{"version":"v2"}` {
			r = WrapRejected // by nobody that is known
		}
		w.want([]byte(s), mission, r)
	}
	w.want(bytes.Replace(good, []byte(`"userId":"u1"`), []byte(`"userId":"u2"`), 1), Mission{UserID: "u2", ID: "m1"}, WrapRejected)
	w.want(bytes.Replace(w.v1(), []byte(`"wrappedKey":"`), []byte(`"wrappedKey":"?`), 1), mission, Malformed)

	w.revoked = true
	w.want(good, mission, Revoked)
	w.revoked, w.unknown = false, errors.New("down")
	w.want(good, mission, Unknown)
	w.unknown = nil
	w.now = w.now.Add(time.Hour + time.Minute)
	w.want(good, mission, "") // clocks may lie a minute apart
	w.now = w.now.Add(time.Millisecond)
	w.want(good, mission, Expired)
	w.now = w.now.Add(-3 * time.Hour)
	w.want(good, mission, Expired) // not begun

	none := newWorld(t, func(o *Options) { o.PrivateKeys = nil })
	none.want(good, mission, NotConfigured)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(t, func(o *Options) { o.PrivateKeys = []*rsa.PrivateKey{other} }).want(good, mission, WrapRejected)
	newWorld(t, func(o *Options) { o.PrivateKeys = []*rsa.PrivateKey{other, sharedKey()} }).want(good, mission, "")
	newWorld(t, func(o *Options) { o.Issuers = nil }).want(good, mission, WrapRejected)
	newWorld(t, func(o *Options) { o.Issuer = "https://other.example.com" }).want(good, mission, ScopeViolation)
	newWorld(t, func(o *Options) { o.AllowV1 = false }).want(w.v1(), mission, Malformed)
	for _, o := range []Options{{}, {Audit: &trail{}}, {Audit: &trail{}, Revoked: w.o.Revoked, Issuers: []ed25519.PublicKey{{1}}}} {
		if _, err := New(o); err == nil {
			t.Errorf("made from %+v", o)
		}
	}
}

// A version 1 whose times cannot be read has ended.
func TestV1Times(t *testing.T) {
	w := newWorld(t)
	w.want(bytes.Replace(w.v1(), []byte(`"expiresAt":"2026`), []byte(`"expiresAt":"x026`), 1), mission, Expired)
}

// seal encrypts a record with WebCrypto's example client, as a browser does.
func seal(t *testing.T, key []byte, value any) string {
	t.Helper()
	in, err := json.Marshal(map[string]any{"key": key, "value": value})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--input-type=module", "-e", `
		import { encryptRecord, unb64 } from "../../../examples/mission/vault.mjs";
		let s = ""; for await (const c of process.stdin) s += c;
		const { key, value } = JSON.parse(s);
		process.stdout.write(await encryptRecord(unb64(key), value));`)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestDecrypt(t *testing.T) {
	w := newWorld(t)
	key, err := grant.RecordKey(w.master, "u1", "notes:n1")
	if err != nil {
		t.Fatal(err)
	}
	stored := seal(t, key, map[string]string{"title": "hello"})
	o, err := w.Open(t.Context(), w.v2(), mission)
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.Decrypt(t.Context(), "notes", "n1", stored)
	if err != nil || string(got) != `{"title":"hello"}` {
		t.Errorf("%s, %v", got, err)
	}
	dot := strings.LastIndexByte(stored, '.') + 1
	altered := stored[:dot] + "A" + stored[dot+1:]
	if altered == stored {
		altered = stored[:dot] + "B" + stored[dot+1:]
	}
	for _, tt := range []struct {
		table, id, stored string
		want              Reason
	}{
		{"notes", "n2", stored, ScopeViolation},
		{"note", "s:n1", stored, ScopeViolation},
		{"", "notes:n1", stored, ScopeViolation},
		{"notes", "n1", "hello", RecordMalformed},
		{"notes", "n1", "enc:1:AAAA", RecordMalformed},
		{"notes", "n1", "enc:1:AAAA.AAAA", RecordMalformed},
		{"notes", "n1", altered, RecordRejected},
		{"notes", "n1", seal(t, bytes.Repeat([]byte{2}, 32), 1), RecordRejected},
	} {
		got, err := o.Decrypt(t.Context(), tt.table, tt.id, tt.stored)
		if ReasonOf(err) != tt.want || got != nil {
			t.Errorf("%s:%s %q: %s, %v", tt.table, tt.id, tt.stored, got, err)
		}
	}
	if n := len(w.audit.rows); n != 9 {
		t.Errorf("%d rows in the audit", n)
	}
	first, second := w.audit.rows[0], w.audit.rows[1]
	if first.Status != "ok" || first.UserID != "u1" || first.MissionID != "m1" || first.IterationID != "i1" || first.RecordID != "n1" || first.Reason != "" {
		t.Errorf("%+v", first)
	}
	if second.Status != "scope-violation" || second.Reason != "record-not-in-grant-allowlist" {
		t.Errorf("%+v", second)
	}
	// What cannot be written down is not given out.
	w.audit.err = errors.New("the audit is down")
	if got, err := o.Decrypt(t.Context(), "notes", "n1", stored); ReasonOf(err) != NotAudited || got != nil {
		t.Errorf("%s, %v", got, err)
	}
	w.audit.err = nil
	w.now = w.now.Add(2 * time.Hour)
	if _, err := o.Decrypt(t.Context(), "notes", "n1", stored); ReasonOf(err) != Expired {
		t.Errorf("after the end: %v", err)
	}
	o.Close()
	if !bytes.Equal(o.keys["notes:n1"], make([]byte, 32)) {
		t.Error("the keys are left")
	}
	// What is left is a key that everybody has.
	w.now = w.now.Add(-2 * time.Hour)
	if got, err := o.Decrypt(t.Context(), "notes", "n1", seal(t, make([]byte, 32), "forged")); ReasonOf(err) != ScopeViolation {
		t.Errorf("after Close: %s, %v", got, err)
	}
}

// An id with a colon is of one table, whichever way the runner puts it together.
func TestDecryptIDWithColon(t *testing.T) {
	w := newWorld(t)
	key, err := grant.RecordKey(w.master, "u1", "notes:a:b")
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.Open(t.Context(), w.v2(func(g *grant.V2) { g.RecordIDs = []string{"notes:a:b"} }), mission)
	if err != nil {
		t.Fatal(err)
	}
	stored := seal(t, key, 1)
	if got, err := o.Decrypt(t.Context(), "notes", "a:b", stored); err != nil || string(got) != "1" {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := o.Decrypt(t.Context(), "notes:a", "b", stored); ReasonOf(err) != ScopeViolation {
		t.Errorf("of a table that is not granted: %s, %v", got, err)
	}
}

func TestDecryptV1(t *testing.T) {
	w := newWorld(t)
	key, err := grant.MissionKey(w.master, grant.Derivation{MissionID: "m1", Tables: []string{"notes"}, RecordIDs: []string{"notes:n1"}})
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.Open(t.Context(), w.v1(), mission)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := o.Decrypt(t.Context(), "notes", "n1", seal(t, key, "x")); err != nil || string(got) != `"x"` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := o.Decrypt(t.Context(), "notes", "n2", seal(t, key, "x")); ReasonOf(err) != ScopeViolation {
		t.Errorf("another record: %v", err)
	}
	// Somebody has written a record of another table into it.
	o, err = w.Open(t.Context(), bytes.Replace(w.v1(), []byte(`["notes:n1"]`), []byte(`["notes:n1","tasks:t1"]`), 1), mission)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := o.Decrypt(t.Context(), "tasks", "t1", seal(t, key, "x")); ReasonOf(err) != ScopeViolation {
		t.Errorf("a record of no granted table: %s, %v", got, err)
	}
}

func TestStatusClient(t *testing.T) {
	status, body := 200, `{"state":"active"}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Service-Key") != "key" || r.URL.Query().Get("digest") != "a+b/c=" {
			t.Errorf("%s %s", r.URL, r.Header)
		}
		w.WriteHeader(status)
		w.Write([]byte(body)) //nolint:errcheck // of a test
	}))
	defer s.Close()
	c := StatusClient{URL: s.URL, ServiceKey: "key"}
	for _, tt := range []struct {
		status  int
		body    string
		revoked bool
		fails   bool
	}{
		{200, `{"state":"active"}`, false, false},
		{200, `{"state":"revoked"}`, true, false},
		{200, `{"state":"expired"}`, true, false},
		{200, `{}`, true, false},
		{200, `<html>`, false, true},
		{404, `{"code":"GRANT_NOT_FOUND"}`, true, false},
		{404, ``, false, true}, // the endpoint itself is not there
		{401, `{"code":"UNAUTHORIZED"}`, false, true},
		{503, `{"code":"SERVICE_UNAVAILABLE"}`, false, true},
		{302, ``, false, true},
	} {
		status, body = tt.status, tt.body
		gone, err := c.Revoked(t.Context(), "a+b/c=")
		if gone != tt.revoked || (err != nil) != tt.fails {
			t.Errorf("%d %s: %v, %v", tt.status, tt.body, gone, err)
		}
	}
}

func FuzzOpenRecord(f *testing.F) {
	f.Add("enc:1:AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA==")
	f.Add("enc:1:.")
	f.Add("")
	key := bytes.Repeat([]byte{4}, 32)
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := OpenRecord(key, s); err != nil && got != nil {
			t.Error("a value with an error")
		}
	})
}

func FuzzOpen(f *testing.F) {
	r, err := New(Options{PrivateKeys: []*rsa.PrivateKey{sharedKey()}, AllowV1: true, Audit: &trail{}, Revoked: func(context.Context, string) (bool, error) { return false, nil }})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"version":"v2","tables":[],"recordIds":null}`))
	f.Add([]byte(`{"derivation":{"version":"v1","missionId":"m1","recordIds":["a:b"]},"expiresAt":"2999-01-01T00:00:00Z","wrappedKey":"AAAA"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := r.Open(t.Context(), raw, mission)
		if err == nil || o != nil || ReasonOf(err) == "" {
			t.Errorf("%v, %v", o, err)
		}
	})
}
