package core_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// bannable adds Better Auth's admin columns as its own migration makes them, and no
// plugin of ours.
func bannable(e *env) {
	names := e.cfg.Names
	user, kind := `"`+names.Table("user")+`"`, "INTEGER"
	if e.db.Dialect() == "postgres" {
		kind = "BOOLEAN"
	}
	e.ddl(`ALTER TABLE ` + user + ` ADD COLUMN "` + names.Column("user", "banned") + `" ` + kind)
	e.ddl(`ALTER TABLE ` + user + ` ADD COLUMN "` + names.Column("user", "banExpires") + `" ` + map[string]string{"INTEGER": "TEXT", "BOOLEAN": "TIMESTAMPTZ"}[kind])
	e.auth = e.compile()
}

// The banned column counts as soon as a database has it, whoever wrote it.
func TestBanOfAnExistingDatabase(t *testing.T) {
	for _, naming := range []schema.Naming{schema.Snake, schema.BetterAuth} {
		both(t, func(t *testing.T, db option) {
			e := start(t, db, config(func(c *core.Config) { c.Names.Naming = naming }))
			c := e.client().signUp("a@example.com")
			bannable(e)
			if a := e.client().signIn("a@example.com", password); a.Status != 200 {
				t.Fatalf("a user who is not banned: %d %s", a.Status, a.Body)
			}
			e.exec("UPDATE {user} SET {user:banned} = ?", true)
			before := e.sum("session")
			if a := e.client().signIn("a@example.com", password); a.Status != 403 || a.code() != "BANNED_USER" || len(a.cookies()) != 0 {
				t.Errorf("sign-in: %d %s", a.Status, a.Body)
			}
			c.auth = e.auth
			a := c.post("/change-password", m{"currentPassword": password, "newPassword": password, "revokeOtherSessions": true})
			if a.code() != "BANNED_USER" {
				t.Errorf("a session anew: %d %s", a.Status, a.Body)
			}
			if e.sum("session") != before {
				t.Error("a banned user has a session more, or the refused change has revoked some")
			}
			if a := e.client().signIn("a@example.com", wrong); a.code() != "INVALID_EMAIL_OR_PASSWORD" {
				t.Errorf("who has not the password learns of the ban: %s", a.Body)
			}
			e.exec("UPDATE {user} SET {user:banExpires} = ?", e.clock.Now().Add(time.Minute))
			if a := e.client().signIn("a@example.com", password); a.code() != "BANNED_USER" {
				t.Errorf("within the time of the ban: %s", a.Body)
			}
			e.clock.Add(time.Minute)
			if a := e.client().signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("after the time of the ban: %d %s", a.Status, a.Body)
			}
			if strings.Contains(string(c.get("/get-session").Body), "ban") {
				t.Error("clients see the columns")
			}
		})
	}
}

// Columns of domains, and of texts as PostgreSQL writes truths and times, hold bans, too.
func TestBanOfOtherTypes(t *testing.T) {
	for _, types := range [][2]string{{`"yes"`, `"moment"`}, {"text", "text"}, {"boolean", "date"}} {
		t.Run(types[0], func(t *testing.T) {
			e := start(t, on(openPostgres(t)))
			e.client().signUp("a@example.com")
			e.ddl(`CREATE DOMAIN "yes" AS boolean; CREATE DOMAIN "moment" AS timestamptz`)
			e.ddl(`ALTER TABLE "user" ADD COLUMN "banned" ` + types[0] + `, ADD COLUMN "ban_expires" ` + types[1])
			e.auth = e.compile()
			for _, tt := range []struct {
				banned  bool
				expires any
				status  int
			}{{false, nil, 200}, {true, nil, 403}, {true, e.clock.Now().AddDate(0, 0, 2), 403}, {true, e.clock.Now().AddDate(0, 0, -2), 200}} {
				e.exec("UPDATE {user} SET {user:banned} = ?, {user:banExpires} = ?", tt.banned, tt.expires)
				if a := e.client().signIn("a@example.com", password); a.Status != tt.status {
					t.Errorf("banned %v until %v: %d %s", tt.banned, tt.expires, a.Status, a.Body)
				}
			}
		})
	}
}

