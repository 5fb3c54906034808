package missiongrant

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant/grant"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestIssueV2(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.SignUp("ada@example.com")
		ada.Post("/mission-grant", wanted(nil)).WantCode(404, "VAULT_NOT_INITIALISED")
		master, _ := base64.StdEncoding.DecodeString(ada.Post("/vault/init", nil).Want(200).Text("masterKey"))
		a := ada.Post("/mission-grant", wanted(m{"recordIds": []string{"tasks:t1", "notes:n1", "tasks:t1"}})).Want(200)
		var g grant.V2
		if err := json.Unmarshal(a.Body, &g); err != nil {
			t.Fatal(err)
		}
		keys := w.Client().Get("/mission-grant/keys").Want(200)
		public, _ := base64.StdEncoding.DecodeString(keys.Text("keys.0.publicKey"))
		if err := g.Verify(ed25519.PublicKey(public)); err != nil {
			t.Fatal(err)
		}
		open, err := g.Open(w.key)
		if err != nil || len(open) != 2 {
			t.Fatalf("%d keys, %v", len(open), err)
		}
		if want, _ := grant.RecordKey(master, ada.UserID, "notes:n1"); !bytes.Equal(open["notes:n1"], want) {
			t.Error("another key")
		}
		now := w.Clock.Now()
		if g.UserID != ada.UserID || g.Issuer != plugintest.BaseURL || g.IssuedAt != now.UnixMilli() || g.ExpiresAt != now.Add(7*24*time.Hour).UnixMilli() || g.KeyVersion != 1 {
			t.Errorf("%+v", g)
		}
		list := ada.Get("/mission-grant/list").Want(200)
		if list.Text("grants.0.id") != g.ID || list.Text("grants.0.state") != "active" || strings.Contains(string(list.Body), g.WrappedKey) {
			t.Errorf("%s", list.Body)
		}
		if s := w.status("digest="+g.Digest(), serviceKey).Want(200); s.Text("state") != "active" || s.Text("grantId") != g.ID {
			t.Errorf("%s", s.Body)
		}
		if got := ada.Get("/vault/audit").Want(200); !strings.Contains(string(got.Body), "mission "+g.ID) || !strings.Contains(string(got.Body), "failed_grant") {
			t.Errorf("the vault's audit: %s", got.Body)
		}
	})
}

func TestRevoke(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		ada.Post("/vault/init", nil).Want(200)
		var ids []string
		for range 3 {
			ids = append(ids, ada.Post("/mission-grant", wanted(nil)).Want(200).Text("id"))
		}
		bob.Post("/mission-grant/revoke", m{"id": ids[0]}).WantCode(404, "GRANT_NOT_FOUND")
		bob.Post("/mission-grant/revoke", m{"missionId": "mission-abc"}).WantCode(404, "GRANT_NOT_FOUND")
		if a := ada.Post("/mission-grant/revoke", m{"id": ids[0]}).Want(200); a.Get("revoked") != 1.0 {
			t.Errorf("%s", a.Body)
		}
		if a := ada.Post("/mission-grant/revoke", m{"id": ids[0]}).Want(200); a.Get("revoked") != 0.0 {
			t.Errorf("%s", a.Body)
		}
		if s := w.status("grantId="+ids[0], serviceKey).Want(200); s.Text("state") != "revoked" {
			t.Errorf("%s", s.Body)
		}
		w.status("grantId="+ids[1], serviceKey).Want(200)
		if a := ada.Post("/mission-grant/revoke", m{"missionId": "mission-abc"}).Want(200); a.Get("revoked") != 2.0 {
			t.Errorf("%s", a.Body)
		}
		for _, body := range []m{{}, {"id": ids[0], "missionId": "x"}} {
			ada.Post("/mission-grant/revoke", body).WantCode(400, "GRANT_BAD_REQUEST")
		}
		if list := bob.Get("/mission-grant/list").Want(200); string(list.Body) != `{"grants":[]}` {
			t.Errorf("%s", list.Body)
		}
	})
}

func TestStatusWantsTheKey(t *testing.T) {
	w := newWorld(t, Options{})
	for _, key := range []string{"", "x", serviceKey + " ", strings.ToUpper(serviceKey)} {
		w.status("grantId=x", key).WantCode(401, "UNAUTHORIZED")
	}
	w.status("grantId=x", serviceKey).WantCode(404, "GRANT_NOT_FOUND")
	w.status("", serviceKey).WantCode(400, "GRANT_BAD_REQUEST")
	w.status("grantId=x&digest=y", serviceKey).WantCode(400, "GRANT_BAD_REQUEST")
	p := New(Options{})
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{vault.New(vault.Options{Keyring: kek}), p}})
	h.Client().Get("/mission-grant/status?grantId=x").WantCode(503, "GRANT_NOT_CONFIGURED")
}

