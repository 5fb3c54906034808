package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core"
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

// TestShutdownIsAnnounced: a server that was told to stop says so to load balancers before it
// stops taking requests, and ends each connection with an answer.
func TestShutdownIsAnnounced(t *testing.T) {
	over := make(chan time.Time)
	ts := startServer(t, func(c *Config) { c.ShutdownDelay = time.Minute })
	ts.after = func(d time.Duration) <-chan time.Time {
		if d != time.Minute {
			t.Errorf("lingers for %s", d)
		}
		return over
	}
	kept, err := net.Dial("tcp", ts.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	in := bufio.NewReader(kept)
	ask := func(path string) *http.Response {
		t.Helper()
		if _, err := io.WriteString(kept, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := ask("/api/auth/ok"); res.StatusCode != 200 || res.Close {
		t.Errorf("before: %d, closes %v", res.StatusCode, res.Close)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- ts.stop() }()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) { // on connections of their own, as probes may be
		status, body := fetch(t, request(t, "GET", ts.url+"/readyz", ""))
		if status == 503 && strings.Contains(body, "is shutting down") {
			break
		} else if status == 0 {
			t.Fatal("it stopped without a word")
		} else if time.Now().After(until) {
			t.Fatal("it does not say that it stops")
		}
	}
	if res := ask("/api/auth/ok"); res.StatusCode != 200 || !res.Close {
		t.Errorf("on a connection of before, while it stops: %d, closes %v", res.StatusCode, res.Close)
	}
	if status, body := fetch(t, request(t, "GET", ts.url+"/api/auth/ok", "")); status != 200 {
		t.Errorf("on a new one: %d %s", status, body)
	}
	over <- time.Time{}
	if err := <-stopped; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if conn, err := net.Dial("tcp", ts.addr); err == nil {
		conn.Close()
		t.Error("it still listens")
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
