package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
)

func panicking(app fiber.Router, _ *core.Auth) {
	app.Post("/app/panic", func(*fiber.Ctx) error { panic("app") })
}

func fetch(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, string(body)
}

func request(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func TestShutdownFinishesRequests(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	ts := startServer(t, nil, testEntries(entered, release)...)
	type answer struct {
		status int
		body   string
	}
	answers := make(chan answer, 1)
	go func() {
		status, body := fetch(t, request(t, "POST", ts.url+"/api/auth/toy/slow", ""))
		answers <- answer{status, body}
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	for { // the listener is closed while the request is still in its handler
		conn, err := http.NewRequestWithContext(t.Context(), "GET", ts.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(conn); err != nil {
			break
		}
	}
	select {
	case err := <-stopped:
		t.Fatalf("the server ended before its request: %v", err)
	default:
	}
	close(release)
	if a := <-answers; a.status != 200 || a.body != `{"Done":true}` {
		t.Errorf("the slow request got %d %s", a.status, a.body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestShutdownGraceIsBounded(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	ts := startServer(t, func(c *Config) { c.ShutdownGrace = time.Millisecond }, testEntries(entered, release)...)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		res, err := http.Post(ts.url+"/api/auth/toy/slow", "application/json", nil)
		if err == nil {
			res.Body.Close()
		}
	}()
	<-entered
	if err := ts.stop(); err == nil || !strings.Contains(err.Error(), "requests were cut off") {
		t.Errorf("Serve: %v", err)
	}
	close(release)
	<-answered
}

func ready(t testing.TB, ts *testServer) (int, readiness) {
	t.Helper()
	status, body := fetch(t, request(t, "GET", ts.url+"/readyz", ""))
	var r readiness
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return status, r
}

// postgres makes a database that is brought up to date, and a function that changes it.
func postgresDatabase(t testing.TB) (url string, ddl func(string)) {
	t.Helper()
	url = adaptertest.PostgresURL(t)
	return url, func(sql string) {
		t.Helper()
		if out, err := exec.Command("psql", "-v", "ON_ERROR_STOP=1", "-c", sql, url).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", sql, err, out)
		}
	}
}

// TestDriftAtRunTime takes a column away under a running server.
func TestDriftAtRunTime(t *testing.T) {
	url, ddl := postgresDatabase(t)
	clock := time.Now()
	ts := startServer(t, func(c *Config) {
		c.Database.URL, c.Database.Path = url, ""
		c.Core.Clock = func() time.Time { return clock }
	})
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" || !r.Checks["mail"].OK {
		t.Fatalf("at the start: %d %+v", status, r)
	}
	ddl(`ALTER TABLE "user" DROP COLUMN image`)
	status, body := fetch(t, request(t, "POST", ts.url+"/api/auth/sign-in/email", `{"email":"a@example.com","password":"correct horse"}`))
	if status != 503 || body != `{"message":"The service is temporarily unavailable. Please try again later.","code":"SERVICE_UNAVAILABLE"}` {
		t.Errorf("signing in: %d %s", status, body)
	}
	if !strings.Contains(ts.logs.String(), "sqlstate=42703") {
		t.Errorf("the log lacks the SQLSTATE:\n%s", ts.logs)
	}
	if status, r := ready(t, ts); status != 200 {
		t.Errorf("the kept answer: %d %+v", status, r)
	}
	clock = clock.Add(readyEvery)
	status, r := ready(t, ts)
	if c := r.Checks["schema"]; status != 503 || r.Status != "not ready" || len(c.Missing) != 1 || !strings.Contains(c.Missing[0], "core") || !strings.Contains(c.Missing[0], "image") {
		t.Errorf("after the drift: %d %+v", status, r)
	}
	ddl(`ALTER TABLE "user" ADD COLUMN image text`)
	clock = clock.Add(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" {
		t.Errorf("after the repair: %d %+v", status, r)
	}
}

func TestReadyzSaysWhatIsWrong(t *testing.T) {
	url, ddl := postgresDatabase(t)
	clock := time.Now()
	ts := startServer(t, func(c *Config) {
		c.Database.URL, c.Database.Path = url, ""
		c.Core.Clock = func() time.Time { return clock }
		c.Core.NoBackground = true
	})
	ddl(`INSERT INTO job (id, name, payload, run_at, attempts, created_at) VALUES ('a', 'mail', 'x', now() - interval '1 hour', 0, now())`)
	if status, r := ready(t, ts); status != 200 || r.Status != "degraded" || *r.Checks["jobs"].Due != 1 || !strings.Contains(r.Checks["jobs"].Message, "due since") {
		t.Errorf("with a backlog: %d %+v", status, r)
	}
	// In an outage that refuses at once a job is hardly ever due.
	ddl(`UPDATE job SET run_at = now() + interval '1 hour', created_at = now() - interval '29 minutes'`)
	clock = clock.Add(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" || *r.Checks["jobs"].Due != 0 {
		t.Errorf("with a job that fails for a while: %d %+v", status, r)
	}
	ddl(`UPDATE job SET created_at = now() - interval '31 minutes'`)
	clock = clock.Add(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "degraded" || !strings.Contains(r.Checks["jobs"].Message, "waits since") {
		t.Errorf("with a job that fails for long: %d %+v", status, r)
	}
	ddl(`UPDATE job SET failed_at = now()`)
	clock = clock.Add(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" || *r.Checks["jobs"].Failed != 1 || *r.Checks["jobs"].Due != 0 {
		t.Errorf("with a job that was given up: %d %+v", status, r)
	}
	ts.closeDB() //nolint:errcheck // the database is to be away
	clock = clock.Add(readyEvery)
	status, r := ready(t, ts)
	if status != 503 || r.Checks["database"].Message != "does not answer: unavailable" {
		t.Errorf("without a database: %d %+v", status, r)
	}
	if status, body := fetch(t, request(t, "GET", ts.url+"/healthz", "")); status != 200 || body != `{"status":"alive"}` {
		t.Errorf("/healthz: %d %s", status, body)
	}
	ts.stopping.Store(true)
	if status, r := ready(t, ts); status != 503 || r.Checks["server"].Message != "is shutting down" {
		t.Errorf("while stopping: %d %+v", status, r)
	}
}

type ledgerRow struct {
	ID string `db:"id" schema:"key"`
}

// TestReadyzSeesProtectionGo: a table that must only grow can be changed.
func TestReadyzSeesProtectionGo(t *testing.T) {
	url, ddl := postgresDatabase(t)
	clock := time.Now()
	ledger := core.TableOf[ledgerRow]("ledger").Schema()
	ledger.AppendOnly = true
	ts := startServer(t, func(c *Config) {
		c.Database.URL, c.Database.Path = url, ""
		c.Core.Clock = func() time.Time { return clock }
	}, Entry("toy", func(struct{}) *toy { return &toy{spec: core.Spec{Tables: []schema.Table{ledger}}} }))
	if status, r := ready(t, ts); status != 200 {
		t.Fatalf("at the start: %d %+v", status, r)
	}
	ddl(`DROP TRIGGER "` + schema.AppendOnlyTrigger("ledger") + `" ON ledger`)
	clock = clock.Add(readyEvery)
	if status, r := ready(t, ts); status != 503 || len(r.Checks["schema"].Missing) != 1 || !strings.Contains(r.Checks["schema"].Missing[0], "ledger") {
		t.Errorf("without the trigger: %d %+v", status, r)
	}
}

// TestProductionVerifies starts on a database that lacks a column, and on one that is
// complete under a role that may only read and write rows.
func TestProductionVerifies(t *testing.T) {
	url, ddl := postgresDatabase(t)
	dev := startServer(t, func(c *Config) { c.Database.URL, c.Database.Path = url, "" })
	if err := dev.stop(); err != nil {
		t.Fatal(err)
	}
	config := func(url string) Config {
		c, err := Load(Source{Production: true, Env: []string{"SALLYPORT_BASE_URL=https://a.example", "SALLYPORT_SECRET=" + goodSecret,
			"SALLYPORT_PLUGINS=email-password", "DATABASE_URL=" + url}}, testEntries(nil, nil)...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	role := adaptertest.PostgresRole(t, url, `GRANT USAGE ON SCHEMA public TO $role`, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO $role`)
	logs := &logBuffer{}
	s, err := newServer(t.Context(), config(role), io.Discard, logs, testEntries(nil, nil))
	if err != nil {
		t.Fatalf("under a role that may not alter tables: %v", err)
	}
	req := request(t, "POST", "/api/auth/sign-up/email", `{"name":"A","email":"a@example.com","password":"correct horse"}`)
	res, err := s.App().Test(req, -1)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("signing up: %v, %v", res, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"rate limits are kept in memory", "there is no mailer"} {
		if !strings.Contains(logs.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, logs)
		}
	}
	ddl(`ALTER TABLE session DROP COLUMN user_agent`)
	_, err = newServer(context.Background(), config(role), io.Discard, &logBuffer{}, testEntries(nil, nil))
	if err == nil || !strings.Contains(err.Error(), "plugin core: table session") || !strings.Contains(err.Error(), "user_agent") || !strings.Contains(err.Error(), "migrate apply") {
		t.Errorf("a column is missing: %v", err)
	}
}

// TestNewChecksProduction gives New a configuration that Load has not seen.
func TestNewChecksProduction(t *testing.T) {
	c := Config{Core: core.Config{Production: true, BaseURL: "https://a.example", Secret: goodSecret}, Mail: MailConfig{Driver: "log"}}
	_, err := newServer(t.Context(), c, io.Discard, io.Discard, nil)
	for _, want := range []string{"mail.driver: ", "database: set ", "plugins: none"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
