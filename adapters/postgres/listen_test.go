package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// ear is a listener that remembers what it was told.
type ear struct {
	mu      sync.Mutex
	heard   []string
	resets  []error
	current []time.Time
	check   func(e *ear, at time.Time) // with the lock
}

func (e *ear) Reset(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.resets = append(e.resets, err)
}

func (e *ear) Heard(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, text)
}

func (e *ear) Current(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = append(e.current, at)
	if e.check != nil {
		e.check(e, at)
	}
}

// wait waits until what the ear has heard is enough.
func (e *ear) wait(t *testing.T, what string, enough func(*ear) bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		e.mu.Lock()
		ok := enough(e)
		e.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("not within 30 s: %s; %d heard, resets %v, %d proofs", what, len(e.heard), e.resets, len(e.current))
		}
	}
}

func (e *ear) proofs() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.current)
}

// again waits for a proof that comes behind this call.
func (e *ear) again(t *testing.T) {
	t.Helper()
	since := time.Now()
	e.wait(t, "a proof", func(e *ear) bool { return len(e.current) > 0 && e.current[len(e.current)-1].After(since) })
}

func listen(t *testing.T, db storage.Database, e *ear) (stop func()) {
	t.Helper()
	stop, err := db.(storage.Announcer).Listen("tests", e)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(stop)
	t.Cleanup(stop)
	return stop
}

func announce(ctx context.Context, c storage.Conn, db storage.Database, text string) error {
	s := db.(storage.Announcer).Announcement("tests", text)
	_, err := c.Exec(ctx, s.SQL, s.Args...)
	return err
}

// What was committed is heard, what was undone is not, and no other channel is.
func TestListen(t *testing.T) {
	db := open(t, adaptertest.PostgresURL(t), postgres.Options{})
	var e ear
	stop := listen(t, db, &e)
	e.again(t)
	for i, keep := range []bool{true, false, true} {
		tx, err := db.Begin(t.Context(), storage.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := announce(t.Context(), tx, db, fmt.Sprint("text ", i)); err != nil {
			t.Fatal(err)
		}
		e.again(t)
		e.mu.Lock()
		if slices.Contains(e.heard, fmt.Sprint("text ", i)) {
			t.Error("heard before the commit")
		}
		e.mu.Unlock()
		if keep {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(t.Context(), "SELECT pg_notify('others', 'x')"); err != nil {
		t.Fatal(err)
	}
	if err := announce(t.Context(), db, db, strings.Repeat("x", storage.MaxAnnouncement)); err != nil {
		t.Fatal(err)
	}
	e.again(t)
	stop()
	n := e.proofs()
	if len(e.heard) != 3 || e.heard[0] != "text 0" || e.heard[1] != "text 2" || len(e.resets) != 1 || e.resets[0] != nil {
		t.Errorf("heard %.20q, resets %v", e.heard, e.resets)
	}
	_ = announce(t.Context(), db, db, "late")
	if e.proofs() != n || len(e.heard) != 3 {
		t.Error("it was told something behind its end")
	}
}

// A proof is worth what it says: at that time, whatever had been committed has been heard. It
// holds for a burst of many, too, which fills what lies between.
func TestProofsHold(t *testing.T) {
	db := open(t, adaptertest.PostgresURL(t), postgres.Options{})
	var mu sync.Mutex
	committed := map[string]time.Time{} // when the commit had returned
	e := ear{check: func(e *ear, at time.Time) {
		mu.Lock()
		defer mu.Unlock()
		for text, when := range committed {
			if when.Before(at) && !slices.Contains(e.heard, text) {
				t.Errorf("%s was committed %s before the proof, and not heard", text, at.Sub(when))
			}
		}
	}}
	listen(t, db, &e)
	e.again(t)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 200 {
				text := fmt.Sprint("w", w, " ", i)
				if err := announce(t.Context(), db, db, text); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				committed[text] = time.Now()
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	e.again(t)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heard) != 800 {
		t.Errorf("%d heard of 800", len(e.heard))
	}
}

// The server ends the connection, again and again: each time it is told, and heard again.
func TestListenerIsKilled(t *testing.T) {
	db := open(t, adaptertest.PostgresURL(t), postgres.Options{})
	var e ear
	listen(t, db, &e)
	for i := range 5 {
		e.again(t)
		if _, err := db.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sallyport listener' AND datname = current_database()"); err != nil {
			t.Fatal(err)
		}
		e.wait(t, "the loss, and the new connection", func(e *ear) bool {
			n := len(e.resets)
			return n >= 2*i+3 && e.resets[n-1] == nil && e.resets[n-2] != nil
		})
		text := fmt.Sprint("text ", i)
		if err := announce(t.Context(), db, db, text); err != nil {
			t.Fatal(err)
		}
		e.wait(t, text, func(e *ear) bool { return slices.Contains(e.heard, text) })
	}
}

// quiet is a network that may go silent: it swallows everything and closes nothing.
type quiet struct {
	addr   string
	mu     sync.Mutex
	silent bool
}

func startQuiet(t *testing.T, to string) *quiet {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &quiet{addr: ln.Addr().String()}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			t.Cleanup(func() { in.Close(); out.Close() })
			go p.pass(in, out)
			go p.pass(out, in)
		}
	}()
	return p
}

