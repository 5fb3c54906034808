package adopt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations/adopt"
)

// live makes tables of "name: column column!", where ! is NOT NULL.
func live(tables ...string) *schema.Live {
	l := &schema.Live{SchemaExists: true}
	for _, t := range tables {
		name, columns, _ := strings.Cut(t, ": ")
		lt := schema.LiveTable{Name: name}
		for _, c := range strings.Fields(columns) {
			c, must := strings.CutSuffix(c, "!")
			lt.Columns = append(lt.Columns, schema.LiveColumn{Name: c, Type: "text", Nullable: !must})
		}
		l.Tables = append(l.Tables, lt)
	}
	return l
}

const (
	snakeUser    = "id name email email_verified image created_at updated_at"
	snakeSession = "id expires_at token created_at updated_at ip_address user_agent user_id"
	snakeAccount = "id account_id provider_id user_id access_token password created_at updated_at"
)

func want(tables ...string) *schema.Schema {
	s := &schema.Schema{}
	for _, t := range tables {
		name, columns, _ := strings.Cut(t, ": ")
		st := schema.Table{Name: name}
		for _, c := range strings.Fields(columns) {
			st.Columns = append(st.Columns, schema.Column{Name: c, Kind: schema.String})
		}
		s.Tables = append(s.Tables, st)
	}
	return s
}

func TestPropose(t *testing.T) {
	core := want("user: id name email emailVerified image createdAt updatedAt", "session: id expiresAt userId", "account: id accountId providerId", "job: id payload runAt", "member: id organizationId")
	for _, tt := range []struct {
		name   string
		live   *schema.Live
		naming schema.Naming
		over   map[string]string
		fault  string
	}{
		{name: "prefixes", live: live("auth_user: "+snakeUser, "auth_session: "+snakeSession, "auth_account: "+snakeAccount), naming: schema.Snake,
			over: map[string]string{"user": "auth_user", "session": "auth_session", "account": "auth_account"}},
		{name: "prefixes, and an app's own tables without", live: live("auth_user: "+snakeUser, "auth_session: "+snakeSession, "auth_account: "+snakeAccount,
			"sessions: id user_id title created_at updated_at", "accounts: id user_id balance created_at updated_at"), naming: schema.Snake,
			over: map[string]string{"user": "auth_user", "session": "auth_session", "account": "auth_account"}},
		{name: "an app's table that only ends like one is not taken", live: live("user: "+snakeUser, "session: "+snakeSession, "account: "+snakeAccount, "superuser: id name", "crew_member: id role"),
			naming: schema.Snake, over: map[string]string{}},
		{name: "an app's own table of the same name", live: live("user: "+snakeUser, "session: "+snakeSession, "account: "+snakeAccount, "member: id club", "job: id title"),
			naming: schema.Snake, over: map[string]string{"job": "sallyport_job", "member": "sallyport_member"}},
		{name: "a table of ours that had to have another name, after the app's own went", live: live("user: "+snakeUser, "session: "+snakeSession, "account: "+snakeAccount, "sallyport_job: id payload run_at"),
			naming: schema.Snake, over: map[string]string{"job": "sallyport_job"}},
		{name: "a table of ours", live: live("user: "+snakeUser, "session: "+snakeSession, "account: "+snakeAccount, "job: id payload run_at"), naming: schema.Snake, over: map[string]string{}},
		{name: "two that look alike", live: live("user: "+snakeUser, "users: "+snakeUser, "session: "+snakeSession, "account: "+snakeAccount), naming: schema.Snake,
			fault: "several tables look like Better Auth's user"},
		{name: "two columns that look alike: the naming decides", live: live("user: "+snakeUser+" emailVerified", "session: "+snakeSession, "account: "+snakeAccount), naming: schema.Snake, over: map[string]string{}},
		{name: "renamed bans", live: live("user: "+snakeUser+" is_banned", "session: "+snakeSession, "account: "+snakeAccount), naming: schema.Snake, over: map[string]string{"user.banned": "is_banned"}},
		{name: "upper case", live: live("USERS: ID NAME EMAIL EMAILVERIFIED CREATEDAT UPDATEDAT", "SESSIONS: "+snakeSession, "ACCOUNTS: "+snakeAccount), naming: schema.Snake,
			over: map[string]string{"user": "USERS", "user.id": "ID", "user.name": "NAME", "user.email": "EMAIL", "user.emailVerified": "EMAILVERIFIED", "user.createdAt": "CREATEDAT", "user.updatedAt": "UPDATEDAT",
				"session": "SESSIONS", "account": "ACCOUNTS"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := adopt.Propose(storage.Postgres, tt.live, adopt.BetterAuth, schema.Names{})
			if err != nil {
				t.Fatal(err)
			}
			p.Complete(core)
			if tt.fault != "" {
				if len(p.Faults) != 1 || !strings.Contains(p.Faults[0], tt.fault) {
					t.Errorf("faults %q", p.Faults)
				}
				return
			}
			if p.Naming != tt.naming || len(p.Faults) > 0 {
				t.Errorf("naming %s, faults %q", p.Naming, p.Faults)
			}
			for k, v := range tt.over {
				if p.Overrides[k] != v {
					t.Errorf("%s is %q, want %q", k, p.Overrides[k], v)
				}
			}
			if len(p.Overrides) != len(tt.over) {
				t.Errorf("overrides %v, want %v", p.Overrides, tt.over)
			}
		})
	}
	if _, err := adopt.Propose(storage.Postgres, live("user: id club", "session: x", "account: y"), adopt.BetterAuth, schema.Names{}); !errors.Is(err, adopt.ErrNoTables) {
		t.Errorf("an app's own tables: %v", err)
	}
}

// A count that the database does not finish in time is unknown, and not nothing.
func TestCountIsBounded(t *testing.T) {
	ctx := t.Context()
	db, err := postgres.Open(ctx, adaptertest.PostgresURL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ddl := func(table, columns string) string {
		return `CREATE TABLE "` + table + `" (` + strings.ReplaceAll(strings.ReplaceAll(columns, " ", " text, "), "image", `image`) + " text)"
	}
	if err := db.DDL(ctx, ddl("user", snakeUser), ddl("session", snakeSession), ddl("account", snakeAccount)); err != nil {
		t.Fatal(err)
	}
	p, err := adopt.Look(ctx, db, adopt.BetterAuth, schema.Names{})
	if err != nil {
		t.Fatal(err)
	}
	count := func() []adopt.Loss {
		t.Helper()
		l, err := p.Count(ctx, db, want("user: id"), []string{"email-password"}, 300*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if l := count(); len(l) > 0 {
		t.Errorf("an empty database: %v", l)
	}
	tx, err := db.Begin(ctx, storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // only the lock counts
	if _, err := tx.Exec(ctx, "LOCK TABLE account IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	l := count()
	if len(l) != 3 || l[0].Unknown != "counting took longer than 300ms" || !(&adopt.Report{Losses: l}).Lost() {
		t.Errorf("with a table that does not answer: %v", l)
	}
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := p.Count(dead, db, want("user: id"), nil, time.Second); err == nil {
		t.Error("who asked is gone, and it was counted")
	}
}
