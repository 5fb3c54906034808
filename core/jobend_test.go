package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

var errRefused = errors.New("connection refused")

// What carries a code for minutes is not sent when those are over, and what it carried is gone.
func TestMailExpires(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		h := e.auth.Host()
		e.mail.fail = func(contract.Message) error { return errRefused }
		const life = 3 * time.Minute
		if err := h.SendMail(t.Context(), nil, contract.Message{Template: "otp", To: "a@example.com", OTP: "123456", ExpiresAt: h.Now().Add(life)}); err != nil {
			t.Fatal(err)
		}
		begun, tries := h.Now(), 0
		for h.Now().Before(begun.Add(life - time.Second)) {
			e.deliver()
			e.clock.Add(time.Second)
		}
		list, err := h.Jobs(t.Context(), core.JobQuery{})
		if err != nil || len(list) != 1 || !list[0].FailedAt.IsZero() || list[0].Attempts < 5 || list[0].RunAt.After(begun.Add(life)) {
			t.Fatalf("a second before: %+v, %v", list, err)
		}
		tries = list[0].Attempts
		e.mail.fail = nil // the server is back, too late
		e.clock.Add(time.Second)
		if sent := e.deliver(); len(sent) != 0 {
			t.Errorf("sent when it was over: %v", templates(sent))
		}
		list, _ = h.Jobs(t.Context(), core.JobQuery{Expired: true})
		if len(list) != 1 || list[0].FailedAt.IsZero() || !list[0].Expired || list[0].Attempts != tries || list[0].LastError != "expired; before: connection refused" {
			t.Errorf("afterwards: %+v", list)
		}
		if p := e.rows("SELECT {job:payload} FROM {job}"); !slices.Equal(p, []string{""}) {
			t.Errorf("the payload is still there: %q", p)
		}
		if text := e.logs.text(); !strings.Contains(text, "job expired") || strings.Contains(text, "123456") {
			t.Errorf("log: %s", text)
		}
		if n, err := h.RetryJobs(t.Context(), core.JobQuery{}); n != 0 || err != nil {
			t.Errorf("%d to be tried again, %v", n, err)
		}
		if sent := e.deliver(); len(sent) != 0 {
			t.Error("sent after a retry")
		}
	})
}

// A mail that says nothing of its end waits for three days, not for ever.
func TestMailExpiresByItself(t *testing.T) {
	e := start(t)
	e.enqueue(1)
	e.clock.Add(72*time.Hour - time.Millisecond)
	e.enqueue(1) // of a later time
	if sent := e.deliver(); len(sent) != 2 {
		t.Errorf("%d sent", len(sent))
	}
	e.enqueue(1)
	e.clock.Add(72 * time.Hour)
	if sent := e.deliver(); len(sent) != 0 {
		t.Errorf("%d sent", len(sent))
	}
}

// Every message that holds a link or code ends when that does.
func TestMailsEndWithTheirLinks(t *testing.T) {
	e := start(t, config(func(c *core.Config) {
		c.Email.SendOnSignUp, c.Email.ExpiresIn = ptr(true), 600
		c.User.DeleteUser = core.DeleteUserConfig{Enabled: true, VerifyByMail: true, TokenExpiresIn: 700}
	}))
	c := e.client()
	c.signUp("a@example.com")
	want := func(template string, life time.Duration) {
		t.Helper()
		if m := e.mailed(template); !m.ExpiresAt.Equal(e.clock.Now().Truncate(time.Second).Add(life)) {
			t.Errorf("%s ends at %v, now is %v", template, m.ExpiresAt, e.clock.Now())
		}
	}
	want("verify-email", 600*time.Second)
	c.post("/request-password-reset", `{"email":"a@example.com"}`)
	want("reset-password", time.Hour)
	c.post("/delete-user", `{}`)
	want("delete-account", 700*time.Second)
}

// A job that no try can mend is not tried again, and can be once its cause is.
func TestPermanentFailures(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		h := e.auth.Host()
		e.mail.fail = func(contract.Message) error {
			return fmt.Errorf("wrapped: %w", contract.Permanent(errors.New("nobody of that name")))
		}
		e.enqueue(1)
		e.deliver()
		list, _ := h.Jobs(t.Context(), core.JobQuery{Failed: true})
		if len(list) != 1 || list[0].Attempts != 1 || list[0].LastError != "wrapped: nobody of that name" {
			t.Fatalf("%+v", list)
		}
		e.mail.fail = nil
		e.clock.Add(24 * time.Hour)
		if e.deliver(); len(e.mail.all()) != 0 {
			t.Error("tried again by itself")
		}
		if n, err := h.RetryJobs(t.Context(), core.JobQuery{Failed: true}); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if sent := e.deliver(); len(sent) != 1 || sent[0].Token != "secret-token" {
			t.Errorf("after the retry: %v", sent)
		}
	})
}

