package vault

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/twofactor"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestKey(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.SignUp("ada@example.com")
		ada.Get("/vault/status").Want(200)
		ada.Get("/vault/key").WantCode(404, "VAULT_NOT_INITIALISED")
		made := ada.Post("/vault/init", nil).Want(200)
		key, err := base64.StdEncoding.DecodeString(made.Text("masterKey"))
		if err != nil || len(key) != 32 || made.Text("kekId") != "new" || made.Get("formatVersion") != 2.0 || made.Get("keyVersion") != 1.0 {
			t.Fatalf("%s", made.Body)
		}
		if check, _ := checkValue(key, ada.UserID); check != made.Text("keyCheck") {
			t.Error("the check value is another key's")
		}
		for _, a := range []*plugintest.Answer{ada.Post("/vault/init", nil).Want(200), ada.Get("/vault/key").Want(200)} {
			if a.Text("masterKey") != made.Text("masterKey") {
				t.Errorf("another key: %s", a.Body)
			}
			if a.Value("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control: %q", a.Value("Cache-Control"))
			}
		}
		if s := ada.Get("/vault/status").Want(200); s.Get("vaultExists") != true || s.Get("keyVersion") != 1.0 || s.Get("hasRecoveryWrap") != false {
			t.Errorf("%s", s.Body)
		}
		v := w.vault(ada.UserID)
		if strings.Contains(*v.WrappedMK, made.Text("masterKey")) {
			t.Error("the key is stored as it is")
		}
		w.wantTrail(ada.UserID, "failed_fetch 404 not-initialised", "init 201 created", "init 200 already-exists", "fetch 200")
	})
}

func TestRotate(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.SignUp("ada@example.com")
		first := ada.Post("/vault/rotate", m{"expectedVersion": 0}).Want(200) // makes it
		ada.Post("/vault/recovery-wrap", recovery(1)).Want(200)
		ada.Post("/vault/rotate", m{"expectedVersion": 2}).WantCode(409, "VAULT_VERSION_CONFLICT")
		ada.Post("/vault/rotate", m{}).WantCode(400, "VALIDATION_ERROR")
		second := ada.Post("/vault/rotate", m{"expectedVersion": 1}).Want(200)
		if second.Text("masterKey") == first.Text("masterKey") || second.Get("keyVersion") != 2.0 {
			t.Errorf("%s", second.Body)
		}
		if v := w.vault(ada.UserID); v.RecoveryWrappedMK != nil || v.RecoverySetAt != nil || v.RotatedAt == nil {
			t.Errorf("what opened the old key is left: %+v", v)
		}
		ada.Post("/vault/recovery-wrap", recovery(2)).Want(200)
		ada.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
		ada.Post("/vault/rotate", m{"expectedVersion": 2}).WantCode(409, "ZK_ROTATE_FORBIDDEN")
		w.wantTrail(ada.UserID, "rotate 201 init-on-rotate", "recovery_set 200", "rotate 409 vault-version-conflict", "rotate 200",
			"recovery_set 200", "zk_enable 200", "rotate 409 zk-rotate-forbidden")
	})
}

