package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/server"
)

const mailConfig = `baseURL: http://localhost:3000
secret: n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa
listen: 127.0.0.1:%s
database: {%s}
password: {memoryKiB: 64, iterations: 1, parallelism: 1, queue: 1000}
emailVerification: {sendOnSignUp: true}
rateLimit: {enabled: false}
mail: {driver: smtp, smtp: {host: 127.0.0.1, port: %d, tls: none, from: no-reply@example.com, hello: %s, timeout: 5s}}
log: {requests: false, level: error}
plugins: [email-password]
`

// workers is how many jobs a process does beside each other at most.
const workers = 4

// messages is how many mails the tests send: 2,000, or what SALLYPORT_TEST_MESSAGES says.
func messages(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("SALLYPORT_TEST_MESSAGES"))
	if err != nil && os.Getenv("SALLYPORT_TEST_MESSAGES") != "" {
		t.Fatal(err)
	}
	if n == 0 {
		n = 2000
	}
	return n
}

// post is processes on one database with one mail server.
type post struct {
	t                      *testing.T
	dir, program, database string
	sink                   *sink
	file                   string // of a configuration, for commands of the test's own

	mu       sync.Mutex
	replicas []*replica
	hellos   []string // of the replicas
	starts   int
	maybe    map[*taken]bool // answered to a process that was killed, perhaps before it noted that
}

func startPost(t *testing.T, database string) *post {
	t.Helper()
	p := &post{t: t, dir: t.TempDir(), database: database, sink: startSink(t), maybe: map[*taken]bool{}}
	p.program = buildProgram(t, p.dir)
	p.file = p.config(adaptertest.FreePort(t), "test.example")
	return p
}

func (p *post) config(port, hello string) string {
	p.t.Helper()
	file := filepath.Join(p.dir, hello+".yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, mailConfig, port, p.database, p.sink.port, hello), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}

// start runs replica i, or runs it again.
func (p *post) start(i int) {
	p.t.Helper()
	p.mu.Lock()
	p.starts++
	hello, port := fmt.Sprintf("r%d-%d.example", i, p.starts), adaptertest.FreePort(p.t)
	r := serve(p.t, p.program, p.config(port, hello), p.dir, port)
	if i == len(p.replicas) {
		p.replicas, p.hellos = append(p.replicas, r), append(p.hellos, hello)
	}
	p.replicas[i], p.hellos[i] = r, hello
	p.mu.Unlock()
	for until := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) { // "degraded" would do
		if res, err := http.Get(r.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == 200 {
				return
			}
		}
		if time.Now().After(until) {
			p.t.Fatalf("replica %d is not ready: %s", i, r.logs.String())
		}
	}
}

func (p *post) replica(i int) *replica {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replicas[i%len(p.replicas)]
}

// sigkill ends replica i. What it was told of last it may not have noted, one for each worker.
func (p *post) sigkill(i int) {
	p.replica(i).kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.sink.lastOf(p.hellos[i], workers) {
		p.maybe[m] = true
	}
}

// with runs fn on the processes' database.
func (p *post) with(fn func(*core.Auth)) {
	p.t.Helper()
	c, err := server.Load(server.Source{File: p.file, Data: filepath.Join(p.dir, "data")}, plugins...)
	if err != nil {
		p.t.Fatal(err)
	}
	auth, closeAll, err := server.OpenAuth(p.t.Context(), c, plugins...)
	if err != nil {
		p.t.Fatal(err)
	}
	defer closeAll(context.Background()) //nolint:errcheck // the test has its results
	fn(auth)
}

// signUps signs n users up, eight beside each other, and returns the addresses of those that
// were answered 200: they get a mail each. elsewhere says that an answer may be lost.
func (p *post) signUps(from, n int, elsewhere bool) []string {
	p.t.Helper()
	var mu sync.Mutex
	var confirmed []string
	next := make(chan int)
	go func() {
		for i := range n {
			next <- from + i
		}
		close(next)
	}()
	inParallel(8, func(int) {
		b := newBrowser()
		for i := range next {
			b.Jar = nil // everybody is somebody else
			email := fmt.Sprintf("u%d@example.com", i)
			status, text := b.do(p.replica(i), "POST", "/sign-up/email", credentials(email, good))
			switch {
			case status == 200:
				mu.Lock()
				confirmed = append(confirmed, email)
				mu.Unlock()
			case !elsewhere || status != 0:
				p.t.Errorf("%s: %d %s", email, status, text)
			default: // the process is gone: not everybody is to be lost until it is back
				time.Sleep(500 * time.Millisecond)
			}
		}
	})
	return confirmed
}

// drained waits until no job is left.
func (p *post) drained(limit time.Duration) {
	p.t.Helper()
	p.with(func(auth *core.Auth) {
		var b core.Backlog
		var err error
		for until := time.Now().Add(limit); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
			if b, err = auth.Backlog(p.t.Context()); err == nil && b.Waiting == 0 {
				break
			}
		}
		if err != nil || b.Waiting != 0 || b.Failed != 0 {
			p.t.Fatalf("after %v: %+v, %v", limit, b.JobBacklog, err)
		}
	})
}

func engines(t *testing.T, fn func(t *testing.T, database string, replicas int)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, `path: "`+filepath.Join(t.TempDir(), "app.db")+`"`, 1) })
	t.Run("postgres", func(t *testing.T) {
		fn(t, fmt.Sprintf(`url: "%s", maxOpen: 12`, adaptertest.PostgresURL(t)), 3)
	})
}