// What was given up keeps what it carries for as long as it may be retried, and no longer.
func TestCleanErasesWhatWasGivenUp(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		lasting := core.NewJob[string]("probe.lasting")
		e := start(t, db, with(&probe{core.Spec{ID: "probe", Jobs: []core.JobHandler{lasting.Handle(func(context.Context, string) error {
			return contract.Permanent(errRefused)
		})}}}))
		h := e.auth.Host()
		e.mail.fail = func(contract.Message) error { return contract.Permanent(errRefused) }
		e.enqueue(1)
		if err := lasting.Enqueue(t.Context(), h, nil, "x"); err != nil {
			t.Fatal(err)
		}
		e.deliver()
		carried := func() int {
			if _, err := h.Clean(t.Context()); err != nil {
				t.Fatal(err)
			}
			return len(e.rows("SELECT {job:payload} FROM {job} WHERE {job:payload} <> ''"))
		}
		e.clock.Add(72*time.Hour - time.Millisecond)
		if n := carried(); n != 2 {
			t.Errorf("before the end %d", n)
		}
		e.clock.Add(time.Millisecond)
		if n := carried(); n != 1 || e.sum("job") != 2 {
			t.Errorf("after the end %d of %d", n, e.sum("job"))
		}
		e.clock.Add(27*24*time.Hour + time.Second)
		if carried(); e.sum("job") != 0 {
			t.Errorf("%d jobs after 30 days", e.sum("job"))
		}
	})
}

// An unknown address costs a job that nobody gets; it is no failure, however late it is done.
func TestDecoysDoNotExpire(t *testing.T) {
	e := start(t)
	if err := e.auth.Host().DecoyMail(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	e.clock.Add(100 * time.Hour)
	if e.deliver(); e.sum("job") != 0 {
		t.Error("a decoy is left")
	}
}

func TestBacklog(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.mail.fail = func(m contract.Message) error {
			if m.Template == "gone" {
				return contract.Permanent(errRefused)
			}
			return errRefused
		}
		since := e.clock.Now()
		e.enqueue(2)
		e.deliver() // puts them off
		e.clock.Add(time.Second)
		if err := e.auth.Host().SendMail(t.Context(), nil, contract.Message{Template: "gone", To: "a@example.com"}); err != nil {
			t.Fatal(err)
		}
		e.deliver()
		due := e.clock.Now()
		e.enqueue(1)
		b, err := e.auth.Backlog(t.Context())
		want := core.JobBacklog{Waiting: 3, Due: 1, Failed: 1, Since: since, Oldest: due}
		if err != nil || b.JobBacklog != want || b.Jobs["mail"] != want || b.Jobs["session-copies.void"] != (core.JobBacklog{}) || b.Jobs["notice"] != (core.JobBacklog{}) || len(b.Jobs) != 3 {
			t.Errorf("%+v, %v, want %+v", b, err, want)
		}
	})
}

// A worker that was stopped until another has its job does not let a third begin beside that one.
func TestLostLease(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		var e *env
		begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error)
		tries := 0
		p := &probe{core.Spec{ID: "probe", Jobs: []core.JobHandler{unknown.Handle(func(context.Context, string) error {
			if tries++; tries > 1 {
				close(begun)
				<-end
				return nil
			}
			e.clock.Add(2 * time.Minute) // the lease is over
			go func() {
				_, err := core.RunJob(context.Background(), e.auth)
				done <- err
			}()
			<-begun
			return errRefused
		})}}}
		e = start(t, db, with(p))
		if err := unknown.Enqueue(t.Context(), e.auth.Host(), nil, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := core.RunJob(t.Context(), e.auth); err != nil {
			t.Error(err)
		}
		list, err := e.auth.Host().Jobs(t.Context(), core.JobQuery{})
		if err != nil || len(list) != 1 || !list[0].Running || list[0].LastError != "" {
			t.Errorf("while the other has it: %+v, %v", list, err)
		}
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if tries != 2 || e.sum("job") != 0 {
			t.Errorf("%d tries, %d jobs left", tries, e.sum("job"))
		}
	})
}
