package prometheus_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/sallyport-auth/sallyport/adapters/prometheus"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

var update = flag.Bool("update", false, "write the golden file")

// observed is an Auth with email-password that metrics watch.
func observed(t testing.TB, change ...func(*core.Config)) (*plugintest.Harness, *prometheus.Metrics) {
	t.Helper()
	m := prometheus.New(prometheus.Options{Version: "1.2.3"})
	h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{})},
		Config: func(c *core.Config) {
			c.Observer = m
			for _, f := range change {
				f(c)
			}
		}})
	if err := m.Watch(h.Auth); err != nil {
		t.Fatal(err)
	}
	return h, m
}

// limitStore is a store of rate limits that is away.
type limitStore struct{}

func (*limitStore) Take(context.Context, string, contract.LimitRule, time.Time) (contract.LimitDecision, error) {
	return contract.LimitDecision{}, errors.New("away")
}

// limited keeps rate limits in a store that is away.
func limited(c *core.Config) {
	on := true
	c.RateLimit = core.RateLimitConfig{Enabled: &on, Storage: "redis", Store: &limitStore{}}
}

func TestStores(t *testing.T) {
	h, m := observed(t, limited)
	h.Client().Get("/get-session").Want(200) // each process counts for itself
	wantLines(t, collect(t, m), `sallyport_store_calls_total{store="limits"} 1`, `sallyport_store_failures_total{store="limits"} 1`,
		`sallyport_store_failing{store="limits"} 1`)
}

// remembered keeps sessions in memory, on PostgreSQL, whose channel nobody listens to here.
func remembered(c *core.Config) { c.Session.Cache.Enabled = true }

// withMemory collects from an Auth that has looked up one session there.
func withMemory(t *testing.T) string {
	t.Helper()
	m := prometheus.New(prometheus.Options{})
	h := plugintest.New(t, plugintest.Options{Database: plugintest.Postgres, Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{})},
		Config: remembered})
	if err := m.Watch(h.Auth); err != nil {
		t.Fatal(err)
	}
	signUp(h, "a@example.com").Get("/get-session").Want(200)
	return collect(t, m)
}

func TestSessionCache(t *testing.T) {
	wantLines(t, withMemory(t), "sallyport_session_cache_lookups_total 1", "sallyport_session_cache_hits_total 0", "sallyport_session_cache_unheard_total 1",
		"sallyport_session_cache_channel_up 0", "sallyport_session_cache_entries 0", "sallyport_session_cache_bytes 0")
}

// signUp makes a user over HTTP, with a password.
func signUp(h *plugintest.Harness, email string) *plugintest.Client {
	c := h.Client()
	c.Post("/sign-up/email", plugintest.M{"name": "Ada", "email": email, "password": "correct horse battery"}).Want(200)
	return c
}

