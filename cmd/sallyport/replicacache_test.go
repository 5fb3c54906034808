package main

import (
	"database/sql"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

const cacheConfig = `baseURL: http://localhost:3000
secret: n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa
listen: 127.0.0.1:%s
database: {url: "%s", maxOpen: 5}
password: {memoryKiB: 64, iterations: 1, parallelism: 1}
session: {cache: {enabled: true, maxAge: 900}}
rateLimit: {enabled: false}
log: {requests: false, level: error}
plugins: [email-password]
`

// TestReplicasWithCache is what docs/replicas.md says of sessions in memory, with processes
// that are really stopped, and a channel that is really cut.
func TestReplicasWithCache(t *testing.T) {
	database := adaptertest.PostgresURL(t)
	replicas := startReplicas(t, 3, cacheConfig, database)
	db, err := sql.Open("postgres", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	user := 0
	// in signs a new user in, and has every replica remember the session.
	in := func(t *testing.T) (*browser, string) {
		t.Helper()
		user++
		email := "u" + string(rune('a'+user)) + "@example.com"
		b := newBrowser()
		b.must(t, replicas[0], "/sign-up/email", credentials(email, good))
		for range 3 {
			for _, r := range replicas {
				if _, body := b.do(r, "GET", "/get-session", ""); !strings.Contains(body, email) {
					t.Fatalf("no session: %s", body)
				}
			}
		}
		return b, email
	}
	revoke := func(t *testing.T, by *replica, email string) {
		t.Helper()
		other := newBrowser()
		other.must(t, by, "/sign-in/email", credentials(email, good))
		other.must(t, by, "/revoke-sessions", "{}")
	}
	// refused waits until a replica refuses, and says how long that took.
	refused := func(t *testing.T, b *browser, r *replica) time.Duration {
		t.Helper()
		begin := time.Now()
		for {
			_, body := (&browser{http.Client{Jar: b.Jar, Timeout: 20 * time.Second}}).do(r, "GET", "/get-session?disableRefresh=true", "")
			if took := time.Since(begin); body == "null" {
				return took
			} else if took > 10*time.Second {
				t.Fatalf("still served: %s", body)
			}
		}
	}
	t.Run("a revocation is heard", func(t *testing.T) {
		for range 5 {
			b, email := in(t)
			revoke(t, replicas[1], email)
			if _, body := (&browser{http.Client{Jar: b.Jar}}).do(replicas[1], "GET", "/get-session", ""); body != "null" {
				t.Errorf("who did it still serves it: %s", body)
			}
			t.Logf("the others: %s, %s", refused(t, b, replicas[0]), refused(t, b, replicas[2]))
		}
	})
	t.Run("the channel is cut again and again", func(t *testing.T) {
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !stop.Load() {
				if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sallyport listener' AND datname = current_database()"); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(30 * time.Millisecond)
			}
		}()
		for range 3 {
			b, email := in(t)
			revoke(t, replicas[1], email)
			t.Logf("the others: %s, %s", refused(t, b, replicas[0]), refused(t, b, replicas[2]))
		}
		stop.Store(true)
		<-done
	})
	t.Run("a replica sleeps through a revocation", func(t *testing.T) {
		b, email := in(t)
		asleep := replicas[2]
		asleep.stop(t)
		revoke(t, replicas[1], email)
		answer := make(chan string, 1)
		go func() { // asks while it sleeps, behind the revocation
			_, body := (&browser{http.Client{Jar: b.Jar, Timeout: 60 * time.Second}}).do(asleep, "GET", "/get-session?disableRefresh=true", "")
			answer <- body
		}()
		time.Sleep(1500 * time.Millisecond) // longer than a proof is good for: that is what is promised
		if err := asleep.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if body := <-answer; body != "null" {
			t.Errorf("what it served when it woke: %s", body)
		}
	})
}
