// Command nethttp is an app that embeds the core: its own pages and its own table, with
// the sign-up under one roof. A new user gets a tenant in the same transaction: there is
// never a user without one.
package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/server/nethttp"
)

// Profile is what the app adds to a user: columns of the user table.
type Profile struct {
	Company string `db:"company"`
	Tier    string `db:"tier" schema:"default=free" input:"-"` // no client sets it
}

// config adds the app's part to a configuration that says where and with which secret.
func config(c core.Config) core.Config {
	c.Plugins = []core.Plugin{emailpassword.New(emailpassword.Options{})}
	c.User.Fields = core.FieldsOf[Profile]()
	c.Hooks = []core.Hook{core.UserCreate.After(makeTenant)}
	c.Errors = []*core.Error{errNoCompany}
	return c
}

// errNoCompany refuses a sign-up; the user that was about to be is not kept.
var errNoCompany = core.NewError("COMPANY_NAME_TOO_SHORT", 400, "The company's name is too short")

// makeTenant runs after the user's row was written, in the same transaction.
func makeTenant(ctx context.Context, e *core.UserCreateEvent) error {
	company := core.ExtraOf[Profile](e.User.Extra).Company
	if len(company) < 2 {
		return errNoCompany
	}
	_, err := e.Tx.Exec(ctx, "INSERT INTO tenant (owner, name) VALUES (?, ?)", e.User.ID, company)
	return err
}

// migrate makes core's tables and the app's own.
func migrate(ctx context.Context, c core.Config) error {
	d, err := core.Describe(c)
	if err != nil {
		return err
	}
	want, names, steps := d.Schema()
	if _, err := migrations.Apply(ctx, c.Database, want, names, steps); err != nil {
		return err
	}
	return makeTables(ctx, c.Database)
}

func makeTables(ctx context.Context, db storage.Database) error {
	return db.DDL(ctx, "CREATE TABLE IF NOT EXISTS tenant (owner text PRIMARY KEY, name text NOT NULL)")
}

// handler is the whole app: the endpoints below /api/auth, and its own pages.
func handler(auth *core.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /dashboard", nethttp.Require(auth)(http.HandlerFunc(dashboard)))
	return nethttp.Handler(auth, mux)
}

func dashboard(w http.ResponseWriter, r *http.Request) {
	s, _ := core.SessionFrom(r.Context()) // Require has seen to it
	p := core.ExtraOf[Profile](s.User.Extra)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "%s of %s (%s)\n", s.User.Name, p.Company, p.Tier)
}
