package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/cli"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/server"
)

type noteRow struct {
	ID   string `db:"id" schema:"key"`
	Text string `db:"text"`
}

// notes is a third party's plugin with a table and a command.
type notes struct{}

func (notes) Spec() core.Spec {
	table := core.TableOf[noteRow]("note")
	return core.Spec{ID: "notes", Tables: []schema.Table{table.Schema()}, Commands: []core.Command{{Name: "count", Summary: "count the notes",
		Run: func(ctx context.Context, h *core.Host, args []string, out io.Writer) error {
			if len(args) == 1 && args[0] == "fail" {
				return errors.New("told to fail")
			}
			n, err := table.Count(ctx, h.DB())
			if err == nil {
				fmt.Fprintf(out, "%d notes, arguments %q\n", n, args)
			}
			return err
		}}}}
}

// counter is another plugin with a command of the same name, and one of its own.
type counter struct{}

func (counter) Spec() core.Spec {
	run := func(_ context.Context, _ *core.Host, args []string, out io.Writer) error {
		_, err := fmt.Fprintf(out, "counted %q\n", args)
		return err
	}
	return core.Spec{ID: "counter", Commands: []core.Command{{Name: "count", Run: run}, {Name: "recount", Run: run}}}
}

// A plugin's name may be left out before its command, unless that could mean another's.
func TestCommandWithoutPlugin(t *testing.T) {
	p := program()
	p.Plugins = append(p.Plugins, server.Entry("counter", func(struct{}) counter { return counter{} }))
	env := []string{"SALLYPORT_DATA=" + t.TempDir(), "SALLYPORT_PLUGINS=email-password,notes,counter"}
	for _, tt := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"migrate apply", 0, "", ""},
		{"recount x", 0, `counted ["x"]`, ""},
		{"counter recount x", 0, `counted ["x"]`, ""},
		{"counter count", 0, "counted []", ""},
		{"notes count", 0, "0 notes", ""},
		{"count", 1, "", "count is a command of several plugins: say notes count, or counter count"},
		{"notes recount", 64, "", `unknown command "notes recount"`},
		{"uncount x", 64, "", `unknown command "uncount x"`},
	} {
		var out, errs bytes.Buffer
		code := p.Run(t.Context(), strings.Fields(tt.args), env, &out, &errs)
		if code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.errs) {
			t.Errorf("%s: code %d, out %q, errors %q", tt.args, code, out.String(), errs.String())
		}
	}
}

func program() cli.Program {
	return cli.Program{Name: "acme", Version: "1.2.3", Plugins: []server.PluginEntry{
		server.Entry(emailpassword.ID, emailpassword.New),
		server.Entry("notes", func(struct{}) notes { return notes{} }),
	}}
}

