package core_test

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

const many = 20

// outcomes counts answers by status and code.
type outcomes struct {
	mu sync.Mutex
	n  map[string]int
}

func (o *outcomes) add(a answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == nil {
		o.n = map[string]int{}
	}
	k := itoa(a.Status)
	if a.code() != "" {
		k += " " + a.code()
	}
	o.n[k]++
}

func itoa(n int) string {
	if n == 0 {
		return "0"
	}
	s := ""
	for ; n > 0; n /= 10 {
		s = string(rune('0'+n%10)) + s
	}
	return s
}

func (o *outcomes) want(t *testing.T, want map[string]int) {
	t.Helper()
	if !maps.Equal(o.n, want) {
		t.Errorf("answers %v, want %v", o.n, want)
	}
}

func TestParallelSignUps(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		var got outcomes
		parallel(t, many, func(int) {
			got.add(e.client().post("/sign-up/email", m{"name": "A", "email": "Same@example.com", "password": password}))
		})
		got.want(t, map[string]int{"200": 1, "422 USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL": many - 1})
		if u, a, s := e.sum("user"), e.sum("account"), e.sum("session"); u != 1 || a != 1 || s != 1 {
			t.Errorf("%d users, %d accounts, %d sessions, want one each", u, a, s)
		}
	})
}

func TestParallelSignUpsThatHide(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, passwords(func(o *emailpassword.Options) { o.RequireEmailVerification = true }))
		var got outcomes
		parallel(t, many, func(int) {
			got.add(e.client().post("/sign-up/email", m{"name": "A", "email": "same@example.com", "password": password}))
		})
		got.want(t, map[string]int{"200": many})
		if u, s := e.sum("user"), e.sum("session"); u != 1 || s != 0 {
			t.Errorf("%d users and %d sessions, want 1 and 0", u, s)
		}
		if list := e.deliver(); len(list) != 1 {
			t.Errorf("mails %v, want one", templates(list))
		}
	})
}

func TestParallelResets(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.client().signUp("a@example.com")
		e.client().must(200, "POST", "/request-password-reset", m{"email": "a@example.com"})
		token := e.mailed("reset-password").Token
		var got outcomes
		parallel(t, many, func(i int) {
			got.add(e.client().post("/reset-password", m{"newPassword": "new password " + itoa(i), "token": token}))
		})
		got.want(t, map[string]int{"200": 1, "400 INVALID_TOKEN": many - 1})
	})
}

func TestParallelVerifications(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		var mu sync.Mutex
		proved := map[string]int{}
		seen := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			proved[what]++
		}
		e := start(t, db, passwords(func(o *emailpassword.Options) { o.RequireEmailVerification = true }),
			config(func(c *core.Config) { c.Email.AutoSignIn = true }),
			hooks(countHooks(seen)...))
		e.client().post("/sign-up/email", m{"name": "A", "email": "a@example.com", "password": password})
		token := e.mailed("verify-email").Token
		var got outcomes
		withCookie := 0
		parallel(t, many, func(int) {
			a := e.client().get("/verify-email?token=" + token)
			got.add(a)
			if a.cookies()[tokenCookie] != "" {
				mu.Lock()
				withCookie++
				mu.Unlock()
			}
		})
		got.want(t, map[string]int{"200": many})
		if n := e.sum("session"); n != 1 || withCookie != 1 {
			t.Errorf("%d sessions, %d answers with a cookie, want one", n, withCookie)
		}
		want := map[string]int{"verified before": 1, "verified after": 1, "verified committed": 1, "updated after": 1, "updated committed": 1}
		if !maps.Equal(proved, want) {
			t.Errorf("hooks ran %v, want %v", proved, want)
		}
	})
}

func TestParallelDeletions(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail = true }))
		c := e.client().signUp("a@example.com")
		c.must(200, "POST", "/delete-user", m{})
		token := e.mailed("delete-account").Token
		var got outcomes
		parallel(t, many, func(int) {
			got.add(c.clone().get("/delete-user/callback?token=" + token))
		})
		if got.n["200"] != 1 {
			t.Errorf("answers %v, want one 200", got.n)
		}
		for k := range got.n {
			// Those that came after the deletion have no session any more.
			if k != "200" && k != "404 INVALID_TOKEN" && k != "404 FAILED_TO_GET_USER_INFO" {
				t.Errorf("an answer %s", k)
			}
		}
		if e.sum("user")+e.sum("account")+e.sum("session") != 0 {
			t.Error("something of the user is left")
		}
	})
}

func TestParallelUnlinks(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		c := e.client().signUp("a@example.com")
		user := c.user()
		e.exec("INSERT INTO {account} ({account:id}, {account:accountId}, {account:providerId}, {account:userId}, {account:createdAt}, {account:updatedAt}) "+
			"VALUES ('second', '1', 'github', ?, ?, ?)", user, e.clock.Now(), e.clock.Now())
		ids := e.rows("SELECT {account:id} FROM {account}")
		var got outcomes
		parallel(t, many, func(i int) {
			got.add(c.clone().post("/unlink-account", m{"accountId": ids[i%2]}))
		})
		got.want(t, map[string]int{"200": 1, "400 FAILED_TO_UNLINK_LAST_ACCOUNT": many - 1})
		if n := e.sum("account"); n != 1 {
			t.Errorf("%d accounts are left", n)
		}
	})
}

func TestParallelChangesToOneAddress(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.User.ChangeEmail.UpdateWithoutVerification = true }))
		clients := make([]*client, many)
		for i := range clients {
			clients[i] = e.client().signUp("u" + itoa(i) + "@example.com")
		}
		var got outcomes
		parallel(t, many, func(i int) {
			got.add(clients[i].post("/change-email", m{"newEmail": "wanted@example.com"}))
		})
		// Nobody learns that somebody else was faster.
		got.want(t, map[string]int{"200": many})
		if n := len(e.rows("SELECT {user:id} FROM {user} WHERE {user:email} = ?", "wanted@example.com")); n != 1 {
			t.Errorf("%d users have the address", n)
		}
	})
}

func TestParallelChangesByOneLink(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		c := e.client().signUp("a@example.com")
		c.must(200, "POST", "/change-email", m{"newEmail": "b@example.com"})
		token := e.mailed("verify-email").Token
		var got outcomes
		parallel(t, many, func(int) { got.add(e.client().get("/verify-email?token=" + token)) })
		got.want(t, map[string]int{"200": 1, "401 INVALID_TOKEN": many - 1})
	})
}

func TestParallelChangesOfThePassword(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Lockout.Max = 100 }))
		c := e.client().signUp("a@example.com")
		var got outcomes
		parallel(t, 4, func(i int) {
			got.add(c.clone().post("/change-password", m{"currentPassword": password, "newPassword": "another password " + itoa(i)}))
		})
		for k := range got.n {
			if k != "200" && k != "400 INVALID_PASSWORD" && !strings.HasPrefix(k, "409") {
				t.Errorf("answers %v", got.n)
			}
		}
		// The one password that is stored is one of those that were answered with 200.
		right := 0
		for i := range 4 {
			if e.client().signIn("a@example.com", "another password "+itoa(i)).Status == 200 {
				right++
			}
		}
		if right != 1 || e.client().signIn("a@example.com", password).Status != 401 {
			t.Errorf("%d new passwords are right", right)
		}
		if got.n["200"] != 1 {
			t.Errorf("answers %v: the old password was good for more than one change", got.n)
		}
	})
}
