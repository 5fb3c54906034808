package core_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Acts that write a user's row, accounts, sessions and devices lock them in one order: who
// meets another one waits for it, and is not told that the service is unavailable.
func TestActsOfOneUserDoNotWaitForEachOther(t *testing.T) {
	e := start(t, on(openPostgres(t)), config(func(c *core.Config) { c.Lockout.Max, c.Lockout.Network.Max = 10000, 10000 }))
	for round := range 15 {
		email := "u" + itoa(round) + "@example.com"
		owner := []*client{e.client().signUp(email)}
		for range 12 { // more than there are known devices of a user
			c := e.client()
			c.must(200, "POST", "/sign-in/email", m{"email": email, "password": password})
			owner = append(owner, c)
		}
		parallel(t, 12, func(i int) {
			c := owner[i]
			var a answer
			switch i {
			case 0:
				a = c.post("/delete-user", m{"password": password})
			case 1:
				a = c.post("/revoke-other-sessions", m{})
			case 2:
				a = c.post("/revoke-sessions", m{})
			case 3, 4:
				a = c.post("/change-password", m{"currentPassword": password, "newPassword": password, "revokeOtherSessions": true})
			default:
				a = c.post("/sign-in/email", m{"email": email, "password": password})
			}
			if a.Status >= 500 {
				t.Errorf("round %d, %d: %d %s", round, i, a.Status, a.Body)
			}
		})
	}
}

// A link that deletes and one that sets a password take each other's rows.
func TestADeletionDoesNotWaitForAReset(t *testing.T) {
	e := start(t, on(openPostgres(t)), config(func(c *core.Config) { c.User.DeleteUser.VerifyByMail = true }))
	for round := range 40 {
		email := "u" + itoa(round) + "@example.com"
		c := e.client().signUp(email)
		c.must(200, "POST", "/delete-user", m{})
		deletion := e.mailed("delete-account").Token
		e.client().must(200, "POST", "/request-password-reset", m{"email": email})
		reset := e.mailed("reset-password").Token
		parallel(t, 2, func(i int) {
			a := answer{}
			if i == 0 {
				a = c.get("/delete-user/callback?token=" + deletion)
			} else {
				a = e.client().post("/reset-password", m{"token": reset, "newPassword": password})
			}
			if a.Status >= 500 {
				t.Errorf("round %d, %d: %d %s", round, i, a.Status, a.Body)
			}
		})
	}
}
