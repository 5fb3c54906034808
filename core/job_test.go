package core_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

func (e *env) enqueue(n int) {
	e.t.Helper()
	for i := range n {
		if err := e.auth.Host().SendMail(e.t.Context(), nil, contract.Message{Template: "t", To: "u" + itoa(i) + "@example.com", Token: "secret-token"}); err != nil {
			e.t.Fatal(err)
		}
	}
}

// Several workers of several programs on one database send each message once.
func TestJobsRunOnce(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		auths := []*core.Auth{e.auth, e.compile(), e.compile()}
		e.enqueue(60)
		parallel(t, 12, func(i int) {
			for {
				worked, err := core.RunJob(context.Background(), auths[i%3])
				if err != nil {
					t.Error(err)
				}
				if !worked || err != nil {
					return
				}
			}
		})
		// A worker that found nothing because others held the rows has stopped: the rest is
		// done here.
		e.deliver()
		to := map[string]int{}
		for _, m := range e.mail.all() {
			to[m.To]++
			if m.ExternalID == "" || m.Token != "secret-token" {
				t.Errorf("a message without its content: %+v", m)
			}
		}
		for k, n := range to {
			if n != 1 {
				t.Errorf("%s was sent %d times", k, n)
			}
		}
		if len(to) != 60 || e.sum("job") != 0 {
			t.Errorf("%d messages, %d jobs left", len(to), e.sum("job"))
		}
	})
}

// The price of a claim must not grow with what waits: neither database sorts all of it.
func TestClaimUsesTheIndex(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		err := e.auth.Host().Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
			for range 2000 {
				if err := e.auth.Host().SendMail(ctx, tx, contract.Message{Template: "t", To: "a@example.com"}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		e.exec("ANALYZE")
		explain := "EXPLAIN "
		if strings.HasSuffix(t.Name(), "sqlite") {
			explain = "EXPLAIN QUERY PLAN "
		}
		now := e.clock.Now()
		rows, err := e.auth.Host().DB().Query(t.Context(), explain+core.ClaimSQL, now, now, now)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		plan := ""
		for rows.Next() {
			var line string
			dest := []any{&line}
			if strings.HasSuffix(t.Name(), "sqlite") {
				var id, parent, unused int64
				dest = []any{&id, &parent, &unused, &line}
			}
			if err := rows.Scan(storage.Dests(dest)...); err != nil {
				t.Fatal(err)
			}
			plan += line + "\n"
		}
		if low := strings.ToLower(plan); rows.Err() != nil || !strings.Contains(low, "index") || strings.Contains(low, "sort") || strings.Contains(low, "temp b-tree") {
			t.Errorf("%v, the plan:\n%s", rows.Err(), plan)
		}
	})
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

// Jobs of a transaction are those of its commit.
func TestJobFollowsItsTransaction(t *testing.T) {
	e := start(t)
	h := e.auth.Host()
	errNo := errors.New("no")
	for _, err := range []error{errNo, nil} {
		got := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
			if err := h.SendMail(ctx, tx, contract.Message{Template: "t", To: "a@example.com"}); err != nil {
				return err
			}
			return err
		})
		if !errors.Is(got, err) {
			t.Fatal(got)
		}
		want := 0
		if err == nil {
			want = 1
		}
		if n := len(e.deliver()); n != want {
			t.Errorf("%d messages of a transaction that ended with %v", n, err)
		}
	}
}

// Closing waits for what runs, and begins nothing anew.
func TestCloseWaitsForJobs(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.NoBackground = false; c.Clock = time.Now }))
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var done atomic.Bool
	e.mail.fail = func(contract.Message) error {
		once.Do(func() { close(begun); <-release; done.Store(true) })
		return nil
	}
	e.enqueue(1)
	<-begun
	second := e.compile() // its own Close must not be held up
	if err := second.Close(t.Context()); err != nil {
		t.Error(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- e.auth.Close(context.Background()) }()
	select {
	case <-closed:
		t.Fatal("Close did not wait")
	default:
	}
	close(release)
	if err := <-closed; err != nil || !done.Load() {
		t.Errorf("Close: %v, the job ended: %v", err, done.Load())
	}
}

func TestCloseEndsWithItsContext(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.NoBackground = false; c.Clock = time.Now }))
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	e.mail.fail = func(contract.Message) error { once.Do(func() { close(begun) }); <-release; return nil }
	e.enqueue(1)
	<-begun
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.auth.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	close(release)
}

type mailFunc func(contract.Message) error

func (f mailFunc) Send(_ context.Context, m contract.Message) error { return f(m) }

// Two mails to one address arrive in the order in which they were sent; one that takes its
// time holds up no other.
func TestJobsInOrder(t *testing.T) {
	const quick = 40
	got, slow := make(chan string, quick), make(chan struct{})
	e := start(t, config(func(c *core.Config) {
		c.Mailer = mailFunc(func(m contract.Message) error {
			if m.Template == "slow" {
				<-slow
			}
			runtime.Gosched()
			got <- m.Template
			return nil
		})
	}))
	send := func(kind string) {
		e.clock.Add(time.Millisecond)
		if err := e.auth.Host().SendMail(t.Context(), nil, contract.Message{Template: kind, To: "a@example.com"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range quick {
		send(itoa(i))
	}
	stop := core.StartWorkers(e.auth, time.Minute)
	for i := range quick {
		if s := <-got; s != itoa(i) {
			t.Errorf("message %d is %s", i, s)
		}
	}
	stop()
	send("slow")
	send("last")
	stop = core.StartWorkers(e.auth, time.Millisecond)
	if s := <-got; s != "last" {
		t.Errorf("the slow one holds up: %s", s)
	}
	close(slow)
	stop()
}