func (p *quiet) pass(to io.WriteCloser, from io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if err == nil && !silent {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			if !silent {
				to.Close()
			}
			return
		}
	}
}

func (p *quiet) be(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// The network swallows everything, without a word: there are no proofs, the connection is
// given up, and made again when that is possible. Nobody who stops meanwhile has to wait.
func TestSilentNetwork(t *testing.T) {
	u, err := url.Parse(adaptertest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	direct := u.String()
	p := startQuiet(t, u.Host)
	u.Host = p.addr
	db := open(t, direct, postgres.Options{ListenURL: u.String()})
	var e ear
	listen(t, db, &e)
	e.again(t)
	p.be(true)
	e.wait(t, "it is given up", func(e *ear) bool { return e.resets[len(e.resets)-1] != nil })
	n := e.proofs()
	if err := announce(t.Context(), db, db, "meanwhile"); err != nil {
		t.Fatal(err)
	}
	p.be(false)
	e.wait(t, "a new connection", func(e *ear) bool { return len(e.current) > n && e.resets[len(e.resets)-1] == nil })
	if slices.Contains(e.heard, "meanwhile") {
		t.Error("what was announced in the silence has been heard: the test shows nothing")
	}
	p.be(true)
	var other ear
	listen(t, db, &other)() // it may be connecting
}

// A handle of the app's has no connection to listen on, unless it says where to make one.
func TestListenFromHandle(t *testing.T) {
	dsn := adaptertest.PostgresURL(t)
	app, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	for _, u := range []string{"", "postgres://%zz", dsn} {
		db, err := postgres.From(t.Context(), app, postgres.Options{ListenURL: u})
		if err != nil {
			t.Fatal(err)
		}
		var e ear
		stop, err := db.(storage.Announcer).Listen("tests", &e)
		if (err == nil) != (u == dsn) {
			t.Errorf("%q: %v", u, err)
		}
		if err == nil {
			if err := announce(t.Context(), db, db, "by pgx"); err != nil {
				t.Error(err)
			}
			e.again(t)
			if err := announce(t.Context(), db, db, "by pgx, heard"); err != nil {
				t.Error(err)
			}
			e.wait(t, "it is heard", func(e *ear) bool { return slices.Contains(e.heard, "by pgx, heard") })
			stop()
		} else if strings.Contains(err.Error(), "zz") {
			t.Errorf("the connection string is in the error: %v", err)
		}
	}
}

// Where nobody answers it says why, and goes on trying.
func TestListenNowhere(t *testing.T) {
	db := open(t, adaptertest.PostgresURL(t), postgres.Options{ListenURL: "postgres://postgres@127.0.0.1:1/x?sslmode=disable"})
	var e ear
	stop := listen(t, db, &e)
	e.wait(t, "two refusals", func(e *ear) bool { return len(e.resets) >= 2 })
	stop()
	for _, err := range e.resets {
		if err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
}
