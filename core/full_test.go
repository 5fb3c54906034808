package core_test

import (
	"errors"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// A column of the app's own that another program made NOT NULL: a client that leaves it
// empty is at fault, and the database is not.
func TestFieldThatTheDatabaseWants(t *testing.T) {
	e := start(t, on(openPostgres(t)), config(func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "company", Type: "string", Required: true}}
	}))
	e.ddl(`ALTER TABLE "user" ALTER COLUMN "company" SET NOT NULL`)
	e.auth = e.compile()
	body := m{"email": "a@example.com", "password": password, "name": "A", "company": nil}
	e.client().must(400, "POST", "/sign-up/email", body)
	delete(body, "company")
	e.client().must(400, "POST", "/sign-up/email", body)
	body["company"] = "ACME"
	c := e.client()
	c.must(200, "POST", "/sign-up/email", body)
	c.must(400, "POST", "/update-user", m{"company": nil})
	u, err := e.auth.Host().NewUser("B", "b@example.com", nil) // as a plugin makes one
	if err != nil {
		t.Fatal(err)
	}
	if err := e.auth.Host().CreateUser(t.Context(), nil, nil, u, "test", ""); !errors.Is(err, core.ErrMissingField) {
		t.Errorf("without it: %v", err)
	}
}
