package faulttest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

const password, wrong = "correct horse battery", "incorrect horse battery"

// app is Sallyport on a database that is about to fail.
type app struct {
	t       *testing.T
	auth    *core.Auth
	db      storage.Database
	handler http.Handler
	classes map[string]core.Class

	mu    sync.Mutex
	seen  map[string]int // answers by status, code and class
	saved []string       // addresses of sign-ups that were confirmed
	n     atomic.Int64
}

func newApp(t *testing.T, db storage.Database, mailer contract.Mailer) *app {
	t.Helper()
	cfg := core.Config{BaseURL: "https://auth.example.com", Secret: "n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa", Database: db, Mailer: mailer, Timeout: 2,
		Password: core.PasswordConfig{MemoryKiB: 8, Iterations: 1, Parallelism: 1, Workers: 4, Queue: 1000},
		Logger:   slog.New(slog.NewTextHandler(io.Discard, nil)), NoBackground: mailer == nil,
		User: core.UserConfig{Fields: []core.Extra{{Name: "onboardingCompletedAt", Type: "date"}}}}
	off := false
	cfg.RateLimit.Enabled = &off
	cfg.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{})}
	bare := cfg
	bare.SkipVerify, bare.NoBackground = true, true
	a, err := core.New(t.Context(), bare)
	if err != nil {
		t.Fatal(err)
	}
	want, names, steps := a.Schema()
	if _, err := migrations.Apply(t.Context(), db, want, names, steps); err != nil {
		t.Fatal(err)
	}
	_ = a.Close(t.Context())
	cfg.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{})}
	if a, err = core.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	x := &app{t: t, auth: a, db: db, handler: nethttp.Handler(a, http.NotFoundHandler()), classes: map[string]core.Class{}, seen: map[string]int{}}
	for _, e := range a.Errors() {
		x.classes[e.Code] = e.Class
	}
	return x
}

// post sends a request and counts the class of its answer.
func (x *app) post(path, body string) int {
	r := httptest.NewRequest("POST", "https://auth.example.com/api/auth"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "https://auth.example.com")
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	var e struct{ Code string }
	_ = json.Unmarshal(w.Body.Bytes(), &e)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen[fmt.Sprintf("%d %-22s %s", w.Code, e.Code, x.classes[e.Code])]++
	return w.Code
}

func (x *app) signIn(email, pass string) int {
	return x.post("/sign-in/email", `{"email":"`+email+`","password":"`+pass+`"}`)
}

func (x *app) signUp() int {
	email := fmt.Sprintf("user%d@example.com", x.n.Add(1))
	status := x.post("/sign-up/email", `{"name":"U","email":"`+email+`","password":"`+password+`"}`)
	if status == 200 {
		x.mu.Lock()
		x.saved = append(x.saved, email)
		x.mu.Unlock()
	}
	return status
}

// load signs in and up from four sides until the returned function is called.
func (x *app) load() (stop func()) {
	var over atomic.Bool
	var wg sync.WaitGroup
	for range 4 { // as a user each: attempts that a fault leaves unsettled are a user's for 30 s
		x.signUp()
		x.mu.Lock() // the former ones are at work already
		email := x.saved[len(x.saved)-1]
		x.mu.Unlock()
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !over.Load() {
				x.signIn(email, password)
				x.signUp()
			}
		}()
	}
	return func() { over.Store(true); wg.Wait() }
}

// fault is one failure: break, what holds meanwhile, mend, and what holds afterwards.
func (x *app) fault(during func(), mend func()) {
	x.t.Helper()
	// 503 is what a busy machine answers too: time-outs are short here.
	eventually(x.t, "signing up before the fault", func() bool { return x.signUp() == 200 })
	first := x.saved[0]
	eventually(x.t, "signing in before the fault", func() bool { return x.signIn(first, password) == 200 })
	stop := x.load()
	time.Sleep(100 * time.Millisecond) // so that requests are under way when it comes
	during()
	var wg sync.WaitGroup
	for range 5 {
		for _, pass := range []string{password, wrong} {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if s := x.signIn(first, pass); s != 503 {
					x.t.Errorf("during the fault: %d", s)
				}
			}()
		}
	}
	wg.Wait()
	mend()
	eventually(x.t, "signing in after the fault", func() bool { return x.signIn(first, password) == 200 })
	stop()
	for _, email := range x.saved { // report sees whether one was refused
		eventually(x.t, email+", which was confirmed", func() bool { return x.signIn(email, password) == 200 })
	}
	x.report()
}

// report prints the table of classes, and checks that nobody has been blamed.
func (x *app) report() {
	x.t.Helper()
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(x.seen)) {
		fmt.Fprintf(&b, "\n%6d  %s", x.seen[k], k)
		if !strings.HasPrefix(k, "200") && !strings.HasPrefix(k, "503 SERVICE_UNAVAILABLE") {
			x.t.Errorf("answered %s", k)
		}
	}
	x.t.Logf("answers, %d sign-ups confirmed and found:%s", len(x.saved), b.String())
	rows, err := x.db.Query(x.t.Context(), "SELECT {attempt:failures} FROM {attempt} WHERE {attempt:failures} > 0 OR {attempt:lockedUntil} IS NOT NULL")
	if err != nil {
		x.t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() {
		x.t.Error("a guess was counted")
	}
}

