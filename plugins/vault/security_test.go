package vault

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// config is an Auth with a vault on a database of PostgreSQL.
func config(db storage.Database) core.Config {
	return core.Config{BaseURL: plugintest.BaseURL, Secret: plugintest.Secret, Database: db, NoBackground: true,
		Plugins: []core.Plugin{New(Options{Keyring: testRing})}}
}

// migrated is a database with the tables, and what a service's role is granted there.
func migrated(t *testing.T) (owner, service string) {
	t.Helper()
	owner = adaptertest.PostgresURL(t)
	db := opened(t, owner)
	cfg := config(db)
	cfg.SkipVerify = true
	auth, err := core.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	want, names, steps := auth.Schema()
	if _, err := migrations.Apply(t.Context(), db, want, names, steps); err != nil {
		t.Fatal(err)
	}
	if err := auth.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return owner, adaptertest.PostgresRole(t, owner, "GRANT USAGE ON SCHEMA public TO $role", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO $role")
}

func opened(t *testing.T, url string) storage.Database {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A superuser sees every row whatever its policies say: the server does not start.
func TestSuperuserIsRefused(t *testing.T) {
	owner, service := migrated(t)
	_, err := core.New(t.Context(), config(opened(t, owner)))
	if err == nil || !strings.Contains(err.Error(), `plugin vault: table encryptionVault ("encryption_vault"): the role "`) || !strings.Contains(err.Error(), "superuser or has BYPASSRLS") {
		t.Errorf("as a superuser: %v", err)
	}
	auth, err := core.New(t.Context(), config(opened(t, service)))
	if err != nil {
		t.Fatalf("as the service's role: %v", err)
	}
	auth.Close(t.Context())
	for _, sql := range []string{`ALTER TABLE "encryption_vault" NO FORCE ROW LEVEL SECURITY`, `DROP TRIGGER "encryption_vault_audit_append_only" ON "encryption_vault_audit"`} {
		if err := opened(t, owner).DDL(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		if _, err := core.New(t.Context(), config(opened(t, service))); err == nil || !strings.Contains(err.Error(), "run the migrations") {
			t.Errorf("after %s: %v", sql, err)
		}
	}
}

// No statement in a user's transaction sees or changes rows of another user's; without a
// user there are none.
func TestRowSecurity(t *testing.T) {
	_, service := migrated(t)
	auth, err := core.New(t.Context(), config(opened(t, service)))
	if err != nil {
		t.Fatal(err)
	}
	h, ctx := auth.Host(), t.Context()
	for _, id := range []string{"ada", "bob"} {
		if _, err := h.DB().Exec(ctx, "INSERT INTO {user} ({user:id}, {user:name}, {user:email}, {user:emailVerified}) VALUES (?, ?, ?, ?)", id, id, id+"@example.com", true); err != nil {
			t.Fatal(err)
		}
		err := h.TxAs(ctx, id, func(ctx context.Context, tx *core.Tx) error {
			w, iv := "w", "iv"
			if err := vaults.Insert(ctx, tx, &Vault{UserID: id, WrappedMK: &w, WrapIV: &iv, KekID: "new", KeyVersion: 1}); err != nil {
				return err
			}
			return audits.Insert(ctx, tx, &AuditRow{ID: id, UserID: id, Action: "init", Status: 201})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for user, want := range map[string]int64{"ada": 1, "": 0, "eve": 0, "ada' OR '1'='1": 0} {
		err := h.TxAs(ctx, user, func(ctx context.Context, tx *core.Tx) error {
			for _, sql := range []string{"SELECT COUNT(*) FROM {encryptionVault}", "SELECT COUNT(*) FROM {encryptionVaultAudit}"} {
				var n int64
				rows, err := tx.Query(ctx, sql)
				if err != nil {
					return err
				}
				for rows.Next() {
					if err := rows.Scan(&n); err != nil {
						return err
					}
				}
				rows.Close()
				if n != want {
					t.Errorf("%q: %s: %d rows", user, sql, n)
				}
			}
			n, err := tx.Exec(ctx, "UPDATE {encryptionVault} SET {encryptionVault:kekId} = 'x' WHERE {encryptionVault:userId} <> ?", user)
			if err != nil || n != 0 {
				t.Errorf("%q changes %d rows of others: %v", user, n, err)
			}
			n, err = tx.Exec(ctx, "DELETE FROM {encryptionVault} WHERE {encryptionVault:userId} = 'bob'")
			if err != nil || n != 0 {
				t.Errorf("%q deletes %d rows: %v", user, n, err)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%q: %v", user, err)
		}
		err = h.TxAs(ctx, user, func(ctx context.Context, tx *core.Tx) error {
			return audits.Insert(ctx, tx, &AuditRow{ID: "forged" + user, UserID: "bob", Action: "fetch", Status: 200})
		})
		var e *storage.Error
		if !errors.As(err, &e) || e.SQLState != "42501" {
			t.Errorf("%q wrote a row of bob's: %v", user, err)
		}
	}
	// The service's role changes no audit row, not even the user's own.
	for _, sql := range []string{"UPDATE {encryptionVaultAudit} SET {encryptionVaultAudit:status} = 500", "DELETE FROM {encryptionVaultAudit}"} {
		err := h.TxAs(ctx, "ada", func(ctx context.Context, tx *core.Tx) error { _, err := tx.Exec(ctx, sql); return err })
		var e *storage.Error
		if !errors.As(err, &e) || e.Kind != storage.Check {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := h.DB().Exec(ctx, "TRUNCATE {encryptionVaultAudit}"); err == nil {
		t.Error("the audit was emptied")
	}
}

// A wrap that is copied to another user's row, or back from before a rotation, does not
// open; nor does an altered one. The server says that it is its fault, and records it.
func TestCopiedRow(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		ada.Post("/vault/init", nil).Want(200)
		bob.Post("/vault/init", nil).Want(200)
		put := func(c *plugintest.Client, from *Vault) {
			t.Helper()
			err := w.as(c.UserID, func(ctx context.Context, tx *core.Tx) error {
				_, err := vaults.Update(ctx, tx, []core.Set{colWrapped.Set(from.WrappedMK), colIV.Set(from.WrapIV), colKek.Set(from.KekID), colCheck.Set(from.KeyCheck)}, colUser.Eq(c.UserID))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		was := w.vault(ada.UserID)
		put(ada, w.vault(bob.UserID))
		ada.Get("/vault/key").WantCode(500, "VAULT_KEY_UNUSABLE")
		put(ada, was)
		ada.Get("/vault/key").Want(200)
		ada.Post("/vault/rotate", m{"expectedVersion": 1}).Want(200)
		put(ada, was)
		ada.Get("/vault/key").WantCode(500, "VAULT_KEY_UNUSABLE")
		w.wantTrail(ada.UserID, "init 201 created", "failed_fetch 500 unwrap-failed", "fetch 200", "rotate 200", "failed_fetch 500 unwrap-failed")
	})
}

func TestRaces(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada := w.SignUp("ada@example.com")
		const many = 20
		clients := make([]*plugintest.Client, many)
		for i := range clients {
			clients[i] = ada.Copy()
		}
		keys := race(many, func(i int) string {
			a := clients[i].Post("/vault/init", nil)
			if a.Status != 200 {
				t.Errorf("init: %d %s", a.Status, a.Body)
			}
			return a.Text("masterKey")
		})
		if len(keys) != 1 {
			t.Errorf("%d different keys", len(keys))
		}
		got := race(many, func(i int) string {
			a := clients[i].Post("/vault/rotate", m{"expectedVersion": 1})
			if a.Status == 200 {
				return "200"
			}
			return a.Code()
		})
		if got["200"] != 1 || got["VAULT_VERSION_CONFLICT"] != many-1 {
			t.Errorf("rotations: %v", got)
		}
		if v := w.vault(ada.UserID); v.KeyVersion != 2 {
			t.Errorf("version %d", v.KeyVersion)
		}
		trail := w.trail(ada.UserID)
		if len(trail) != 2*many {
			t.Errorf("%d audit rows, want %d", len(trail), 2*many)
		}
	})
}

// outage is a provider whose server does not answer.
type outage struct{ *Keyring }

var errDown = errors.New("connection refused")

func (outage) Unwrap(context.Context, contract.WrappedKey, []byte) ([]byte, error) {
	return nil, errDown
}

func (outage) Wrap(context.Context, []byte, []byte) (contract.WrappedKey, error) {
	return contract.WrappedKey{}, errDown
}

// A KMS that is down is an outage, no broken key; and the audit has what was tried.
func TestOutage(t *testing.T) {
	w := newWorld(t, Options{Provider: outage{ring(t, kek("kms", 1))}})
	ada := w.SignUp("ada@example.com")
	ada.Post("/vault/init", nil).WantCode(503, "SERVICE_UNAVAILABLE")
	w.wantTrail(ada.UserID, "init 503 service-unavailable")
	if v := w.vault(ada.UserID); v != nil {
		t.Errorf("%+v", v)
	}
}

// Without its audit row nothing happens: not even a key is given out.
func TestNoAuditNoKey(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	ada.Post("/vault/init", nil).Want(200)
	if err := w.Auth.Database().DDL(t.Context(), `ALTER TABLE "encryption_vault_audit" RENAME TO "gone"`); err != nil {
		t.Fatal(err)
	}
	for _, a := range []*plugintest.Answer{ada.Get("/vault/key"), ada.Post("/vault/rotate", m{"expectedVersion": 1}), ada.Post("/vault/recovery-wrap", recovery(1))} {
		if a.Status != 503 || strings.Contains(string(a.Body), "masterKey") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if v := w.vault(ada.UserID); v.KeyVersion != 1 || v.RecoveryWrappedMK != nil {
		t.Errorf("%+v", v)
	}
}

// The audit outlives the account, without where and on what it was done.
func TestDeletedAccount(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		ada, bob := w.SignUp("ada@example.com"), w.SignUp("bob@example.com")
		ada.Post("/vault/init", nil).Want(200)
		bob.Post("/vault/init", nil).Want(200)
		u, err := w.Host.UserByID(t.Context(), w.Host.DB(), ada.UserID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Host.DeleteUser(t.Context(), nil, nil, u); err != nil {
			t.Fatal(err)
		}
		if w.vault(ada.UserID) != nil || w.vault(bob.UserID) == nil {
			t.Error("the vaults are not what they should be")
		}
		for id, kept := range map[string]bool{ada.UserID: false, bob.UserID: true} {
			err := w.as(id, func(ctx context.Context, tx *core.Tx) error {
				list, err := audits.List(ctx, tx, core.ListOptions{}, auditUser.Eq(id))
				if len(list) != 1 || (list[0].IPAddress != nil) != kept {
					t.Errorf("%+v", list)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// A row that the old system's checks allow: the server has no wrap, and zero knowledge is
// off. It is a failure of ours that is answered and written down, whoever asks.
func TestRowWithoutWrap(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	w.bareRow(ada.UserID, 9)
	ada.Post("/vault/recovery-wrap", recovery(1)).Want(200)
	err := w.as(ada.UserID, func(ctx context.Context, tx *core.Tx) error {
		_, err := vaults.Update(ctx, tx, []core.Set{colWrapped.SetNull(), colIV.SetNull()}, colUser.Eq(ada.UserID))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ada.Get("/vault/key").WantCode(500, "VAULT_KEY_UNUSABLE")
	ada.Post("/vault/zero-knowledge", m{"enable": true}).WantCode(500, "VAULT_KEY_UNUSABLE")
	err = lender{w.p}.WithMasterKey(t.Context(), contract.VaultAccess{UserID: ada.UserID, Action: "grant"}, func([]byte, int) error { return nil })
	if !errors.Is(err, ErrKeyUnusable) {
		t.Errorf("lent: %v", err)
	}
	w.wantTrail(ada.UserID, "recovery_set 200", "failed_fetch 500 unwrap-failed", "zk_enable 500 vault-key-unusable", "failed_grant 500 unwrap-failed")
}

// broken is a key provider that nobody foresaw.
type broken struct{ contract.KeyProvider }

func (b broken) Unwrap(context.Context, contract.WrappedKey, []byte) ([]byte, error) {
	panic("a key provider's")
}

func TestPanicIsInTheAudit(t *testing.T) {
	w := newWorld(t, Options{Provider: broken{ring(t, kek("a", 1))}})
	ada := w.SignUp("ada@example.com")
	ada.Post("/vault/init", nil).WantCode(500, "INTERNAL_SERVER_ERROR") // made, and not opened
	ada.Get("/vault/key").WantCode(500, "INTERNAL_SERVER_ERROR")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic ended in the vault")
			}
		}()
		_ = lender{w.p}.WithMasterKey(t.Context(), contract.VaultAccess{UserID: ada.UserID, Action: "grant"}, func([]byte, int) error { return nil })
	}()
	w.wantTrail(ada.UserID, "init 201 created", "init 500 panic", "failed_fetch 500 panic", "failed_grant 500 panic")
}