func TestZeroKnowledge(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.SignUp("ada@example.com")
		zero := func(body m) *plugintest.Answer { return ada.Post("/vault/zero-knowledge", body) }
		zero(m{"enable": true}).WantCode(404, "VAULT_NOT_INITIALISED")
		key := ada.Post("/vault/init", nil).Want(200).Text("masterKey")
		zero(m{"enable": true}).WantCode(400, "RECOVERY_WRAP_MISSING")
		zero(m{"enable": false, "masterKey": key}).Want(200) // already off
		ada.Post("/vault/recovery-wrap", recovery(1)).Want(200)
		zero(m{"enable": true}).Want(200)
		zero(m{"enable": true}).Want(200)
		if v := w.vault(ada.UserID); v.WrappedMK != nil || v.WrapIV != nil || !v.ZeroKnowledge {
			t.Fatalf("the server still has the key: %+v", v)
		}
		a := ada.Get("/vault/key").Want(200)
		if a.Get("requiresRecoveryCode") != true || a.Text("recoveryWrappedMk") != b64(48, 1) || a.Get("masterKey") != nil || a.Get("formatVersion") != 1.0 {
			t.Errorf("%s", a.Body)
		}
		ada.Do(del("/vault/recovery-wrap")).WantCode(409, "ZK_ACTIVE")
		zero(m{"enable": false}).WantCode(400, "VAULT_BAD_REQUEST")
		zero(m{"enable": false, "masterKey": b64(31, 1)}).WantCode(400, "VAULT_BAD_REQUEST")
		zero(m{"enable": false, "masterKey": b64(32, 1)}).WantCode(400, "WRONG_MASTER_KEY")
		zero(m{"enable": false, "masterKey": key}).Want(200)
		if got := ada.Get("/vault/key").Want(200).Text("masterKey"); got != key {
			t.Error("another key came back")
		}
		ada.Do(del("/vault/recovery-wrap")).Want(200)
		w.wantTrail(ada.UserID, "zk_enable 404 no-vault", "init 201 created", "zk_enable 400 no-recovery-wrap", "zk_disable 200 already-disabled",
			"recovery_set 200", "zk_enable 200", "zk_enable 200 already-enabled", "fetch 200 zk-recovery-blob", "recovery_clear 409 zk-active",
			"zk_disable 400 vault-bad-request", "zk_disable 400 vault-bad-request", "zk_disable 400 wrong-master-key", "zk_disable 200", "fetch 200", "recovery_clear 200")
	})
}

func TestRecoveryWrapIsValidated(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	ada.Post("/vault/init", nil).Want(200)
	good := recovery(1)
	for name, change := range map[string]m{
		"short wrap":     {"recoveryWrappedMk": b64(47, 1)},
		"long wrap":      {"recoveryWrappedMk": b64(49, 1)},
		"empty wrap":     {"recoveryWrappedMk": ""},
		"url alphabet":   {"recoveryWrappedMk": strings.ReplaceAll(b64(48, 0xff), "/", "_")},
		"line end":       {"recoveryWrappedMk": b64(48, 1) + "\n"},
		"iv of 16":       {"recoveryIv": b64(16, 1)},
		"iv no base64":   {"recoveryIv": "****************"},
		"format 2":       {"formatVersion": 2},
		"format a text":  {"formatVersion": "1"},
		"wrap a number":  {"recoveryWrappedMk": 1},
		"iv is missing":  {"recoveryIv": nil},
		"wrap a list":    {"recoveryWrappedMk": []string{b64(48, 1)}},
		"unpadded iv":    {"recoveryIv": b64(11, 1)},
		"wrap with text": {"recoveryWrappedMk": b64(48, 1)[:60] + "é==="},
	} {
		body := m{}
		for k, v := range good {
			body[k] = v
		}
		for k, v := range change {
			body[k] = v
		}
		if a := ada.Post("/vault/recovery-wrap", body); a.Status != 400 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if v := w.vault(ada.UserID); v.RecoveryWrappedMK != nil {
		t.Error("a bad wrap was stored")
	}
}

// What gives the key out or loses data wants a session that began recently, and the
// second factor of who has one.
func TestStepUp(t *testing.T) {
	tf := twofactor.New(twofactor.Options{})
	w := newWorld(t, Options{}, func(o *plugintest.Options) {
		o.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{}), tf}
	})
	ada := w.SignUp("ada@example.com")
	key := ada.Post("/vault/init", nil).Want(200).Text("masterKey")
	ada.Post("/vault/recovery-wrap", recovery(1)).Want(200)
	acts := func(status int, code string) {
		t.Helper()
		ada.Post("/vault/init", nil).WantCode(status, code)
		ada.Get("/vault/key").WantCode(status, code)
		ada.Post("/vault/rotate", m{"expectedVersion": 1}).WantCode(status, code)
		ada.Do(del("/vault/recovery-wrap")).WantCode(status, code)
		ada.Post("/vault/recovery-wrap", recovery(2)).WantCode(status, code) // it would lose the other
		ada.Post("/vault/zero-knowledge", m{"enable": true}).WantCode(status, code)
		ada.Post("/vault/zero-knowledge", m{"enable": false, "masterKey": key}).WantCode(status, code)
	}
	ctx := t.Context()
	if _, err := w.Host.DB().Exec(ctx, "UPDATE {user=} SET {user:twoFactorEnabled} = ? WHERE {user.id} = ?", true, ada.UserID); err != nil {
		t.Fatal(err)
	}
	acts(403, "SECOND_FACTOR_REQUIRED")
	if _, err := w.Host.DB().Exec(ctx, "UPDATE {session=} SET {session:aal} = 2"); err != nil {
		t.Fatal(err)
	}
	ada.Get("/vault/key").Want(200)
	w.Clock.Advance(25 * time.Hour)
	acts(403, "SESSION_NOT_FRESH")
	ada.Get("/vault/status").Want(200)
	ada.Get("/vault/audit").Want(200)
	if v := w.vault(ada.UserID); v.KeyVersion != 1 || v.RecoveryWrappedMK == nil || v.ZeroKnowledge {
		t.Errorf("something was done: %+v", v)
	}
	count := 0
	for _, line := range w.trail(ada.UserID) {
		if strings.Contains(line, "403") {
			count++
		}
	}
	if count != 14 {
		t.Errorf("%d refusals in the audit, want 14", count)
	}
}