func collect(t testing.TB, m *prometheus.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func wantLines(t testing.TB, text string, want ...string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for _, w := range want {
		if !slices.Contains(lines, w) {
			t.Errorf("lacks %s", w)
		}
	}
	if t.Failed() {
		t.Log(own(text))
	}
}

// own is what is ours of the answer, without the runtime's.
func own(text string) string {
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if strings.Contains(l, "sallyport_") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

var (
	value  = regexp.MustCompile(`(?m) [0-9.e+-]+$`)
	labels = regexp.MustCompile(`="(?:[^"\\]|\\.)*"`)
)

// TestNames compares names, types, texts and label names with a golden file: dashboards
// and alerts of others stand on them.
func TestNames(t *testing.T) {
	h, m := observed(t, limited)
	a := signUp(h, "a@example.com")
	a.Get("/get-session").Want(200)
	m.Event(t.Context(), "sign-in")
	m.End(t.Context(), contract.Work{Kind: contract.WorkJob, Name: "mail"}, contract.Outcome{})
	m.End(t.Context(), contract.Work{Kind: contract.WorkMail, Name: "verify-email"}, contract.Outcome{})
	m.End(t.Context(), contract.Work{Kind: contract.WorkStatement, Name: "SELECT user"}, contract.Outcome{Code: "timeout"})
	m.End(t.Context(), contract.Work{Kind: contract.WorkRequest}, contract.Outcome{Canceled: true})
	var lines []string
	for _, l := range strings.Split(own(collect(t, m)+withMemory(t)), "\n") {
		if l = labels.ReplaceAllString(value.ReplaceAllString(l, ""), ""); !strings.Contains(l, "_bucket") && !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	got := strings.Join(lines, "\n") + "\n"
	const file = "testdata/names.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is stale: run go test ./adapters/prometheus -update\n%s", file, got)
	}
	problems, err := promlint.New(bytes.NewReader([]byte(own(collect(t, m)) + "\n"))).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

func TestCounts(t *testing.T) {
	h, m := observed(t)
	a := signUp(h, "ada@example.com")
	for range 3 {
		a.Get("/get-session").Want(200)
	}
	h.Client().Post("/sign-in/email", plugintest.M{"email": "ada@example.com", "password": "wrong password"}).Want(401)
	h.Client().Get("/reset-password/a-secret-token?callbackURL=/x")
	h.Client().Get("/nothing/ada@example.com").Want(404)
	if _, err := core.GetSession.Call(context.Background(), h.Auth, core.None{}); err != nil {
		t.Fatal(err)
	}
	text := collect(t, m)
	wantLines(t, text,
		`sallyport_requests_total{class="",code="",endpoint="/api/auth/get-session",method="GET",status="200",via="http"} 3`,
		`sallyport_requests_total{class="INVALID_CREDENTIALS",code="INVALID_EMAIL_OR_PASSWORD",endpoint="/api/auth/sign-in/email",method="POST",status="401",via="http"} 1`,
		`sallyport_requests_total{class="NOT_FOUND",code="NOT_FOUND",endpoint="unmatched",method="GET",status="404",via="http"} 1`,
		`sallyport_request_duration_seconds_count{endpoint="/api/auth/get-session",method="GET",via="http"} 3`,
		`sallyport_requests_total{class="",code="",endpoint="/api/auth/get-session",method="GET",status="",via="go"} 1`,
		`sallyport_requests_in_flight{via="http"} 0`,
		`sallyport_security_events_total{type="sign-up"} 1`,
		`sallyport_security_events_total{type="account.locked"} 0`,
		`sallyport_password_hash_duration_seconds_count{step="hash"} 1`,
		`sallyport_password_hash_duration_seconds_count{step="verify"} 1`,
		`sallyport_password_hashes_total 2`,
		`sallyport_password_hashes_shed_total 0`,
		`sallyport_database_up 1`,
		`sallyport_jobs_oldest_due_seconds{job="mail"} 0`,
		`sallyport_database_statement_duration_seconds_count{verb="COMMIT"} 1`,
	)
	for _, secret := range []string{"ada@", "example.com", "a-secret-token", "callbackURL", "Ada"} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
	if !strings.Contains(text, `endpoint="/api/auth/reset-password/:token"`) {
		t.Error("no pattern of a path with a token")
	}
}

// TestBacklog moves the clock past a job that nobody does.
func TestBacklog(t *testing.T) {
	h, m := observed(t)
	if err := h.Auth.Host().SendMail(t.Context(), nil, contract.Message{Template: "verify-email", To: "a@example.com"}); err != nil {
		t.Fatal(err)
	}
	h.Clock.Advance(600e9)
	wantLines(t, collect(t, m), `sallyport_jobs_due{job="mail"} 1`, `sallyport_jobs_oldest_due_seconds{job="mail"} 600`, `sallyport_jobs_given_up{job="mail"} 0`,
		`sallyport_jobs_waiting{job="mail"} 1`, `sallyport_jobs_waiting{job="session-copies.void"} 0`)
	h.Clock.Advance(1e9)
	h.RunJobs()
	wantLines(t, collect(t, m), `sallyport_jobs_due{job="mail"} 1`) // kept for 5 s
	h.Clock.Advance(5e9)
	wantLines(t, collect(t, m), `sallyport_jobs_due{job="mail"} 0`, `sallyport_jobs_waiting{job="mail"} 0`, `sallyport_mails_total{result="ok",template="verify-email"} 1`,
		`sallyport_job_duration_seconds_count{job="mail",result="ok"} 1`)
}

// TestBacklogOfAnOutage: jobs that fail at once are not due for most of the time, and yet they wait.
func TestBacklogOfAnOutage(t *testing.T) {
	h, m := observed(t, func(c *core.Config) { c.Mailer = away{} })
	if err := h.Auth.Host().SendMail(t.Context(), nil, contract.Message{Template: "verify-email", To: "a@example.com"}); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		h.Clock.Advance(30 * time.Minute)
		h.RunJobs()
	}
	wantLines(t, collect(t, m), `sallyport_jobs_due{job="mail"} 0`, `sallyport_jobs_oldest_due_seconds{job="mail"} 0`,
		`sallyport_jobs_waiting{job="mail"} 1`, `sallyport_jobs_oldest_waiting_seconds{job="mail"} 14400`)
	for range 10 {
		h.Clock.Advance(3 * time.Hour)
		h.RunJobs()
	}
	wantLines(t, collect(t, m), `sallyport_jobs_waiting{job="mail"} 0`, `sallyport_jobs_oldest_waiting_seconds{job="mail"} 0`, `sallyport_jobs_given_up{job="mail"} 1`)
}

// away is a mail server that is down.
type away struct{}

func (away) Send(context.Context, contract.Message) error { return errors.New("connection refused") }

func TestDatabaseDown(t *testing.T) {
	h, m := observed(t)
	h.Auth.Database().Close()
	text := collect(t, m)
	wantLines(t, text, `sallyport_database_up 0`, `sallyport_password_hashes_waiting 0`)
	if strings.Contains(text, "sallyport_jobs_due") {
		t.Error("jobs of a database that does not answer")
	}
}

func TestWatchTwice(t *testing.T) {
	h, m := observed(t)
	if err := m.Watch(h.Auth); err == nil {
		t.Error("a second Watch was let pass")
	}
}

// TestObservers: two of them see the same, and the last to begin ends first.
func TestObservers(t *testing.T) {
	if contract.Observers(nil, nil) != nil {
		t.Error("an observer of none")
	}
	m := prometheus.New(prometheus.Options{})
	if contract.Observers(nil, m) != contract.Observer(m) {
		t.Error("one is not itself")
	}
	n := prometheus.New(prometheus.Options{})
	both := contract.Observers(m, n)
	ctx := both.Begin(t.Context(), contract.Work{Kind: contract.WorkRequest, Name: "/x"})
	both.End(ctx, contract.Work{Kind: contract.WorkRequest, Name: "/x"}, contract.Outcome{Status: 200})
	both.Event(ctx, "sign-in")
	for _, o := range []*prometheus.Metrics{m, n} {
		wantLines(t, collect(t, o), `sallyport_security_events_total{type="sign-in"} 1`,
			`sallyport_requests_total{class="",code="",endpoint="/x",method="",status="200",via="http"} 1`)
	}
}
