package server

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func ready(t testing.TB, ts *testServer) (int, readiness) {
	t.Helper()
	status, body := fetch(t, request(t, "GET", ts.url+"/readyz", ""))
	var r readiness
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return status, r
}

// clockOfToday stands still at the time of the database, whose rows are written with now().
func clockOfToday() *plugintest.Clock {
	c := plugintest.NewClock()
	c.Advance(time.Since(plugintest.Epoch))
	return c
}

// TestDriftAtRunTime takes a column away under a running server.
func TestDriftAtRunTime(t *testing.T) {
	url, ddl := postgresDatabase(t)
	clock := clockOfToday()
	ts := startServer(t, func(c *Config) {
		c.Database.URL, c.Database.Path = url, ""
		c.Core.Clock = clock.Now
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
	clock.Advance(readyEvery)
	status, r := ready(t, ts)
	if c := r.Checks["schema"]; status != 503 || r.Status != "not ready" || len(c.Missing) != 1 || !strings.Contains(c.Missing[0], "core") || !strings.Contains(c.Missing[0], "image") {
		t.Errorf("after the drift: %d %+v", status, r)
	}
	ddl(`ALTER TABLE "user" ADD COLUMN image text`)
	clock.Advance(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" {
		t.Errorf("after the repair: %d %+v", status, r)
	}
}

func TestReadyzSaysWhatIsWrong(t *testing.T) {
	url, ddl := postgresDatabase(t)
	clock := clockOfToday()
	ts := startServer(t, func(c *Config) {
		c.Database.URL, c.Database.Path = url, ""
		c.Core.Clock = clock.Now
		c.Core.NoBackground = true
	})
	ddl(`INSERT INTO job (id, name, payload, run_at, attempts, created_at) VALUES ('a', 'mail', 'x', now() - interval '1 hour', 0, now())`)
	if status, r := ready(t, ts); status != 200 || r.Status != "degraded" || *r.Checks["jobs"].Due != 1 || !strings.Contains(r.Checks["jobs"].Message, "due since") {
		t.Errorf("with a backlog: %d %+v", status, r)
	}
	// In an outage that refuses at once a job is hardly ever due.
	ddl(`UPDATE job SET run_at = now() + interval '1 hour', created_at = now() - interval '29 minutes'`)
	clock.Advance(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" || *r.Checks["jobs"].Due != 0 {
		t.Errorf("with a job that fails for a while: %d %+v", status, r)
	}
	ddl(`UPDATE job SET created_at = now() - interval '31 minutes'`)
	clock.Advance(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "degraded" || !strings.Contains(r.Checks["jobs"].Message, "waits since") {
		t.Errorf("with a job that fails for long: %d %+v", status, r)
	}
	ddl(`UPDATE job SET failed_at = now()`)
	clock.Advance(readyEvery)
	if status, r := ready(t, ts); status != 200 || r.Status != "ready" || *r.Checks["jobs"].Failed != 1 || *r.Checks["jobs"].Due != 0 {
		t.Errorf("with a job that was given up: %d %+v", status, r)
	}
	ts.closeDB() //nolint:errcheck // the database is to be away
	clock.Advance(readyEvery)
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
	clock := clockOfToday()
	ledger := core.TableOf[ledgerRow]("ledger").Schema()
	ledger.AppendOnly = true
	ts := startServer(t, func(c *Config) {
		c.Database.URL, c.Database.Path = url, ""
		c.Core.Clock = clock.Now
	}, Entry("toy", func(struct{}) *toy { return &toy{spec: core.Spec{Tables: []schema.Table{ledger}}} }))
	if status, r := ready(t, ts); status != 200 {
		t.Fatalf("at the start: %d %+v", status, r)
	}
	ddl(`DROP TRIGGER "` + schema.AppendOnlyTrigger("ledger") + `" ON ledger`)
	clock.Advance(readyEvery)
	if status, r := ready(t, ts); status != 503 || len(r.Checks["schema"].Missing) != 1 || !strings.Contains(r.Checks["schema"].Missing[0], "ledger") {
		t.Errorf("without the trigger: %d %+v", status, r)
	}
}