func TestAuditPages(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		bob.Post("/vault/init", nil).Want(200)
		for range 5 { // several in one millisecond
			ada.Get("/vault/key").Want(404)
		}
		seen := map[string]bool{}
		path, pages := "/vault/audit?limit=2", 0
		for path != "" {
			a := ada.Get(path).Want(200)
			pages++
			for _, e := range a.Get("entries").([]any) {
				seen[e.(map[string]any)["id"].(string)] = true
			}
			path = ""
			if next, _ := a.Get("next").(string); next != "" {
				path = "/vault/audit?limit=2&before=" + next
			}
		}
		if len(seen) != 5 || pages != 3 {
			t.Errorf("%d entries on %d pages", len(seen), pages)
		}
		for _, q := range []string{"limit=0", "limit=201", "limit=x", "limit=", "before=", "before=x", "before=-", "before=zzzzzzzzzzzzzz-a", "before=" + strings.Repeat("1", 99)} {
			ada.Get("/vault/audit?"+q).WantCode(400, "VAULT_BAD_REQUEST")
		}
	})
}

// The old system's paths, with its errors.
func TestOldPaths(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	do := func(method, path string, body any) *plugintest.Answer {
		return ada.Do(plugintest.Request{Method: method, Path: "/api/v1/me/encryption-vault" + path, Body: body})
	}
	a := do("GET", "/key", nil).Want(404)
	if a.Text("code") != "VAULT_NOT_INITIALISED" || a.Text("error") == "" {
		t.Errorf("%s", a.Body)
	}
	do("POST", "/init", nil).Want(200)
	first := do("POST", "/rotate", nil).Want(200)
	if second := do("POST", "/rotate", m{}).Want(200); second.Get("keyVersion").(float64) != first.Get("keyVersion").(float64)+1 {
		t.Errorf("%s after %s", second.Body, first.Body)
	}
	if a := do("POST", "/recovery-wrap", m{"recoveryIv": 1}).Want(400); a.Text("code") != "BAD_REQUEST" {
		t.Errorf("%s", a.Body)
	}
	do("POST", "/recovery-wrap", recovery(1)).Want(200)
	do("POST", "/zero-knowledge", m{"enable": true}).Want(200)
	if a := do("DELETE", "/recovery-wrap", nil).Want(409); a.Text("code") != "ZK_ACTIVE" {
		t.Errorf("%s", a.Body)
	}
	if a := do("GET", "/status", nil).Want(200); a.Get("zeroKnowledge") != true {
		t.Errorf("%s", a.Body)
	}
	do("GET", "/audit", nil).Want(200)
}
