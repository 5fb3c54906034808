package core_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// Alert is what the other system is told.
type Alert struct{ Type, UserID, IP string }

var alert = core.NewJob[Alert]("acme.alert")

// alerts is the app's plugin. It hands events on, and loses none.
type alerts struct{ host *core.Host }

func (a *alerts) Spec() core.Spec {
	hook := core.EventRecorded.After(func(ctx context.Context, e *core.Event) error {
		if e.Type != core.EventPasswordChanged {
			return nil
		}
		return alert.Enqueue(ctx, a.host, e.Tx, Alert{e.Type, e.UserID, e.IP})
	})
	return core.Spec{
		ID:    "alerts",
		Hooks: []core.Hook{hook},
		Jobs: []core.JobHandler{alert.Handle(func(_ context.Context, a Alert) error {
			fmt.Println("tell the other system:", a.Type)
			return nil
		})},
		Init: func(_ context.Context, h *core.Host) error { a.host = h; return nil },
	}
}

// A sink that loses no event writes a job in the event's transaction: what is undone is
// not told, and what is told has happened.
func ExampleEventRecorded() {
	auth, done := exampleAuth(core.Config{NoBackground: true, Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{}), &alerts{}}})
	defer done()
	ctx := context.Background()
	up, err := emailpassword.SignUpEmail.Call(ctx, auth, emailpassword.SignUpInput{Name: "Ada", Email: "ada@example.com", Password: "a long password"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := emailpassword.ChangePassword.Call(ctx, auth, emailpassword.ChangePasswordInput{
		CurrentPassword: "a long password", NewPassword: "another password"}, core.AsToken(*up.Token)); err != nil {
		log.Fatal(err)
	}
	if _, err := auth.RunJobs(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: tell the other system: password.changed
}
