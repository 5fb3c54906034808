package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func (e *env) enqueue(n int) {
	e.t.Helper()
	for i := range n {
		if err := e.auth.Host().SendMail(e.t.Context(), nil, contract.Message{Template: "t", To: "u" + itoa(i) + "@example.com", Token: "secret-token"}); err != nil {
			e.t.Fatal(err)
		}
	}
}

func TestJobsRetryAndGiveUp(t *testing.T) {
	e := start(t)
	tries := 0
	e.mail.fail = func(contract.Message) error { tries++; return errors.New("mail server says no") }
	e.enqueue(1)
	for want := 1; want <= core.JobTries; want++ {
		e.deliver()
		if tries != want {
			t.Fatalf("%d attempts, want %d", tries, want)
		}
		if e.deliver(); tries != want {
			t.Fatal("it was tried again at once")
		}
		wait := core.Backoff(want)
		if want == 1 && (wait < 4*time.Second || wait > 5*time.Second) || wait > 150*time.Minute {
			t.Errorf("wait %v after attempt %d", wait, want)
		}
		e.clock.Add(3 * time.Hour)
	}
	if failed := e.rows("SELECT {job:lastError} FROM {job} WHERE {job:failedAt} IS NOT NULL"); !slices.Equal(failed, []string{"mail server says no"}) {
		t.Errorf("given up: %q", failed)
	}
	if e.deliver(); tries != core.JobTries {
		t.Error("a job that was given up runs again")
	}
	if !strings.Contains(e.logs.text(), `"given_up":true`) {
		t.Error("nothing in the log says that it was given up")
	}
	e.clock.Add(31 * 24 * time.Hour)
	if _, err := e.auth.Host().Clean(t.Context()); err != nil || e.sum("job") != 0 {
		t.Errorf("after the clean-up %d jobs, %v", e.sum("job"), err)
	}
}

// What an error quotes need not be text that a column can hold.
func TestJobsGiveUpWhateverTheErrorSays(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.mail.fail = func(contract.Message) error { return errors.New("\x00\xff" + strings.Repeat("é", 400)) }
		e.enqueue(1)
		e.deliver()
		if got := e.rows("SELECT {job:lastError} FROM {job} WHERE {job:leaseUntil} IS NULL"); !slices.Equal(got, []string{strings.Repeat("é", 249)}) {
			t.Errorf("kept: %q", got)
		}
	})
}

// A job that takes the process with it is not begun for ever.
func TestJobsThatKillAreGivenUp(t *testing.T) {
	e := start(t)
	e.enqueue(1)
	if _, err := e.auth.Host().DB().Exec(t.Context(), "UPDATE {job=} SET {job:attempts} = ?", core.JobTries); err != nil {
		t.Fatal(err)
	}
	e.deliver()
	if n := len(e.mail.all()); n != 0 {
		t.Errorf("%d messages", n)
	}
	if got := e.rows("SELECT {job:lastError} FROM {job} WHERE {job:failedAt} IS NOT NULL"); !slices.Equal(got, []string{"the process ended during every attempt"}) {
		t.Errorf("given up: %q", got)
	}
}

func TestJobsGrowApart(t *testing.T) {
	var last time.Duration
	for i := 1; i <= core.JobTries; i++ {
		d := core.Backoff(i)
		if d < last*4/5 || d > 150*time.Minute {
			t.Errorf("attempt %d waits %v after %v", i, d, last)
		}
		last = d
	}
}

// What a message carries cannot be read in the table, nor moved to another row.
func TestJobPayloadIsSealed(t *testing.T) {
	e := start(t)
	e.enqueue(2)
	rows := e.rows("SELECT {job:payload} FROM {job}")
	for _, r := range rows {
		if strings.Contains(r, "secret-token") || strings.Contains(r, "example.com") {
			t.Errorf("payload %s", r)
		}
	}
	if rows[0] == rows[1] {
		t.Error("two payloads are one")
	}
	e.exec("UPDATE {job} SET {job:payload} = ?", rows[0])
	if list := e.deliver(); len(list) != 1 {
		t.Errorf("%d messages of one payload in two rows", len(list))
	}
	if failed := e.rows("SELECT {job:lastError} FROM {job}"); len(failed) != 1 || !strings.Contains(failed[0], "cannot be opened") {
		t.Errorf("errors %q", failed)
	}
}

// A process that dies between sending and deleting leaves a lease; after it another
// worker sends again, with the same ExternalID.
func TestJobAfterACrash(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		e.enqueue(1)
		e.db.fail(refusing(broken("", ""), "DELETE FROM {job"))
		if _, err := core.RunJob(t.Context(), e.auth); err == nil {
			t.Fatal("the deletion went through")
		}
		e.db.fail(nil)
		if list := e.deliver(); len(list) != 0 {
			t.Error("it was sent again within the lease")
		}
		e.clock.Add(59 * time.Second)
		if list := e.deliver(); len(list) != 0 {
			t.Error("it was sent again within the lease")
		}
		e.clock.Add(time.Second)
		if list := e.deliver(); len(list) != 1 {
			t.Fatalf("%d messages after the lease", len(list))
		}
		all := e.mail.all()
		if len(all) != 2 || all[0].ExternalID != all[1].ExternalID || all[0].ExternalID == "" {
			t.Errorf("messages %+v", all)
		}
		if e.sum("job") != 0 {
			t.Error("the job is still there")
		}
	})
}

func TestJobThatPanics(t *testing.T) {
	e := start(t)
	e.mail.fail = func(contract.Message) error { panic("boom") }
	e.enqueue(1)
	if _, err := core.RunJob(t.Context(), e.auth); err != nil {
		t.Error(err)
	}
	if got := e.rows("SELECT {job:lastError} FROM {job}"); len(got) != 1 || !strings.Contains(got[0], "boom") {
		t.Errorf("errors %q", got)
	}
}

var unknown = core.NewJob[string]("probe.unknown")

// A job of a plugin that is not enabled any more waits, and says why.
func TestJobWithoutHandler(t *testing.T) {
	p := &probe{core.Spec{ID: "probe", Jobs: []core.JobHandler{unknown.Handle(func(context.Context, string) error { return nil })}}}
	e := start(t, with(p))
	if err := unknown.Enqueue(t.Context(), e.auth.Host(), nil, "x"); err != nil {
		t.Fatal(err)
	}
	e.cfg.Plugins = nil
	e.auth = e.compile()
	e.deliver()
	if got := e.rows("SELECT {job:lastError} FROM {job}"); len(got) != 1 || !strings.Contains(got[0], "probe.unknown") {
		t.Errorf("errors %q", got)
	}
	if err := unknown.Enqueue(t.Context(), e.auth.Host(), nil, "x"); err == nil {
		t.Error("a job that nobody will do is taken")
	}
}
