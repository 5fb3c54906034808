package core_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

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
