package core_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// written is what Better Auth 1.7.25 wrote into its database and into browsers.
type written struct {
	Secret  string `json:"secret"`
	BaseURL string `json:"base_url"`
	Vectors struct {
		Scrypt []struct {
			What, Hash string
			Cases      []struct {
				Password string
				Valid    bool
			}
		}
		Signed []struct {
			Value string `json:"cookie_value"`
			Valid bool
			Row   map[string]any `json:"session_row"`
		} `json:"signed_cookie"`
		Mail []struct {
			Token   string
			Payload struct {
				Email, UserID, UpdateTo, RequestType string
			}
			At int64 `json:"verify_at_unix"`
		} `json:"email_verification_jwt"`
		Reset []struct {
			Token string
			Row   map[string]any
		} `json:"reset_password_row"`
		Delete []struct {
			Token string
			Row   map[string]any
		} `json:"delete_account_row"`
		Data []struct {
			Strategy string
			Value    string   `json:"cookie_value"`
			All      []string `json:"all_set_cookies"`
			JWKS     any      `json:"jwks_row"`
			Decoded  json.RawMessage
		} `json:"session_data"`
	}
}

func readVectors(t *testing.T) (v written) {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// taken is a start on what Better Auth left behind: its names, secret, hash and storage.
func taken(v written, db option, at time.Time) []option {
	return []option{db, config(func(c *core.Config) {
		c.BaseURL, c.Secret, c.Names.Naming, c.Session.TokenStorage = v.BaseURL, v.Secret, schema.BetterAuth, "compat"
		c.Clock = func() time.Time { return at }
		c.User.DeleteUser.VerifyByMail = true
	})}
}

func (e *env) put(table string, row map[string]any) {
	e.t.Helper()
	var cols, marks []string
	var args []any
	for k, value := range row {
		if value == nil || strings.HasPrefix(k, "active") || k == "impersonatedBy" {
			continue
		}
		if s, ok := value.(string); ok && strings.HasSuffix(k, "At") {
			at, err := time.Parse(time.RFC3339, s)
			if err != nil {
				e.t.Fatal(err)
			}
			value = at
		}
		cols, marks, args = append(cols, "{"+table+":"+k+"}"), append(marks, "?"), append(args, value)
	}
	e.exec("INSERT INTO {"+table+"} ("+strings.Join(cols, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
}

func (e *env) putUser(id, email, hash string) {
	e.t.Helper()
	at := e.cfg.Clock().Add(-time.Hour).Format(time.RFC3339)
	e.put("user", map[string]any{"id": id, "name": "Noël", "email": email, "emailVerified": false, "createdAt": at, "updatedAt": at})
	e.put("account", map[string]any{"id": "account-" + id, "accountId": id, "providerId": "credential", "userId": id, "password": hash, "createdAt": at, "updatedAt": at})
}

func when(t *testing.T, row map[string]any, column string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, row[column].(string))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Better Auth's cookies are sessions here, over its rows.
func TestVectorsOfSessions(t *testing.T) {
	v := readVectors(t)
	both(t, func(t *testing.T, db option) {
		row := v.Vectors.Signed[0].Row
		e := start(t, taken(v, db, when(t, row, "createdAt").Add(time.Minute))...)
		users := map[string]bool{}
		for _, s := range v.Vectors.Signed {
			if s.Row == nil {
				continue
			}
			if id := s.Row["userId"].(string); !users[id] {
				users[id] = true
				e.putUser(id, id+"@example.com", "")
			}
			e.put("session", s.Row)
		}
		n := 0
		for _, s := range v.Vectors.Signed {
			if s.Row == nil {
				continue
			}
			c := e.client()
			c.jar["better-auth.session_token"] = s.Value
			if got := c.user(); (got == s.Row["userId"]) != s.Valid {
				t.Errorf("cookie %s: user %q", s.Value, got)
			}
			n++
		}
		if n < 2 {
			t.Error("too few vectors")
		}
	})
}

// Its passwords are right here, and are hashed anew where that is configured.
func TestVectorsOfPasswords(t *testing.T) {
	v := readVectors(t)
	for _, hash := range []string{"scrypt", "argon2id"} {
		t.Run(hash, func(t *testing.T) {
			db := on(openSQLite(t))
			at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			e := start(t, append(taken(v, db, at), config(func(c *core.Config) { c.Password.Hash, c.Lockout.Disabled = hash, true }))...)
			for i, s := range v.Vectors.Scrypt {
				id := "user" + itoa(i)
				for k, try := range s.Cases {
					e.exec("DELETE FROM {user} WHERE {user:id} = ?", id)
					e.putUser(id, id+"@example.com", s.Hash)
					c := e.client()
					c.header["Origin"] = v.BaseURL
					a := c.signIn(id+"@example.com", try.Password)
					if (a.Status == 200) != try.Valid {
						t.Errorf("%s, case %d: %d, want valid %v", s.What, k, a.Status, try.Valid)
					}
					got := e.rows("SELECT {account:password} FROM {account} WHERE {account:userId} = ?", id)[0]
					if rehashed := got != s.Hash; rehashed != (hash == "argon2id" && try.Valid) {
						t.Errorf("%s, case %d, %s: stored %s", s.What, k, hash, got)
					}
					if again := c.signIn(id+"@example.com", try.Password); (again.Status == 200) != try.Valid {
						t.Errorf("%s, case %d: after rehashing %d", s.What, k, again.Status)
					}
				}
			}
		})
	}
}

// Links that it mailed work here.
func TestVectorsOfLinks(t *testing.T) {
	v := readVectors(t)
	both(t, func(t *testing.T, db option) {
		for _, l := range v.Vectors.Mail {
			e := start(t, taken(v, db, time.Unix(l.At, 0))...)
			e.putUser(l.Payload.UserID, l.Payload.Email, "")
			a := e.client().get("/verify-email?token=" + l.Token)
			if a.Status != 200 {
				t.Errorf("%+v: %d %s", l.Payload, a.Status, a.Body)
			}
			email := e.rows("SELECT {user:email} FROM {user}")[0]
			want := l.Payload.Email
			if l.Payload.RequestType == "change-email-verification" {
				want = l.Payload.UpdateTo
			}
			if email != want {
				t.Errorf("%+v: the address is %s", l.Payload, email)
			}
			e.exec("DELETE FROM {user}")
			e.exec("DELETE FROM {securityEvent}") // the next one is a user of that id, too
		}
		for _, l := range v.Vectors.Reset {
			e := start(t, taken(v, db, when(t, l.Row, "createdAt"))...)
			e.putUser(l.Row["value"].(string), "a@example.com", "")
			e.put("verification", l.Row)
			if a := e.client().post("/reset-password", m{"newPassword": password, "token": l.Token}); a.Status != 200 {
				t.Errorf("reset: %d %s", a.Status, a.Body)
			}
			c := e.client()
			c.header["Origin"] = v.BaseURL
			if a := c.signIn("a@example.com", password); a.Status != 200 {
				t.Errorf("after the reset: %d %s", a.Status, a.Body)
			}
			e.exec("DELETE FROM {user}")
		}
		for _, l := range v.Vectors.Delete {
			e := start(t, taken(v, db, when(t, l.Row, "createdAt"))...)
			e.putUser(l.Row["value"].(string), "a@example.com", "")
			e.put("verification", l.Row)
			at := e.cfg.Clock().Format(time.RFC3339)
			e.put("session", map[string]any{"id": "s", "token": strings.Repeat("t", 32), "userId": l.Row["value"], "expiresAt": e.cfg.Clock().Add(time.Hour).Format(time.RFC3339), "createdAt": at, "updatedAt": at})
			if _, err := core.DeleteUserCallback.Call(t.Context(), e.auth, core.DeleteUserCallbackInput{Token: l.Token}, core.AsToken(strings.Repeat("t", 32))); err != nil {
				t.Errorf("deletion: %v", err)
			}
			if e.sum("user") != 0 {
				t.Error("the user is still there")
			}
		}
	})
}

// The cache cookies that it wrote answer here without the database.
func TestVectorsOfTheCache(t *testing.T) {
	v := readVectors(t)
	n := 0
	for i, d := range v.Vectors.Data {
		if d.All == nil && d.Strategy == "compact" || d.JWKS != nil {
			continue // no session cookie came with it, or it is signed with a key of the jwt plugin
		}
		type content struct {
			Session   struct{ Token, UserID string }
			UpdatedAt int64
			Version   string
		}
		var flat content // jwt and jwe
		var deep struct{ Session content }
		if json.Unmarshal(d.Decoded, &deep) == nil && deep.Session.Session.Token != "" {
			flat = deep.Session
		} else if err := json.Unmarshal(d.Decoded, &flat); err != nil {
			t.Fatal(err)
		}
		tok, user, at, version := flat.Session.Token, flat.Session.UserID, flat.UpdatedAt, flat.Version
		opts := taken(v, on(openSQLite(t)), time.UnixMilli(at).Add(time.Second))
		e := start(t, append(opts, config(func(c *core.Config) {
			c.Session.CookieCache = core.CookieCacheConfig{Enabled: true, Strategy: d.Strategy, Version: version}
		}))...)
		c := e.client()
		c.jar["better-auth.session_data"] = d.Value
		c.jar["better-auth.session_token"] = e.signedBy(tok, "better-auth.session_token")
		c.auth = e.auth
		var got string
		if s := e.db.count(func() { got = c.user() }); len(s) != 0 || got != user || user == "" {
			t.Errorf("%d (%s): user %q, want %q, %d statements", i, d.Strategy, got, user, len(s))
		}
		n++
	}
	if n < 3 {
		t.Errorf("only %d vectors", n)
	}
}

// signedBy is signed for a cookie of another name.
func (e *env) signedBy(value, name string) string {
	e.t.Helper()
	a := e.runProbe(signer(value), "/sign-anything")
	return a.cookies()[name]
}