// Where nothing fails, every message is one mail, whoever of the processes sends it.
func TestMailsOnce(t *testing.T) {
	engines(t, func(t *testing.T, database string, replicas int) {
		p := startPost(t, database)
		n := messages(t)
		p.start(0) // makes the tables
		p.replica(0).kill()
		p.with(func(auth *core.Auth) {
			h := auth.Host()
			for from := 0; from < n; from += 100 {
				err := h.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error {
					for i := from; i < min(n, from+100); i++ {
						m := contract.Message{Template: "verify-email", To: fmt.Sprintf("u%d@example.com", i), Token: "t", URL: "https://a.example/t"}
						if err := h.SendMail(ctx, tx, m); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
		begun := time.Now()
		// None sends before all are there: the first could have done it all by then.
		var mu sync.Mutex
		there, all := map[string]bool{}, make(chan struct{})
		wait := func(hello string) {
			mu.Lock()
			if !there[hello] {
				there[hello] = true
				if len(there) == replicas {
					close(all)
				}
			}
			mu.Unlock()
			<-all
		}
		p.sink.onHello.Store(&wait)
		for i := range replicas {
			p.start(i)
		}
		p.drained(5 * time.Minute)
		t.Logf("%d mails in %v: %.0f/s", n, time.Since(begun), float64(n)/time.Since(begun).Seconds())
		mails, _ := p.sink.snapshot()
		if len(mails) != n {
			t.Errorf("%d of %d arrived", len(mails), n)
		}
		senders := map[string]int{}
		for to, list := range mails {
			senders[list[0].hello]++
			if len(list) != 1 {
				t.Errorf("%s got %d", to, len(list))
			}
		}
		if t.Logf("by %v", senders); len(senders) != replicas {
			t.Errorf("%d processes sent: the test shows little", len(senders))
		}
	})
}

// Whatever fails, every message of a confirmed sign-up arrives. A second one comes only where
// the answer to the first got lost, and has the same Message-ID (docs/mail.md).
func TestMailsUnderFaults(t *testing.T) {
	engines(t, func(t *testing.T, database string, replicas int) {
		t.Parallel() // most of the time they wait for retries and leases
		p := startPost(t, database)
		n := messages(t)
		for i := range min(replicas, 2) {
			p.start(i)
		}

		// A server that hangs holds up no sign-up, and a process that dies loses no mail.
		hang := func(int) stage { return greeting }
		p.sink.breaks.Store(&hang)
		confirmed := p.signUps(0, n/4, false)
		if len(confirmed) != n/4 || p.sink.count() != 0 {
			t.Fatalf("%d of %d sign-ups, %d mails of a server that hangs", len(confirmed), n/4, p.sink.count())
		}
		p.sigkill(0)
		p.start(0)

		// Every twentieth connection breaks, at one stage after the other; the server dies; a process dies between
		// the server's answer and its own note of it.
		faulty := func(n int) stage {
			if n%20 == 0 {
				return beforeData + stage(n/20)%(stages-beforeData)
			}
			return nowhere
		}
		p.sink.breaks.Store(&faulty)
		close(p.sink.let)
		var once sync.Once
		died := make(chan struct{})
		dies := func(hello string, answer func()) {
			if p.sink.count() < n/2 || !strings.HasPrefix(hello, "r0-") {
				answer()
				return
			}
			once.Do(func() {
				p.replica(0).stop(t) // it does not read the answer
				answer()
				close(died)
			})
		}
		p.sink.onMail.Store(&dies)
		var rest []string
		inParallel(2, func(i int) {
			if i == 0 {
				rest = p.signUps(n/4, n-n/4, true)
				return
			}
			for p.sink.count() < n/3 {
				time.Sleep(10 * time.Millisecond)
			}
			p.sink.stop()
			time.Sleep(time.Second)
			p.sink.restart()
			<-died
			p.sink.onMail.Store(nil)
			p.sigkill(0)
			p.start(0)
		})
		confirmed = append(confirmed, rest...)
		if len(confirmed) < n*9/10 {
			t.Errorf("only %d sign-ups were confirmed: the test shows little", len(confirmed))
		}
		p.sink.breaks.Store(nil)
		p.drained(5 * time.Minute)
		p.judge(confirmed)
	})
}

// judge holds what has arrived against what was promised.
func (p *post) judge(confirmed []string) {
	mails, hit := p.sink.snapshot()
	for _, email := range confirmed {
		if len(mails[email]) == 0 {
			p.t.Errorf("%s got no mail", email)
		}
	}
	lost, killed := 0, 0
	for to, list := range mails {
		for i, m := range list {
			if m.messageID == "" || m.messageID != list[0].messageID {
				p.t.Errorf("%s: the Message-IDs %q and %q", to, list[0].messageID, m.messageID)
			}
			switch again := i < len(list)-1; {
			case again && !m.answered:
				lost++
			case again && p.maybe[m]:
				killed++
			case again:
				p.t.Errorf("%s got a second mail although %s knew of the first", to, m.hello)
			case !m.answered:
				p.t.Errorf("%s: the sender took a mail for sent of which it was not told", to)
			}
		}
	}
	p.t.Logf("%d sign-ups, %d recipients, broken off %v; second mails: %d for an answer that was lost, %d for a process that died", len(confirmed), len(mails), hit, lost, killed)
	if lost == 0 || killed == 0 {
		p.t.Error("no answer was lost, or to no process that died: the test shows nothing")
	}
	for s := greeting; s < stages; s++ {
		if hit[s] == 0 {
			p.t.Errorf("no connection was broken at stage %d", s)
		}
	}
}
