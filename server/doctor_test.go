package server

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

// examined is a configuration of production on a database that is up to date.
func examined(t testing.TB, env ...string) Config {
	t.Helper()
	c := configured(t, env...)
	m, err := OpenMigration(t.Context(), c, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func configured(t testing.TB, env ...string) Config {
	t.Helper()
	c, err := Load(Source{Env: append([]string{"SALLYPORT_PRODUCTION=true", "SALLYPORT_SECRET=" + goodSecret, "SALLYPORT_BASE_URL=https://auth.example.com",
		"SALLYPORT_PLUGINS=toy", "SALLYPORT_TRUSTED_PROXIES=10.0.0.0/8"}, env...)}, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// diagnose returns the findings as lines, and looks for secrets in them.
func diagnose(t testing.TB, c Config) string {
	t.Helper()
	var b strings.Builder
	for _, f := range Diagnose(t.Context(), c, toys()...) {
		line := f.String()
		if strings.Contains(line, "\n") || f.Severity != Fine && f.Do == "" {
			t.Errorf("finding %q", line)
		}
		b.WriteString(line + "\n")
	}
	if out := b.String(); strings.Contains(out, goodSecret) || strings.Contains(out, "s3cret") {
		t.Errorf("a secret is in\n%s", out)
	}
	return b.String()
}

func wantFindings(t testing.TB, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		found := false
		for _, line := range strings.Split(out, "\n") {
			words := strings.Fields(w)
			found = found || strings.HasPrefix(line, words[0]) && strings.Contains(line, " "+words[1]+" ") && strings.Contains(line, strings.Join(words[2:], " "))
		}
		if !found {
			t.Errorf("lacks %q in\n%s", w, out)
		}
	}
}

func TestDoctorOnSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	c := examined(t, "SALLYPORT_DATABASE_PATH="+path)
	out := diagnose(t, c)
	wantFindings(t, out, "ok config 1 plugins", "ok secret one", "ok files a.db", "ok address https://auth.example.com", "ok database sqlite 3.",
		"ok schema tables as the plugins want them", "ok jobs none waits", "ok rows 0 have been expired", "ok disk MiB are free", "warn mail there is no mailer")
	if strings.Contains(out, "fail") {
		t.Errorf("something is broken:\n%s", out)
	}
	if err := os.Chmod(path, 0o646); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, diagnose(t, c), "fail files is open to everybody")
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, diagnose(t, c), "warn files can be written by its group")
}

func TestDoctorMakesNothing(t *testing.T) {
	dir := t.TempDir()
	c, err := Load(Source{Data: filepath.Join(dir, "data"), Env: []string{"SALLYPORT_PLUGINS=toy"}}, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, diagnose(t, c), "warn database there is no file", "ok secret that of the data folder", "ok mail on the console")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("it made %v, %v", left, err)
	}
}

