package cli_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/cli"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/twofactor"
	"github.com/sallyport-auth/sallyport/server"
)

// office is a program with a database, and one user in it.
type office struct {
	t   *testing.T
	p   cli.Program
	env []string
	id  string
}

func openOffice(t *testing.T, database string, plugins string) *office {
	o := &office{t: t, p: cli.Program{Name: "acme", Plugins: []server.PluginEntry{
		server.Entry(emailpassword.ID, emailpassword.New), server.Entry(twofactor.ID, twofactor.New)}},
		env: []string{database, "SALLYPORT_SECRET=q8Zr2-xT5vN7mK1pL4wY9bH3cF6dG0sJ_aEuIoRtUyP", "SALLYPORT_BASE_URL=https://a.example",
			"SALLYPORT_DATA=" + t.TempDir(), "SALLYPORT_PLUGINS=" + plugins, "SALLYPORT_AUDIT_CHAIN=true"}}
	o.run(0, "up to date", "migrate", "apply")
	o.with(func(auth *core.Auth) {
		u, err := auth.Host().NewUser("Ada\x1b[31m\u202e", "ada@example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Host().CreateUser(t.Context(), nil, nil, u, "test", ""); err != nil {
			t.Fatal(err)
		}
		o.id = u.ID
	})
	return o
}

// run runs a command line that has to end with a code and print a part.
func (o *office) run(code int, part string, args ...string) string {
	o.t.Helper()
	var out, errs bytes.Buffer
	if got := o.p.Run(o.t.Context(), args, o.env, &out, &errs); got != code || !strings.Contains(out.String()+errs.String(), part) {
		o.t.Fatalf("%q: %d\nout: %s\nerr: %s\nwant %d, %q", args, got, out.String(), errs.String(), code, part)
	}
	return out.String()
}

// with opens what the commands work on.
func (o *office) with(fn func(*core.Auth)) {
	o.t.Helper()
	c, err := server.Load(server.Source{Env: o.env, Data: strings.TrimPrefix(o.env[3], "SALLYPORT_DATA=")}, o.p.Plugins...)
	if err != nil {
		o.t.Fatal(err)
	}
	auth, closeAll, err := server.OpenAuth(o.t.Context(), c, o.p.Plugins...)
	if err != nil {
		o.t.Fatal(err)
	}
	fn(auth)
	if err := closeAll(context.Background()); err != nil {
		o.t.Fatal(err)
	}
}

func TestUserCommands(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { userCommands(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "a.db")) })
	t.Run("postgres", func(t *testing.T) { userCommands(t, "DATABASE_URL="+adaptertest.PostgresURL(t)) })
}

