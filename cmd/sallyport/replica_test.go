package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/storetest"
)

const replicaConfig = `baseURL: http://localhost:3000
secret: n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa
listen: 127.0.0.1:%s
database: {url: "%s", maxOpen: 5}
redis: {url: "%s", pause: 200ms, timeout: 5s} # slow is not down
password: {memoryKiB: 64, iterations: 1, parallelism: 1}
session: {storage: redis}
lockout: {storage: redis, network: {disabled: true}} # all users mistype, and all come from here
rateLimit:
  enabled: true
  storage: redis
  rules:
    - {paths: ["/ok"], max: 10, window: 60}
    - {paths: ["/sign-in/*", "/sign-up/*", "/get-session", "/revoke-sessions"], max: 0}
log: {requests: false, level: error}
plugins: [email-password]
`

// replica is a real process of the program.
type replica struct {
	url    string
	cmd    *exec.Cmd
	logs   bytes.Buffer
	killed atomic.Bool
}

// startReplicas builds the program and runs it n times on one database. config is a format of
// a port, the database and what more are.
func startReplicas(t *testing.T, n int, config, database string, more ...any) []*replica {
	t.Helper()
	dir := t.TempDir()
	program := buildProgram(t, dir)
	var all []*replica
	for i := range n {
		port := adaptertest.FreePort(t)
		file := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
		if err := os.WriteFile(file, fmt.Appendf(nil, config, append([]any{port, database}, more...)...), 0o600); err != nil {
			t.Fatal(err)
		}
		r := serve(t, program, file, dir, port)
		r.ready(t, `"status":"ready"`) // the first one migrates
		all = append(all, r)
	}
	return all
}

func buildProgram(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "sallyport")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return program
}

// serve runs the program with a configuration until the test ends.
func serve(t *testing.T, program, file, dir, port string) *replica {
	t.Helper()
	r := &replica{url: "http://127.0.0.1:" + port, cmd: exec.Command(program, "serve", "--config", file, "--data", filepath.Join(dir, "data"))}
	r.cmd.Stdout, r.cmd.Stderr = io.Discard, &r.logs
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			log := r.logs.Bytes()
			t.Logf("log of %s:\n%s", file, log[max(0, len(log)-4000):])
		}
	})
	return r
}

// stop sends SIGSTOP, and returns when no thread of the process runs any more: until then
// it may go on reading what it is sent.
func (r *replica) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Error(err)
		return
	}
	var how syscall.WaitStatus
	if _, err := syscall.Wait4(r.cmd.Process.Pid, &how, syscall.WUNTRACED, nil); err != nil || !how.Stopped() {
		t.Errorf("the process did not stop: %v, status %#x", err, how)
	}
}

func (r *replica) kill() {
	r.killed.Store(true)
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// ready waits until /readyz says so.
func (r *replica) ready(t *testing.T, want string) {
	t.Helper()
	body := ""
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(r.url + "/readyz"); err == nil {
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if body = string(b); strings.Contains(body, want) {
				return
			}
		}
	}
	t.Fatalf("/readyz of %s: %s, want %s\n%s", r.url, body, want, r.logs.String())
}

// browser keeps cookies for whichever replica answers, as behind a load balancer.
type browser struct{ http.Client }