func TestDoctorOnOptions(t *testing.T) {
	c := configured(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "a.db"))
	c.Core.Timeout = -5
	c.Plugins = append(c.Plugins, Enabled{ID: "nonsense"})
	out := diagnose(t, c)
	wantFindings(t, out, "fail config timeout: -5 is negative", "fail config plugins.nonsense: this program has no such plugin")
	if strings.Contains(out, " schema ") {
		t.Errorf("it went on to the schema of a configuration that does not compile:\n%s", out)
	}
	c = configured(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "a.db"))
	c.Core.TrustedProxies = nil
	c.Metrics.Listen = ":9464"
	wantFindings(t, diagnose(t, c), "warn address baseURL is https, so a proxy is in front", "warn address the metrics are served without a password on :9464")
	c.Core.TrustedProxies, c.Metrics.Listen = []string{"0.0.0.0/0"}, "127.0.0.1:9464"
	out = diagnose(t, c)
	wantFindings(t, out, "fail address every client can choose its address")
	if strings.Contains(out, "metrics") {
		t.Errorf("an address of this machine is found fault with:\n%s", out)
	}
	c, err := Load(Source{Data: t.TempDir(), Env: []string{"SALLYPORT_PLUGINS=toy", "SALLYPORT_SECRET=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "SALLYPORT_BASE_URL=https://auth.example.com"}}, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, diagnose(t, c), "warn config weak secret: production will refuse it (secret)", "warn config the checks of production are off")
}

// nobody is an address of this machine where nobody listens.
func nobody(t testing.TB) string {
	t.Helper()
	return "127.0.0.1:" + adaptertest.FreePort(t)
}

func TestDoctorDials(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, tt := range []struct{ addr, mail, redis, tracing string }{
		{ln.Addr().String(), "ok mail takes connections", "ok redis takes connections", "ok tracing takes connections"},
		{nobody(t), "fail mail connection refused", "fail redis connection refused", "warn tracing connection refused"},
	} {
		_, port, _ := net.SplitHostPort(tt.addr)
		env := []string{"SALLYPORT_DATABASE_PATH=" + filepath.Join(t.TempDir(), "a.db"), "SALLYPORT_MAIL_DRIVER=smtp", "SALLYPORT_MAIL_SMTP_HOST=127.0.0.1",
			"SALLYPORT_MAIL_SMTP_PORT=" + port, "SALLYPORT_MAIL_SMTP_FROM=a@example.com", "SALLYPORT_MAIL_SMTP_USERNAME=u", "SALLYPORT_MAIL_SMTP_PASSWORD=s3cret",
			"SALLYPORT_REDIS_URL=redis://:s3cret@" + tt.addr, "SALLYPORT_RATE_LIMIT_STORAGE=redis",
			"SALLYPORT_TRACING_ENDPOINT=http://" + tt.addr, "SALLYPORT_TRACING_HEADERS=k=s3cret"}
		wantFindings(t, diagnose(t, examined(t, env...)), tt.mail, tt.redis, tt.tracing)
		c := configured(t, env...)
		c.Mail.Driver, c.Mail.Notify.URL = "notify", "http://"+tt.addr+"/send"
		c.Mail.Notify.ServiceKey, c.Mail.Notify.AppID = "s3cret", "a"
		wantFindings(t, diagnose(t, c), tt.mail)
	}
}

func TestDoctorOnPostgres(t *testing.T) {
	address, ddl := postgresDatabase(t)
	c := examined(t, "DATABASE_URL="+address)
	clock := time.Now
	c.Core.Clock = func() time.Time { return clock() }
	out := diagnose(t, c)
	wantFindings(t, out, "ok database postgres", "ok schema tables", "warn role is a superuser", "ok clock differs from the database's by", "ok jobs none", "ok rows 0")

	clock = func() time.Time { return time.Now().Add(10 * time.Second) }
	wantFindings(t, diagnose(t, c), "warn clock differs from the database's by")
	clock = func() time.Time { return time.Now().Add(-time.Hour) }
	wantFindings(t, diagnose(t, c), "fail clock codes of authenticators are refused")
	clock = time.Now

	ddl(`INSERT INTO job (id, name, payload, run_at, attempts, created_at, failed_at) VALUES
		('a', 'mail', 'x', now() - interval '1 hour', 0, now(), NULL), ('b', 'mail', 'x', now(), 16, now(), now())`)
	ddl(`INSERT INTO attempt (id, failures, allowed, window_end, leases, lease_until, expires_at)
		SELECT n::text, 0, 5, now(), 0, now(), now() - interval '2 days' FROM generate_series(1, 10001) n`)
	wantFindings(t, diagnose(t, c), "warn jobs 1 were given up", "warn jobs 1 are due for more than 5m0s", "warn rows 10001 have been expired")

	ddl(`ALTER TABLE "user" DROP COLUMN image`)
	out = diagnose(t, c)
	wantFindings(t, out, "fail schema image")
	if strings.Contains(out, " jobs ") {
		t.Error("it went on with a database that lacks something")
	}
}

// TestDoctorOnARole: reading and writing rows is enough, and what is lacking is named.
func TestDoctorOnARole(t *testing.T) {
	address, ddl := postgresDatabase(t)
	c := examined(t, "DATABASE_URL="+address)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	role := strings.TrimPrefix(u.Path, "/") + "_role"
	ddl(`CREATE ROLE ` + role + ` LOGIN`)
	t.Cleanup(func() { ddl(`DROP OWNED BY ` + role); ddl(`DROP ROLE ` + role) })
	ddl(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ` + role)
	u.User = url.User(role)
	c.Database.URL = u.String()
	wantFindings(t, diagnose(t, c), "ok role may read and write every table", "ok schema tables", "ok jobs none")
	ddl(`REVOKE DELETE ON session FROM ` + role)
	wantFindings(t, diagnose(t, c), `fail role may not DELETE "public"."session"`)
}

func TestDoctorWithoutItsDatabase(t *testing.T) {
	c := configured(t, "DATABASE_URL=postgres://u:s3cret@"+nobody(t)+"/x?sslmode=disable")
	wantFindings(t, diagnose(t, c), "fail database does not answer")
	c = configured(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "none.db"))
	wantFindings(t, diagnose(t, c), "fail database there is no file")
	empty := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Database.Path = empty
	wantFindings(t, diagnose(t, c), `fail schema plugin core: table user ("user") is missing`)
}

func TestDoctorOnDisk(t *testing.T) {
	for free, want := range map[uint64]Severity{1 << 20: Broken, 100 << 20: Warning, 10 << 30: Fine} {
		d := &doctor{}
		d.room("/data", free)
		if d.findings[0].Severity != want {
			t.Errorf("%d: %v", free, d.findings[0])
		}
	}
}