// A sign-in takes as long as a hash, and longer while many wait for theirs. Whoever is banned
// in that time, and has their sessions ended, is out, by whatever way they come.
func TestABanMeetsASignInThatIsUnderWay(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		route := core.NewRoute[core.None, core.Status]("POST /let-in", core.Public)
		e := start(t, db)
		ban := func() {
			e.exec("UPDATE {user} SET {user:banned} = ?", true)
			e.exec("DELETE FROM {session}")
		}
		e.client().signUp("a@example.com")
		e.cfg.Plugins = []core.Plugin{&probe{core.Spec{ID: "probe", Endpoints: []core.Endpoint{route.Handle(func(ctx context.Context, c *core.Call, _ core.None) (core.Status, error) {
			u, err := c.Host().UserByEmail(ctx, c.Host().DB(), "a@example.com")
			if err != nil {
				return core.Status{}, err
			}
			ban()
			_, err = c.Host().SignIn(ctx, nil, &core.SignIn{Call: c, User: u, Methods: []string{"swk"}})
			return core.Status{Status: true}, err
		})}}}}
		bannable(e)
		for path, want := range map[string]string{"/sign-in/email": "403 BANNED_USER", "/let-in": "409 CONFLICT"} {
			e.exec("UPDATE {user} SET {user:banned} = ?", false)
			eve := e.client()
			if path == "/sign-in/email" {
				e.db.behind = ban
			}
			if a := eve.post(path, m{"email": "a@example.com", "password": password}); strconv.Itoa(a.Status)+" "+a.code() != want {
				t.Errorf("%s: %d %s", path, a.Status, a.Body)
			}
			if eve.user() != "" || e.sum("session") != 0 {
				t.Errorf("%s: a banned user is inside", path)
			}
		}
		if e.guesses() != 0 {
			t.Error("the right password counts as a guess")
		}
	})
}

// The same as a race.
func TestABanRacesWithSignIns(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Lockout.Disabled = true }))
		e.client().signUp("a@example.com")
		bannable(e)
		for round := range 25 {
			e.exec("UPDATE {user} SET {user:banned} = ?", false)
			parallel(t, 7, func(i int) {
				if i == 6 {
					e.exec("UPDATE {user} SET {user:banned} = ?", true)
					e.exec("DELETE FROM {session}")
				} else if a := e.client().signIn("a@example.com", password); a.Status != 200 && a.code() != "BANNED_USER" {
					t.Errorf("a sign-in: %d %s", a.Status, a.Body)
				}
			})
			if e.sum("session") != 0 {
				t.Fatalf("round %d: a banned user is inside", round)
			}
		}
	})
}

func TestReissueKeepsTheProof(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		c := e.client().signUp("a@example.com")
		at := e.clock.Now()
		e.exec("UPDATE {session} SET {session:amr} = ?, {session:aal} = ?", "pwd,otp", int64(2))
		old := c.token()
		e.clock.Add(time.Hour)
		a := c.must(200, "POST", "/change-password", m{"currentPassword": password, "newPassword": "a new password", "revokeOtherSessions": true})
		if a.json["token"] == old || a.json["token"] != c.token() {
			t.Errorf("the token is %v", a.json["token"])
		}
		rows := e.rows("SELECT {session:amr} FROM {session} WHERE {session:aal} = ? AND {session:authenticatedAt} = ?", int64(2), at)
		if len(rows) != 1 || rows[0] != "pwd,otp" || e.sum("session") != 1 {
			t.Errorf("proof %v in %d sessions", rows, e.sum("session"))
		}
		c.jar[tokenCookie] = strings.Replace(c.jar[tokenCookie], c.token(), old, 1)
		if c.user() != "" {
			t.Error("the old token still reads as a session")
		}
	})
}