// The order: set up, request, vault, zero knowledge.
func TestOrder(t *testing.T) {
	none := newWorld(t, Options{PublicKey: "none"})
	none.SignUp("ada@example.com").Post("/mission-grant", m{"missionId": 1}).WantCode(503, "GRANT_NOT_CONFIGURED")
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	ada.Post("/mission-grant", m{"missionId": 1}).WantCode(400, "GRANT_BAD_REQUEST")
	ada.Post("/mission-grant", wanted(nil)).WantCode(404, "VAULT_NOT_INITIALISED")
	ada.Post("/vault/init", nil).Want(200)
	b := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	ada.Post("/vault/recovery-wrap", m{"recoveryWrappedMk": b(48), "recoveryIv": b(12)}).Want(200)
	ada.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
	ada.Post("/mission-grant", wanted(nil)).WantCode(409, "ZK_ACTIVE")
	ada.Post("/mission-grant", wanted(m{"tables": nil})).WantCode(400, "GRANT_BAD_REQUEST")
}

func TestBadRequests(t *testing.T) {
	w := newWorld(t, Options{Tables: []string{"notes", "tasks"}})
	ada := w.SignUp("ada@example.com")
	ada.Post("/vault/init", nil).Want(200)
	many := make([]string, 1001)
	for i := range many {
		many[i] = "notes:n"
	}
	for name, change := range map[string]m{
		"no mission":          {"missionId": nil},
		"empty mission":       {"missionId": ""},
		"a number":            {"missionId": 7},
		"a long mission":      {"missionId": strings.Repeat("m", 257)},
		"a control character": {"missionId": "a\nb"},
		"no tables":           {"tables": nil},
		"empty tables":        {"tables": []string{}},
		"tables a text":       {"tables": "notes"},
		"tables of numbers":   {"tables": []int{1}},
		"a table that cannot": {"tables": []string{"notes", "tasks", "users"}},
		"no records":          {"recordIds": []string{}},
		"too many records":    {"recordIds": many},
		"a record of none":    {"recordIds": []string{"journal:j1"}},
		"no colon":            {"recordIds": []string{"notes"}},
		"no id":               {"recordIds": []string{"notes:"}},
		"no table":            {"recordIds": []string{":n1"}},
		"a long id":           {"recordIds": []string{"notes:" + strings.Repeat("n", 257)}},
		"a line end":          {"recordIds": []string{"notes:a\u0000"}},
		"ttl a text":          {"ttlMs": "1"},
		"ttl a list":          {"ttlMs": []int{1}},
		"version 3":           {"version": "v3"},
		"version a number":    {"version": 2},
		"v1 with a comma":     {"version": "v1", "recordIds": []string{"notes:a,notes:b"}},
	} {
		if a := ada.Post("/mission-grant", wanted(change)); a.Status != 400 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if got := ada.Get("/mission-grant/list").Want(200); string(got.Body) != `{"grants":[]}` {
		t.Errorf("%s", got.Body)
	}
	for ttl, want := range map[float64]time.Duration{0: time.Hour, -1: time.Hour, 1: time.Hour, 7.2e6: 2 * time.Hour, 1e18: 30 * 24 * time.Hour, 1e308: 30 * 24 * time.Hour} {
		a := ada.Post("/mission-grant", wanted(m{"ttlMs": ttl})).Want(200)
		if got := a.Get("expiresAt").(float64) - a.Get("issuedAt").(float64); got != float64(want.Milliseconds()) {
			t.Errorf("ttlMs %g: %g ms", ttl, got)
		}
		w.Clock.Advance(time.Minute)
	}
}

// The old path: version 1, as the old system answers it, unless asked for version 2.
func TestOldPath(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	post := func(body any) *plugintest.Answer { return ada.Post("/api/v1/me/ai-mission-grant", body) }
	if a := post(wanted(m{"missionId": ""})).Want(400); a.Text("code") != "BAD_REQUEST" || a.Text("error") == "" {
		t.Errorf("%s", a.Body)
	}
	master, _ := base64.StdEncoding.DecodeString(ada.Post("/vault/init", nil).Want(200).Text("masterKey"))
	a := post(wanted(nil)).Want(200)
	var g grant.V1
	if err := json.Unmarshal(a.Body, &g); err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(a.Body, &members); err != nil || len(members) != 4 {
		t.Errorf("%s", a.Body)
	}
	got, err := g.Unwrap([]*rsa.PrivateKey{w.key})
	if want, _ := grant.MissionKey(master, g.Derivation); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	if s := w.status("digest="+g.Digest(), serviceKey).Want(200); s.Text("state") != "active" {
		t.Errorf("%s", s.Body)
	}
	if a := post(wanted(m{"version": "v2"})).Want(200); a.Text("version") != "v2" {
		t.Errorf("%s", a.Body)
	}
	if a := ada.Get("/api/v1/me/ai-audit").Want(200); string(a.Body) != `{"rows":[]}` {
		t.Errorf("%s", a.Body)
	}
}

func TestAudit(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		for i, who := range []*plugintest.Client{ada, ada, bob} {
			err := w.Host.TxAs(t.Context(), who.UserID, func(ctx context.Context, tx *core.Tx) error {
				return decryptions.Insert(ctx, tx, &Decryption{ID: string(rune('a' + i)), UserID: who.UserID, MissionID: "m" + string(rune('0'+i)), Table: "notes", RecordID: "n1",
					Status: "ok", At: w.Clock.Now()})
			})
			if err != nil {
				t.Fatal(err)
			}
			w.Clock.Advance(time.Second)
		}
		ids := func(query string) (out string) {
			for _, r := range ada.Get("/mission-grant/audit" + query).Want(200).Get("rows").([]any) {
				out += r.(map[string]any)["id"].(string)
			}
			return out
		}
		for query, want := range map[string]string{"": "ba", "?limit=1": "b", "?limit=0": "b", "?limit=99999": "ba", "?missionId=m0": "a", "?missionId=m2": ""} {
			if got := ids(query); got != want {
				t.Errorf("%q: %q, want %q", query, got, want)
			}
		}
		ada.Get("/mission-grant/audit?limit=x").WantCode(400, "GRANT_BAD_REQUEST")
		ada.Get("/mission-grant/audit?missionId=").WantCode(400, "GRANT_BAD_REQUEST")
	})
}