func userCommands(t *testing.T, database string) {
	o := openOffice(t, database, "email-password,two-factor")
	out := o.run(0, "ada@example.com", "user", "show", "ADA@example.com")
	for _, want := range []string{o.id, "no account", "Ada?[31m?", "sessions        0", "email verified  no", "two-factor      no", "locked          no"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	o.run(0, "ada@example.com", "user", "show", o.id)
	o.run(0, "is verified", "user", "verify-email", "ada@example.com")
	o.run(0, "was verified already", "user", "verify-email", "ada@example.com")
	o.with(func(auth *core.Auth) {
		at := auth.Host().Attempts("password")
		for range 5 {
			try, err := at.Reserve(t.Context(), o.id)
			if err != nil {
				t.Fatal(err)
			}
			if err := try.Fail(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
	if out := o.run(0, "locked          until ", "user", "show", o.id); !strings.Contains(out, "Z\n") {
		t.Errorf("%s", out)
	}
	o.run(0, "ada@example.com is not locked", "user", "unlock", "ada@example.com")
	o.run(0, "locked          no", "user", "show", o.id)
	o.run(0, "signed out everywhere", "user", "revoke-sessions", "ada@example.com")
	o.run(0, "no second factor any more", "user", "reset-2fa", o.id)
	o.run(64, "say --yes as well", "user", "delete", "ada@example.com")
	o.run(0, "ada@example.com", "user", "show", "ada@example.com")
	o.run(0, "is deleted", "user", "delete", "ada@example.com", "--yes")
	for _, command := range []string{"show", "unlock", "revoke-sessions", "verify-email", "reset-2fa"} {
		o.run(1, `no user has the address or id "ada@example.com"`, "user", command, "ada@example.com")
		o.run(64, "want an address or id", "user", command)
		o.run(64, `unexpected argument "b"`, "user", command, "a", "b")
	}
	o.run(1, "no user has", "user", "delete", "--yes", o.id)
	// Every act has its event, and says that it was not the user's.
	o.with(func(auth *core.Auth) {
		page, err := auth.Host().Events(t.Context(), core.EventQuery{UserID: o.id})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, e := range page.Events {
			if seen[e.Type]++; e.Actor != core.Operator {
				t.Errorf("%s: the actor is %q", e.Type, e.Actor)
			}
		}
		for _, want := range []string{core.EventSignUp, core.EventEmailVerified, core.EventAccountUnlocked, core.EventSessionRevoked, "two-factor.disabled", core.EventUserDeleted} {
			if seen[want] != 1 {
				t.Errorf("%d events %s, want 1", seen[want], want)
			}
		}
	})
}

func TestResetWithoutPlugin(t *testing.T) {
	o := openOffice(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "a.db"), "email-password")
	o.run(1, "the plugin two-factor is not enabled", "user", "reset-2fa", "ada@example.com")
}

func TestAuditCommands(t *testing.T) {
	o := openOffice(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "a.db"), "email-password")
	o.run(0, "there is no chain yet", "audit", "verify")
	o.run(0, "verified", "user", "verify-email", o.id)
	o.with(func(auth *core.Auth) {
		auth.Host().RecordLater(nil, &core.Event{Type: core.EventSignInFailed, Reason: "INVALID_CREDENTIALS", IP: "192.0.2.9", Detail: map[string]string{"code": "X\x1b"}})
		if err := auth.FlushEvents(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, err := auth.LinkEvents(t.Context()); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	})
	lines := func(args ...string) int {
		t.Helper()
		return strings.Count(o.run(0, "TIME", append([]string{"audit", "list"}, args...)...), "\n") - 1
	}
	for _, tt := range []struct {
		args string
		want int
	}{
		{"", 3}, {"--limit 2", 2}, {"--failed", 1}, {"--type sign-up,email.verified", 2}, {"--user ada@example.com", 2}, {"--user " + o.id, 2},
		{"--user nobody", 0}, {"--since 1h", 3}, {"--until 2020-01-31", 0}, {"--since 2020-01-31T00:00:00Z --failed", 1},
	} {
		if n := lines(strings.Fields(tt.args)...); n != tt.want {
			t.Errorf("audit list %s: %d events, want %d", tt.args, n, tt.want)
		}
	}
	o.run(0, "code=X?", "audit", "list", "--failed")
	o.run(1, `no user has the address "x@example.com"`, "audit", "list", "--user", "x@example.com")
	o.run(64, `"sign_in" is none of sign-up, `, "audit", "list", "--type", "sign_in")
	o.run(64, `"yesterday" is no time`, "audit", "list", "--since", "yesterday")
	o.run(64, "less than 1", "audit", "list", "--limit", "0")
	for _, head := range []string{"x", "1", "0:x", "-1:x", ":x", "1:"} {
		o.run(64, "is not SEQ:HASH", "audit", "verify", "--head", head)
	}
	_, head, _ := strings.Cut(o.run(0, "the chain is whole", "audit", "verify"), "head ")
	o.run(0, "the chain is whole", "audit", "verify", "--head", strings.TrimSpace(head))
	o.run(1, "the chain was rewritten", "audit", "verify", "--head", "2:x")
	o.run(1, "shorter than when this head was kept", "audit", "verify", "--head", "9:x")
	o.with(func(auth *core.Auth) {
		if _, err := auth.Host().DB().Exec(t.Context(), "DELETE FROM {securityEvent} WHERE {securityEvent:seq} = 2"); err != nil {
			t.Fatal(err)
		}
	})
	o.run(1, "the chain is broken: event 2: missing", "audit", "verify")
}
