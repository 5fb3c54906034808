package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

const rollingConfig = `baseURL: http://localhost:3000
secret: n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa
listen: 127.0.0.1:%s
shutdownDelay: 3s
database: {url: "%s", maxOpen: 5}
password: {memoryKiB: 64, iterations: 1, parallelism: 1, queue: 1000}
session: {cache: {enabled: true}}
lockout: {network: {disabled: true}} # all come from here
rateLimit: {enabled: false}
log: {requests: false, level: error}
plugins: [email-password]
`

// seat is a place behind a load balancer, and the process that has it now.
type seat struct {
	port  string
	now   atomic.Pointer[replica]
	ready atomic.Bool
}

// probe asks for readiness, as load balancers do, until done is closed.
func (s *seat) probe(done <-chan struct{}) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	for {
		res, err := client.Get("http://127.0.0.1:" + s.port + "/readyz")
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		s.ready.Store(err == nil && res.StatusCode == 200)
		select {
		case <-done:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestRollingRestart replaces both of two replicas under load, behind a load balancer that
// goes by readiness alone and repeats nothing: every request is answered as if nothing was
// going on, and what was acknowledged is there.
func TestRollingRestart(t *testing.T) {
	database, dir := adaptertest.PostgresURL(t), t.TempDir()
	program := buildProgram(t, dir)
	done := make(chan struct{})
	var background sync.WaitGroup
	t.Cleanup(background.Wait)
	stop := sync.OnceFunc(func() { close(done) })
	t.Cleanup(stop)
	seats := []*seat{{port: adaptertest.FreePort(t)}, {port: adaptertest.FreePort(t)}}
	for i, s := range seats {
		file := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
		if err := os.WriteFile(file, fmt.Appendf(nil, rollingConfig, s.port, database), 0o600); err != nil {
			t.Fatal(err)
		}
		s.now.Store(serve(t, program, file, dir, s.port))
		s.now.Load().ready(t, `"status":"ready"`)
		s.ready.Store(true)
		background.Go(func() { s.probe(done) })
	}
	var answered atomic.Int64
	for u := range 6 {
		background.Go(func() { useSeats(t, seats, u, done, &answered) })
	}
	enough := func(more int64) {
		for n, until := answered.Load()+more, time.Now().Add(time.Minute); answered.Load() < n && !t.Failed() && time.Now().Before(until); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	enough(100)
	for i, s := range seats {
		old := s.now.Load()
		if err := old.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := old.cmd.Wait(); err != nil {
			t.Errorf("replica %d after SIGTERM: %v", i, err)
		}
		s.now.Store(serve(t, program, filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), dir, s.port))
		s.now.Load().ready(t, `"status":"ready"`)
		enough(100)
	}
	stop()
	background.Wait()
	if answered.Load() < 300 {
		t.Errorf("only %d requests were answered", answered.Load())
	}
	t.Logf("%d requests", answered.Load())
}

// useSeats is one user: signs up, and then changes their name and reads it back from another
// replica if one is ready.
func useSeats(t *testing.T, seats []*seat, u int, done <-chan struct{}, answered *atomic.Int64) {
	b := newBrowser()
	b.Transport = &http.Transport{MaxIdleConnsPerHost: 4}
	turn := u
	ask := func(method, path, body string) (string, bool) {
		for range 2000 {
			turn++
			if s := seats[turn%len(seats)]; s.ready.Load() {
				status, text := b.do(s.now.Load(), method, path, body)
				if status != 200 {
					t.Errorf("%s %s: %d %s", method, path, status, text)
					return text, false
				}
				answered.Add(1)
				return text, true
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Error("no replica was ready for 10 s")
		return "", false
	}
	if _, ok := ask("POST", "/sign-up/email", credentials(fmt.Sprintf("rolling%d@example.com", u), good)); !ok {
		return
	}
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		name := fmt.Sprintf("name %d of %d", i, u)
		if _, ok := ask("POST", "/update-user", fmt.Sprintf(`{"name":%q}`, name)); !ok {
			return
		}
		text, ok := ask("GET", "/get-session?disableCookieCache=true", "")
		if !ok {
			return
		}
		if !strings.Contains(text, `"`+name+`"`) {
			t.Errorf("renamed to %q, and then: %s", name, text)
			return
		}
	}
}