func newBrowser() *browser {
	jar, _ := cookiejar.New(nil) // cookies do not know ports
	return &browser{http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// do returns status and body; status 0 where the connection broke.
func (b *browser) do(r *replica, method, path, body string) (int, string) {
	req, err := http.NewRequest(method, r.url+"/api/auth"+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Origin", "http://localhost:3000")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := b.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

func credentials(email, password string) string {
	return fmt.Sprintf(`{"name":"A","email":%q,"password":%q}`, email, password)
}

const good, bad = "correct horse battery", "incorrect horse battery"

func (b *browser) must(t *testing.T, r *replica, path, body string) {
	t.Helper()
	if status, text := b.do(r, "POST", path, body); status != 200 {
		t.Fatalf("%s: %d %s", path, status, text)
	}
}

// tally counts what many goroutines got.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[what]++
}

func (c *tally) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

// TestReplicas is what operators are promised (docs/replicas.md), with processes that
// really die.
func TestReplicas(t *testing.T) {
	redis := storetest.StartRedis(t)
	replicas := startReplicas(t, 3, replicaConfig, adaptertest.PostgresURL(t), redis.URL())
	t.Run("limits hold in sum", func(t *testing.T) {
		var got tally
		inParallel(60, func(i int) {
			status, _ := newBrowser().do(replicas[i%3], "GET", "/ok", "")
			got.add(fmt.Sprint(status))
		})
		if n := got.all(); n["200"] != 10 || n["429"] != 50 {
			t.Errorf("%v, want 10 that pass of 60", n)
		}
	})
	t.Run("locks hold in sum", func(t *testing.T) {
		newBrowser().must(t, replicas[0], "/sign-up/email", credentials("locked@example.com", good))
		var got tally
		inParallel(30, func(i int) {
			status, _ := newBrowser().do(replicas[i%3], "POST", "/sign-in/email", credentials("locked@example.com", bad))
			got.add(fmt.Sprint(status))
		})
		if n := got.all(); n["401"] > 5 || n["401"] == 0 || n["401"]+n["429"] != 30 {
			t.Errorf("%v, want at most 5 that are looked at", n)
		}
	})
	t.Run("a revocation holds everywhere", func(t *testing.T) {
		b := newBrowser()
		b.must(t, replicas[0], "/sign-up/email", credentials("revoked@example.com", good))
		token := b.Jar
		for range 2 { // leaves copies, and reads them
			for _, r := range replicas {
				if _, body := b.do(r, "GET", "/get-session", ""); !strings.Contains(body, "revoked@") {
					t.Fatalf("no session: %s", body)
				}
			}
		}
		other := newBrowser()
		other.must(t, replicas[1], "/sign-in/email", credentials("revoked@example.com", good))
		other.must(t, replicas[1], "/revoke-sessions", "{}")
		for i, r := range replicas {
			if _, body := (&browser{http.Client{Jar: token}}).do(r, "GET", "/get-session?disableRefresh=true", ""); body != "null" {
				t.Errorf("replica %d still knows the session: %s", i, body)
			}
		}
	})
	t.Run("one replica is killed", func(t *testing.T) {
		got := underLoad(t, replicas, func() { replicas[2].kill() })
		if got["other"] > 0 || got["0 of a live one"] > 0 || got["200"] == 0 {
			t.Errorf("%v: the others must not notice", got)
		}
		if got["0 of the killed one"] == 0 {
			t.Errorf("%v: the killed one was asked by nobody: the test shows nothing", got)
		}
	})
	t.Run("Redis is killed and comes back", func(t *testing.T) {
		got := underLoad(t, replicas[:2], func() {
			redis.Kill()
			replicas[0].ready(t, `"status":"degraded"`)
			redis.Start()
			replicas[0].ready(t, `"status":"ready"`)
		})
		if got["other"] > 0 || got["0 of a live one"] > 0 || got["200"] == 0 {
			t.Errorf("%v: users must not notice, and nobody is locked", got)
		}
	})
	t.Run("Redis hangs and goes on", func(t *testing.T) {
		got := underLoad(t, replicas[:2], func() {
			redis.Hang()
			replicas[1].ready(t, `"status":"degraded"`)
			redis.Continue()
			replicas[1].ready(t, `"status":"ready"`)
		})
		if got["other"] > 0 || got["0 of a live one"] > 0 || got["200"] == 0 {
			t.Errorf("%v: users must not notice, and nobody is locked", got)
		}
	})
}

func inParallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// underLoad has honest users sign in, mistype once, and read their sessions at all
// replicas while something happens, and a little longer. It counts statuses; what is
// neither a success nor the answer to the wrong password is "other".
func underLoad(t *testing.T, replicas []*replica, event func()) map[string]int {
	t.Helper()
	var got tally
	done := make(chan struct{})
	var users sync.WaitGroup
	enough := func(n int) {
		for until := time.Now().Add(60 * time.Second); got.all()["200"] < n && time.Now().Before(until); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	for u := range 6 {
		email := fmt.Sprintf("u%d-%d@example.com", u, time.Now().UnixNano())
		newBrowser().must(t, replicas[0], "/sign-up/email", credentials(email, good))
		users.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				b, r := newBrowser(), replicas[(u+i)%len(replicas)]
				steps := []struct{ method, path, body, want string }{
					{"POST", "/sign-in/email", credentials(email, bad), "401"},
					{"POST", "/sign-in/email", credentials(email, good), "200"},
					{"GET", "/get-session", "", "200"}, {"GET", "/get-session", "", "200"},
				}
				for _, s := range steps {
					status, text := b.do(r, s.method, s.path, s.body)
					switch {
					case status == 0 && r.killed.Load():
						got.add("0 of the killed one")
					case status == 0:
						got.add("0 of a live one")
						t.Logf("%s %s: %s", s.method, s.path, text)
					case fmt.Sprint(status) == s.want && (s.path != "/get-session" || strings.Contains(text, email)):
						got.add(s.want)
					default:
						got.add("other")
						t.Logf("%s %s: %d %s", s.method, s.path, status, text)
					}
				}
			}
		})
	}
	enough(30)
	event()
	enough(got.all()["200"] + 60)
	close(done)
	users.Wait()
	t.Logf("%v", got.all())
	return got.all()
}
