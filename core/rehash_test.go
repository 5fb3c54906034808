package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Sessions that Better Auth stored as they are get hashed in small steps, and everybody
// stays signed in. Where Better Auth still reads them it is refused.
func TestRehashSessions(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Session.TokenStorage = "compat" }))
		c := e.client().signUp("a@example.com")
		if _, _, err := e.auth.Host().RehashSessions(t.Context()); err == nil || !strings.Contains(err.Error(), "compat") {
			t.Fatalf("while Better Auth reads them: %v", err)
		}
		user := e.rows("SELECT {user:id} FROM {user}")[0]
		const many = 250 // more than two steps
		for i := range many {
			id := fmt.Sprintf("session-%03d", i)
			e.exec("INSERT INTO {session} ({session:id}, {session:expiresAt}, {session:token}, {session:createdAt}, {session:updatedAt}, {session:userId}) "+
				"VALUES (?, ?, ?, ?, ?, ?)", id, e.auth.Host().Now().AddDate(1, 0, 0), "token-"+id, e.auth.Host().Now(), e.auth.Host().Now(), user)
		}
		e.cfg.Session.TokenStorage = "hashed"
		e.auth = e.compile()
		d := e.client()
		d.must(200, "POST", "/sign-in/email", m{"email": "a@example.com", "password": password}) // is hashed already
		moved, left, err := e.auth.Host().RehashSessions(t.Context())
		if err != nil || moved != many+1 || left != 0 {
			t.Fatalf("moved %d, left %d, %v", moved, left, err)
		}
		for _, s := range storedTokens(e) {
			if !strings.HasPrefix(s, "sha256:") {
				t.Errorf("%s is as it was", s)
			}
		}
		c.auth = e.auth
		imported := e.client()
		imported.jar[tokenCookie] = e.signed("token-session-123")
		for name, x := range map[string]*client{"the first": c, "the later": d, "an imported one": imported} {
			if x.user() == "" {
				t.Errorf("%s is signed out", name)
			}
		}
		if moved, left, err = e.auth.Host().RehashSessions(t.Context()); err != nil || moved+left != 0 {
			t.Errorf("again: %d, %d, %v", moved, left, err)
		}
	})
}
