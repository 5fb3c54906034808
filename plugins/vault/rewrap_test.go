package vault

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// bareWrap wraps a key as the old system does.
func bareWrap(t testing.TB, key []byte) (text, iv string) {
	t.Helper()
	raw, _ := base64.StdEncoding.DecodeString(ParseKeys(testRing)[1].Key)
	aead, err := gcm(raw)
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat(key[:1], ivSize)
	return base64.StdEncoding.EncodeToString(aead.Seal(nil, nonce, key, nil)), base64.StdEncoding.EncodeToString(nonce)
}

// bareRow puts a row as the old system wrote it, and returns its key in base64.
func (w *world) bareRow(userID string, fill byte) string {
	w.T.Helper()
	key := bytes.Repeat([]byte{fill}, keySize)
	text, iv := bareWrap(w.T, key)
	err := w.as(userID, func(ctx context.Context, tx *core.Tx) error {
		// The columns that the old system knows, and no other.
		_, err := tx.Exec(ctx, "INSERT INTO {encryptionVault} ({encryptionVault:userId}, {encryptionVault:wrappedMk}, {encryptionVault:wrapIv}, {encryptionVault:createdAt}) VALUES (?, ?, ?, ?)",
			userID, text, iv, w.Clock.Now())
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(key)
}

func (w *world) command(run func(context.Context, *core.Host, []string, *bytes.Buffer) error, args ...string) (string, error) {
	w.T.Helper()
	var out bytes.Buffer
	err := run(context.Background(), w.Host, args, &out)
	return out.String(), err
}

func (w *world) rewrap(args ...string) (string, error) {
	return w.command(func(ctx context.Context, h *core.Host, args []string, out *bytes.Buffer) error {
		return w.p.rewrapCommand(ctx, h, args, out)
	}, args...)
}

// Rows of the old system are read as they are, and moved by the command.
func TestOldRows(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		var people []*plugintest.Client
		keys := map[string]string{}
		for i := range 5 {
			c := w.SignUp(fmt.Sprintf("u%d@example.com", i))
			people = append(people, c)
			keys[c.UserID] = w.bareRow(c.UserID, byte(10+i))
		}
		zero := w.SignUp("zero@example.com")
		zero.Post("/vault/init", nil).Want(200)
		zero.Post("/vault/recovery-wrap", recovery(1)).Want(200)
		zero.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
		a := people[0].Get("/vault/key").Want(200)
		if a.Text("masterKey") != keys[people[0].UserID] || a.Get("formatVersion") != 1.0 || a.Text("kekId") != "env-v1" || a.Text("keyCheck") == "" {
			t.Errorf("%s", a.Body)
		}
		broken := people[4].UserID
		err := w.as(broken, func(ctx context.Context, tx *core.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE {encryptionVault} SET {encryptionVault:wrapIv} = 'x' WHERE {encryptionVault:userId} = ?", broken)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.rewrap("-batch", "2", "-workers", "3")
		if err == nil || !strings.Contains(out, "4 rewrapped, 0 were under new already, 1 failed") || !strings.Contains(out, broken) {
			t.Errorf("%v\n%s", err, out)
		}
		if out, _ := w.rewrap(); !strings.Contains(out, "0 rewrapped, 4 were under new already, 1 failed") {
			t.Errorf("again:\n%s", out)
		}
		for _, c := range people[:4] {
			a := c.Get("/vault/key").Want(200)
			if a.Text("masterKey") != keys[c.UserID] || a.Get("formatVersion") != 2.0 || a.Text("kekId") != "new" {
				t.Errorf("%s", a.Body)
			}
		}
		table, err := w.command(func(ctx context.Context, h *core.Host, args []string, out *bytes.Buffer) error {
			return w.p.keysCommand(ctx, h, args, out)
		})
		if want := "KEY               FORMAT  VAULTS\nenv-v1            1       1\nnew               2       4\n(zero knowledge)  -       1\n"; err != nil || table != want {
			t.Errorf("%v\n%s", err, table)
		}
		for _, args := range [][]string{{"x"}, {"-batch", "0"}, {"-workers", "-1"}, {"-none"}} {
			if _, err := w.rewrap(args...); err == nil {
				t.Errorf("%q was taken", args)
			}
		}
	})
}

// A rotation or zero knowledge while the command is at the row is not undone by it.
func TestRewrapBesideARotation(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	w.bareRow(ada.UserID, 9)
	was := w.vault(ada.UserID)
	key := ada.Post("/vault/rotate", m{"expectedVersion": 1}).Want(200).Text("masterKey")
	err := w.p.change(t.Context(), &act{p: w.p, userID: ada.UserID, action: "rewrap"}, "", []core.Set{colWrapped.Set(was.WrappedMK)},
		colVersion.Eq(was.KeyVersion), colWrapped.Eq(was.WrappedMK), colZero.Eq(false))
	if err == nil {
		t.Error("an old wrap was written over a new one")
	}
	if got := ada.Get("/vault/key").Want(200).Text("masterKey"); got != key {
		t.Error("the key changed")
	}
}

// Zero knowledge of an old row: the check value is made at the last moment.
func TestOldRowBecomesZeroKnowledge(t *testing.T) {
	w := newWorld(t, Options{})
	ada := w.SignUp("ada@example.com")
	key := w.bareRow(ada.UserID, 9)
	ada.Post("/vault/recovery-wrap", recovery(1)).Want(200)
	ada.Post("/vault/zero-knowledge", m{"enable": true}).Want(200)
	ada.Post("/vault/zero-knowledge", m{"enable": false, "masterKey": b64(32, 8)}).WantCode(400, "WRONG_MASTER_KEY")
	ada.Post("/vault/zero-knowledge", m{"enable": false, "masterKey": key}).Want(200)
}

const rewrapEnv = "SALLYPORT_TEST_REWRAP"

// TestMain also is the command, in a process of its own that can be killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(rewrapEnv); url != "" {
		if err := rewrapProcess(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func rewrapProcess(url string) error {
	ctx := context.Background()
	db, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	p := New(Options{Keyring: testRing})
	cfg := core.Config{BaseURL: plugintest.BaseURL, Secret: plugintest.Secret, Database: db, NoBackground: true, Plugins: []core.Plugin{p}}
	auth, err := core.New(ctx, cfg)
	if err != nil {
		return err
	}
	return p.rewrapCommand(ctx, auth.Host(), nil, os.Stdout)
}

// The command is killed at work and started again. At every moment all keys open, and in
// the end all are under the active key. SALLYPORT_TEST_VAULTS sets how many there are.
func TestRewrapKilled(t *testing.T) {
	there := 1000
	if n, err := strconv.Atoi(os.Getenv("SALLYPORT_TEST_VAULTS")); err == nil {
		there = n
	}
	owner, service := migrated(t)
	admin, err := sql.Open("postgres", owner) // a superuser: it sees all rows
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	_, err = admin.Exec(`INSERT INTO "user" (id, name, email, email_verified) SELECT 'u' || i, 'u', 'u' || i || '@example.com', true FROM generate_series(1, $1) i`, there)
	if err != nil {
		t.Fatal(err)
	}
	key := bytes.Repeat([]byte{9}, keySize)
	text, iv := bareWrap(t, key)
	if _, err := admin.Exec(`INSERT INTO encryption_vault (user_id, wrapped_mk, wrap_iv) SELECT id, $1, $2 FROM "user"`, text, iv); err != nil {
		t.Fatal(err)
	}
	k := ring(t, ParseKeys(testRing)...)
	// It does not get the last one, so that it is at work until it is killed for the first time.
	last, err := admin.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer last.Rollback() //nolint:errcheck // it only holds a lock
	if _, err := last.Exec(`SELECT 1 FROM encryption_vault WHERE user_id = (SELECT max(id) FROM "user") FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	kills, moved := 0, 0
	for moved < there {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), rewrapEnv+"="+service)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		killed := false
		for running := true; running; {
			select {
			case err := <-done:
				running = false
				if err != nil && !killed {
					t.Fatal(err)
				}
			default:
				var n int
				if err := admin.QueryRow(`SELECT count(*) FROM encryption_vault WHERE format_version = 2`).Scan(&n); err != nil {
					t.Fatal(err)
				}
				if !killed && kills < 3 && n > moved+there/5 && n < there {
					_ = cmd.Process.Kill()
					killed = true
					kills++
					_ = last.Rollback()
				}
			}
		}
		moved = allOpen(t, admin, k, key)
		t.Logf("%d of %d moved, killed: %v", moved, there, killed)
	}
	if kills == 0 {
		t.Error("the command was never killed at work")
	}
}

// allOpen sees that every row opens to key, and counts those in the bound format.
func allOpen(t *testing.T, admin *sql.DB, k *Keyring, key []byte) (moved int) {
	t.Helper()
	rows, err := admin.Query(`SELECT user_id, wrapped_mk, wrap_iv, format_version, kek_id, key_version FROM encryption_vault`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var w contract.WrappedKey
		var format, version int
		if err := rows.Scan(&id, &w.Ciphertext, &w.IV, &format, &w.KeyID, &version); err != nil {
			t.Fatal(err)
		}
		got, err := k.Unwrap(t.Context(), w, associated(format, id, w.KeyID, version))
		if err != nil || !bytes.Equal(got, key) {
			t.Fatalf("%s does not open: %v", id, err)
		}
		if format == formatBound {
			moved++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return moved
}