func openPostgres(t *testing.T, s *server, o postgres.Options) storage.Database {
	t.Helper()
	s.sql(`DROP SCHEMA public CASCADE`)
	s.sql(`CREATE SCHEMA public`)
	db, err := postgres.Open(t.Context(), s.url(""), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	s := startServer(t)
	var quick = postgres.Options{MaxOpen: 10, StatementTimeout: 400 * time.Millisecond}
	t.Run("a column of the user table is dropped", func(t *testing.T) {
		x := newApp(t, openPostgres(t, s, postgres.Options{}), nil)
		_, names, _ := x.auth.Schema()
		column := fmt.Sprintf(`%q`, names.Column("user", "onboardingCompletedAt"))
		table := fmt.Sprintf(`%q`, names.Table("user"))
		x.fault(func() { s.sql(`ALTER TABLE ` + table + ` DROP COLUMN ` + column) },
			func() { s.sql(`ALTER TABLE ` + table + ` ADD COLUMN ` + column + ` TIMESTAMPTZ`) })
	})
	t.Run("stopped", func(t *testing.T) {
		x := newApp(t, openPostgres(t, s, quick), nil)
		x.fault(func() { s.signal(syscall.SIGSTOP) }, func() { s.signal(syscall.SIGCONT) })
	})
	t.Run("killed", func(t *testing.T) {
		x := newApp(t, openPostgres(t, s, quick), nil)
		x.fault(func() { s.signal(syscall.SIGKILL) }, s.restart)
	})
	t.Run("statement timeout", func(t *testing.T) { locked(t, s, quick) })
	t.Run("pool exhausted", func(t *testing.T) {
		locked(t, s, postgres.Options{MaxOpen: 2, StatementTimeout: 10 * time.Second})
	})
	t.Run("read-only", func(t *testing.T) {
		x := newApp(t, openPostgres(t, s, quick), nil)
		others := `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`
		x.fault(func() { s.sql(`ALTER DATABASE postgres SET default_transaction_read_only = on`); s.sql(others) },
			func() {
				s.sql(`ALTER DATABASE postgres RESET default_transaction_read_only`)
				s.sql(others)
			})
	})
}

// locked holds the tables of users and of attempts, so that statements wait until their
// time is over, or every connection of the pool waits.
func locked(t *testing.T, s *server, o postgres.Options) {
	x := newApp(t, openPostgres(t, s, o), nil)
	raw, err := sql.Open("postgres", s.url(""))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_, names, _ := x.auth.Schema()
	var tx *sql.Tx
	hold := fmt.Sprintf(`LOCK TABLE %q, %q IN ACCESS EXCLUSIVE MODE`, names.Table("user"), names.Table("attempt"))
	x.fault(func() {
		// Two tables are locked one after the other, in the middle of requests that may
		// have taken them the other way round: PostgreSQL may call that a deadlock and end
		// this transaction.
		eventually(t, hold, func() bool {
			if tx, err = raw.Begin(); err != nil {
				t.Fatal(err)
			}
			if _, err = tx.Exec(hold); err == nil {
				return true
			}
			_ = tx.Rollback()
			if e := (*pq.Error)(nil); !errors.As(err, &e) || e.Code != "40P01" {
				t.Fatal(err)
			}
			return false
		})
	}, func() { _ = tx.Rollback() })
}

// hanging is a mailer that does not come back until it is let go.
type hanging struct {
	free chan struct{}
	sent atomic.Int64
}

func (m *hanging) Send(ctx context.Context, _ contract.Message) error {
	select {
	case <-m.free:
		m.sent.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A mailer that hangs holds nobody up, and what was to be sent is sent afterwards.
func TestMailerHangs(t *testing.T) {
	db, err := sqlite.Open(t.Context(), t.TempDir()+"/app.db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	m := &hanging{free: make(chan struct{})}
	x := newApp(t, db, m)
	x.signUp()
	for range 3 {
		if s := x.post("/request-password-reset", `{"email":"user1@example.com"}`); s != 200 {
			t.Errorf("asking for a reset: %d", s)
		}
		if s := x.signIn("user1@example.com", password); s != 200 {
			t.Errorf("signing in: %d", s)
		}
	}
	if m.sent.Load() != 0 {
		t.Error("the mailer did not hang: the test shows nothing")
	}
	close(m.free)
	eventually(t, "the mails", func() bool { return m.sent.Load() >= 3 })
	x.report()
}

// A full disk: SQLite takes no further page. A right password is answered 503 as often as
// it is sent, since what it would write does not fit, and lets in at once when there is
// room again.
func TestDiskFull(t *testing.T) {
	db, err := sqlite.Open(t.Context(), t.TempDir()+"/app.db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	x := newApp(t, db, nil)
	if x.signUp() != 200 {
		t.Fatal("the app does not work before the fault")
	}
	if err := db.DDL(t.Context(), "PRAGMA max_page_count = 1"); err != nil { // as many as there are
		t.Fatal(err)
	}
	// What is left of the pages that are there is filled up.
	for i := 0; x.signUp() == 200; i++ {
		if i > 2000 {
			t.Fatal("the database does not get full")
		}
	}
	full := 0
	for range 60 { // many more than a lock takes
		if s := x.signIn("user1@example.com", password); s == 503 {
			full++
		}
	}
	if full < 20 {
		t.Errorf("only %d sign-ins met the full disk: the test shows little", full)
	}
	if err := db.DDL(t.Context(), "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if s := x.signIn("user1@example.com", password); s != 200 {
		t.Errorf("with room again: %d", s)
	}
	for _, email := range x.saved {
		if s := x.signIn(email, password); s != 200 {
			t.Errorf("%s was confirmed, and is answered %d", email, s)
		}
	}
	x.report()
}
