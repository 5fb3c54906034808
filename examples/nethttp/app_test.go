package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/authtest"
	"github.com/sallyport-auth/sallyport/core"
)

func start(t *testing.T) *authtest.App {
	a := authtest.New(t, func(c *core.Config) { *c = config(*c) })
	if err := makeTables(context.Background(), a.Auth.Database()); err != nil {
		t.Fatal(err)
	}
	a.Serve(handler(a.Auth))
	return a
}

func signUp(t *testing.T, a *authtest.App, c *authtest.Client, body string) (int, string) {
	t.Helper()
	res, err := c.HTTP().Post(a.URL+"/api/auth/sign-up/email", "application/json", strings.NewReader(body))
	return read(t, res, err)
}

func read(t *testing.T, res *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// count counts rows of any table, the app's too.
func count(t *testing.T, a *authtest.App, sql string) (n int) {
	t.Helper()
	rows, err := a.Auth.Database().Query(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTenant(t *testing.T) {
	a := start(t)
	c := a.Client(t)
	// A client cannot choose its tier: it gets the default.
	status, body := signUp(t, a, c, `{"name":"Ada","email":"ada@example.com","password":"correct horse","company":"Analytical Engines","tier":"gold"}`)
	if status != 200 {
		t.Fatalf("sign-up: %d %s", status, body)
	}
	if n := count(t, a, "SELECT count(*) FROM tenant WHERE name = 'Analytical Engines'"); n != 1 {
		t.Errorf("%d tenants, want 1", n)
	}
	res, err := c.HTTP().Get(a.URL + "/dashboard")
	if status, body = read(t, res, err); status != 200 || body != "Ada of Analytical Engines (free)\n" {
		t.Errorf("dashboard: %d %q", status, body)
	}
	res, err = a.Client(t).HTTP().Get(a.URL + "/dashboard")
	if status, body = read(t, res, err); status != 401 || !strings.Contains(body, `"UNAUTHORIZED"`) {
		t.Errorf("dashboard without a session: %d %q", status, body)
	}
}

// TestFailingHook: a hook that refuses, and one that cannot write, leave nothing behind.
func TestFailingHook(t *testing.T) {
	a := start(t)
	for _, c := range []struct {
		name, body, spoil string
		status            int
		code              string
	}{
		{"refused", `{"name":"B","email":"b@example.com","password":"correct horse","company":"x"}`, "", 400, "COMPANY_NAME_TOO_SHORT"},
		{"no table", `{"name":"C","email":"c@example.com","password":"correct horse","company":"Acme"}`, "DROP TABLE tenant", 503, "SERVICE_UNAVAILABLE"},
	} {
		if c.spoil != "" {
			if err := a.Auth.Database().DDL(context.Background(), c.spoil); err != nil {
				t.Fatal(err)
			}
		}
		client := a.Client(t)
		status, body := signUp(t, a, client, c.body)
		if status != c.status || !strings.Contains(body, c.code) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.code)
		}
		for _, table := range []string{"user", "account", "session"} {
			if n := count(t, a, "SELECT count(*) FROM {"+table+"}"); n != 0 {
				t.Errorf("%s: %d rows in %s, want none", c.name, n, table)
			}
		}
		if client.Headers().Get("Cookie") != "" {
			t.Errorf("%s: the client has cookies", c.name)
		}
	}
}