// run runs a command line with a data folder of its own.
func run(t testing.TB, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = program().Run(t.Context(), args, env, &o, &e)
	return code, o.String(), e.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	env := []string{"SALLYPORT_DATA=" + filepath.Join(dir, "data")}
	file := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(file, []byte("timeout: -5\nsesion: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	less := filepath.Join(dir, "less.yaml")
	if err := os.WriteFile(less, []byte("plugins: [email-password]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args      string
		code      int
		out, errs string // parts
	}{
		{"", 64, "", "usage: acme COMMAND"},
		{"help", 0, "notes count", ""},
		{"version", 0, "acme 1.2.3 (plugin contract 1)\n", ""},
		{"version x", 64, "", `unexpected argument "x"`},
		{"nonsense", 64, "", `unknown command "nonsense"`},
		{"notes nonsense", 64, "", `unknown command "notes nonsense"`},
		{"other count", 64, "", `unknown command "other count"`},
		{"migrate", 64, "", `unknown command "migrate"; after migrate comes one of: plan, apply, verify`},
		{"notes", 64, "", `unknown command "notes"; after notes comes one of: count`},
		{"count --config " + less, 64, "", `"count" is a command of the plugin notes, which the configuration does not enable`},
		{"notes count --config " + less, 64, "", `"count" is a command of the plugin notes, which the configuration does not enable`},
		{"routes --nonsense", 64, "", "flag provided but not defined"},
		{"serve -h", 0, "", "the config file"},
		{"config check --config " + file, 1, "", file + ":2:1: sesion: no such option; did you mean session?"},
		{"config check --config " + file, 1, "", "\ntimeout: -5 is negative"}, // what core finds, in the same list
		{"config check --config " + file + "x", 1, "", "bad.yamlx: cannot be read: no such file or directory"},
		{"config check --production", 1, "", "database: set database.url"},
		{"config check", 0, "is in order", ""},
		{"routes", 0, "/api/auth/sign-up/email", ""},
		{"errors", 0, "INVALID_EMAIL_OR_PASSWORD", ""},
		{"config docs", 0, "### plugins.notes", ""},
		{"doctor --config " + file, 1, "fail  config     " + file + ":2:1: sesion: no such option", ""},
		{"doctor", 2, "warn  database   there is no file", ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			code, out, errs := run(t, env, strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || tt.errs == "" && errs != "" {
				t.Errorf("%d\nout: %s\nerr: %s\nwant %d, %q, %q", code, out, errs, tt.code, tt.out, tt.errs)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("a command that only tells something made the data folder")
	}
	_, one, _ := run(t, nil, "secret")
	_, two, _ := run(t, nil, "secret")
	if one == two || len(one) != 44 {
		t.Errorf("secrets %q and %q", one, two)
	}
}

// TestMigrate goes through a database's life, on both.
func TestMigrate(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { migrate(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "a.db")) })
	t.Run("postgres", func(t *testing.T) { migrate(t, "DATABASE_URL="+adaptertest.PostgresURL(t)) })
}

func migrate(t *testing.T, database string) {
	env := []string{database, "SALLYPORT_SECRET=q8Zr2-xT5vN7mK1pL4wY9bH3cF6dG0sJ_aEuIoRtUyP", "SALLYPORT_BASE_URL=https://a.example",
		"SALLYPORT_PRODUCTION=true", "SALLYPORT_PLUGINS=email-password", "SALLYPORT_LISTEN=127.0.0.1:0"}
	expect := func(code int, part string, args ...string) string {
		t.Helper()
		got, out, errs := run(t, env, args...)
		if got != code || !strings.Contains(out+errs, part) {
			t.Fatalf("%v: %d\nout: %s\nerr: %s\nwant %d, %q", args, got, out, errs, code, part)
		}
		return out
	}
	expect(1, "plugin core: table user (\"user\") is missing", "serve")
	expect(1, "plugin core: table session (\"session\") is missing", "migrate", "verify")
	expect(2, "CREATE TABLE", "migrate", "plan")
	expect(1, "sallyport migrate", "doctor")
	dir := filepath.Join(t.TempDir(), "plan")
	files := strings.Fields(expect(2, "001_core.sql", "migrate", "plan", "--out", dir))
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(text), "CREATE TABLE") {
		t.Errorf("%s: %s, %v", files[0], text, err)
	}
	expect(1, "file exists", "migrate", "plan", "--out", dir)
	expect(0, "the database is up to date", "migrate", "apply")
	expect(0, "0 statements", "migrate", "apply")
	expect(0, "nothing to do", "migrate", "plan")
	expect(2, "ok    schema     ", "doctor") // there is no mailer
	expect(0, "has what the plugins need", "migrate", "verify")
	env[4] = "SALLYPORT_PLUGINS=email-password,notes"
	expect(1, "plugin notes: table note (\"note\") is missing", "serve")
	expect(1, "note", "notes", "count")
	expect(2, "-- notes\nCREATE TABLE", "migrate", "plan")
	expect(0, "added: plugin notes: table note (\"note\") was made", "migrate", "apply")
	expect(0, "0 notes, arguments [\"a\" \"-b\"]\n", "notes", "count", "--", "a", "-b")
	expect(1, "acme: told to fail", "notes", "count", "fail")
	expect(0, "0 notes, arguments [\"a\"]\n", "count", "a")
	expect(64, "", "notes")
	// Up to date, it starts, and ends when it is told to.
	ctx, cancel := context.WithCancel(t.Context())
	p := program()
	p.Configure = func(c *server.Config) error {
		c.Core.Logger = slog.New(onListening{slog.DiscardHandler, cancel})
		return nil
	}
	var out, errs bytes.Buffer
	if code := p.Run(ctx, []string{"serve"}, env, &out, &errs); code != 0 || errs.Len() > 0 || ctx.Err() == nil {
		t.Errorf("serve: %d %s", code, errs.String())
	}
	p.Configure = func(*server.Config) error { return errors.New("told to fail") }
	if code := p.Run(t.Context(), []string{"serve"}, env, &out, &errs); code != 1 || errs.String() != "acme: told to fail\n" {
		t.Errorf("serve: %d %s", code, errs.String())
	}
}

// onListening ends the server as soon as it says that it listens.
type onListening struct {
	slog.Handler
	stop func()
}

func (onListening) Enabled(context.Context, slog.Level) bool { return true }

func (h onListening) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "listening" {
		h.stop()
	}
	return nil
}

// TestPlanFilesAreEnough runs the files with psql and starts under a role that may only
// read and write rows.
func TestPlanFilesAreEnough(t *testing.T) {
	url := adaptertest.PostgresURL(t)
	env := []string{"DATABASE_URL=" + url, "SALLYPORT_DATA=" + t.TempDir()}
	code, out, errs := run(t, env, "migrate", "plan", "--out", t.TempDir())
	if code != 2 {
		t.Fatalf("%d %s", code, errs)
	}
	args := []string{"-v", "ON_ERROR_STOP=1", "--single-transaction"}
	for _, f := range strings.Fields(out) {
		args = append(args, "-f", f)
	}
	if out, err := exec.Command("psql", append(args, url)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	role := adaptertest.PostgresRole(t, url, `GRANT USAGE ON SCHEMA public TO $role`, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO $role`)
	env[0] = "DATABASE_URL=" + role
	for _, command := range []string{"migrate verify", "migrate plan", "notes count"} {
		if code, out, errs := run(t, env, strings.Fields(command)...); code != 0 {
			t.Errorf("%s: %d\n%s%s", command, code, out, errs)
		}
	}
}

// A file that cannot be read is said once, without what it would have held.
func TestUnreadableSecretFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "acme.yaml")
	text := "production: true\nbaseURL: https://auth.example.com\nsecretFile: " + dir + "/none\ndatabase: {url: 'postgres://127.0.0.1/x'}\n" +
		"redis: {urlFile: " + dir + "/none}\nrateLimit: {storage: redis}\nplugins: [email-password]\ntimeout: -5\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := run(t, nil, "config", "check", "--config", file)
	for _, want := range []string{"secretFile: cannot be read", "redis.urlFile: cannot be read", "timeout: -5 is negative"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not said", want)
		}
	}
	if code != 1 || strings.Contains(errs, "required") || strings.Contains(errs, "needs a store") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
