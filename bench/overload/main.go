// Command overload has many clients sign in at once at one server, and looks at what becomes
// of everybody else: see bench/README.md.
//
//	go run ./bench/overload -clients 500 -for 20s
//
// It exits with 1 if get-session's p99 is more than 20 times that of an idle server, whether
// clients wait as they are told or not, if an answer is neither right nor a 503 with
// Retry-After and a code, if anybody is locked out afterwards, or if memory or goroutines
// are beyond their bounds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

// What is promised.
const (
	mostRatio = 20 // get-session's p99 of the idle one
	// mostMemory in bytes is at the peak: what password.memoryLimit lets hashes hold, and 80 MiB.
	mostMemory = (128 + 80) << 20
	mostIdle   = 25 << 20 // bytes after the start, without the pages of the program's file
)

type options struct {
	clients, rate, readers, procs int
	idle, phase                   time.Duration
	hash                          string
	modes                         string
}

func main() {
	var o options
	flag.IntVar(&o.clients, "clients", 500, "how many sign in at once")
	flag.DurationVar(&o.phase, "for", 20*time.Second, "how long each phase of the flood lasts")
	flag.DurationVar(&o.idle, "idle", 10*time.Second, "how long the idle server is measured")
	flag.IntVar(&o.rate, "rate", 200, "get-session requests a second, sent whether or not answers come")
	flag.IntVar(&o.readers, "readers", 16, "connections that send them")
	flag.IntVar(&o.procs, "procs", 0, "GOMAXPROCS of the server; 0 leaves it to the machine")
	flag.StringVar(&o.hash, "hash", "argon2id", "argon2id or scrypt")
	flag.StringVar(&o.modes, "modes", "polite,greedy", "polite clients wait as Retry-After says, greedy ones never")
	flag.Parse()
	rig.Main("overload", func(ctx context.Context) ([]string, error) { return run(ctx, o) })
}

const baseURL = "https://auth.example.com"

func config(o options) func(address, metrics, database string) string {
	return func(address, metrics, database string) string {
		return fmt.Sprintf(`baseURL: %s
production: true
secret: n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa
listen: %s
metrics: {listen: %q}
database: {url: %q}
trustedProxies: [127.0.0.0/8]
password: {hash: %s}
rateLimit: # of many clients with an address each it would let all pass; here it only costs
  rules: [{paths: ["/sign-in/*", "/sign-up/*", "/get-session"], max: 0}]
mail: {driver: none}
log: {requests: false, level: warn}
plugins: [email-password]
`, baseURL, address, metrics, database, o.hash)
	}
}

// run measures, prints, and returns what was missed.
func run(ctx context.Context, o options) (reasons []string, err error) {
	r, err := rig.New(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var env []string
	if o.procs > 0 {
		env = append(env, fmt.Sprintf("GOMAXPROCS=%d", o.procs))
	}
	s, err := r.Server("overload", config(o), env...)
	if err != nil {
		return nil, err
	}
	if err := s.Run(ctx, "migrate", "apply"); err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	time.Sleep(time.Second)
	fresh, _ := s.Usage()
	fmt.Printf("machine: %d processors, shared by server, PostgreSQL and this program; hash %s\n", runtime.NumCPU(), o.hash)
	fmt.Printf("after the start: RSS %s (%s of its own, the rest are pages of the program's file), %d goroutines\n", mib(fresh.RSS), mib(fresh.Own), fresh.Goroutines)
	if fresh.Own > mostIdle {
		reasons = append(reasons, fmt.Sprintf("memory after the start is %s, want at most %s", mib(fresh.Own), mib(mostIdle)))
	}
	f, err := newFlood(ctx, o, s)
	if err != nil {
		return nil, err
	}
	more, err := f.measure(ctx)
	reasons = append(reasons, more...)
	if log, e := os.ReadFile(s.Log()); e == nil && strings.Contains(string(log), "panic") {
		reasons = append(reasons, "the server's log has a panic:\n"+string(log))
	}
	return reasons, err
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