func TestFaults(t *testing.T) {
	_, public := recipient(t)
	small, err := os.ReadFile("testdata/small.pem")
	if err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]Options{
		"want PEM blocks":             {PublicKey: "hello"},
		"no SubjectPublicKeyInfo":     {PublicKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
		"2048 to 4096 bits":           {PublicKey: string(small)},
		"give one of them":            {PublicKey: public, PublicKeyFile: "testdata/small.pem"},
		"publicKeyFile":               {PublicKeyFile: "testdata/none.pem"},
		"serviceKey: want 32":         {PublicKey: public, ServiceKey: "dev-service-key"},
		"signingKey: want exactly 32": {PublicKey: public, SigningKey: "AAAA"},
		`"a b" is no name of a table`: {PublicKey: public, Tables: []string{"a b"}},
	} {
		if err := errors.Join(New(o).Spec().Faults...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if f := New(Options{PublicKey: public + public, SigningKey: base64.StdEncoding.EncodeToString(make([]byte, 32))}).Spec().Faults; f != nil {
		t.Errorf("%v", f)
	}
}

// What was granted is nobody else's business: no answer is kept on the way.
func TestNoAnswerIsKept(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	ada.Post("/vault/init", nil).Want(200)
	for name, a := range map[string]*plugintest.Answer{
		"issue": ada.Post("/mission-grant", wanted(nil)), "list": ada.Get("/mission-grant/list"), "revoke": ada.Post("/mission-grant/revoke", m{"missionId": "mission-abc"}),
		"audit": ada.Get("/mission-grant/audit"), "status": w.status("digest=x", serviceKey), "keys": w.Client().Get("/mission-grant/keys"),
	} {
		if a.Value("Cache-Control") != "no-store" {
			t.Errorf("%s: %q", name, a.Value("Cache-Control"))
		}
	}
}

func TestListPages(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		for i := range 2*pageSize + 1 { // three of each millisecond
			at := w.Clock.Now().Add(time.Duration(i/3) * time.Millisecond)
			id := fmt.Sprintf("g%03d", i)
			g := Grant{ID: id, UserID: ada.UserID, MissionID: "m", Version: "v2", Tables: "[]", RecordIDs: "[]", RecipientKeyID: "k", Digest: id, IssuedAt: at, ExpiresAt: at}
			if err := grants.Insert(t.Context(), w.Host.DB(), &g); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		query := ""
		for range 3 {
			var page struct {
				Grants []struct{ ID string }
				Next   string
			}
			ada.Get("/mission-grant/list" + query).Want(200).Into(&page)
			for _, g := range page.Grants {
				got = append(got, g.ID)
			}
			query = "?before=" + page.Next
			if page.Next == "" {
				break
			}
		}
		slices.Reverse(got)
		if len(got) != 2*pageSize+1 || !slices.IsSorted(got) || len(slices.Compact(got)) != 2*pageSize+1 {
			t.Errorf("%d grants: %v", len(got), got)
		}
		ada.Get("/mission-grant/list?before=none").WantCode(400, "GRANT_BAD_REQUEST")
		bob.Get("/mission-grant/list?before=g003").WantCode(400, "GRANT_BAD_REQUEST")
	})
}
