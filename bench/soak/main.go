// Command soak runs three replicas under mixed load for a long time, restarts them one after
// the other, and looks for what should not be: see bench/README.md.
//
//	go run ./bench/soak -for 30m
//
// It exits with 1 and the reasons if an answer of 500 or more was not announced by readiness,
// an acknowledged write was lost, a revoked session was served for too long, memory,
// goroutines or connections grow, or a log has an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

const baseURL = "https://auth.example.com"

type options struct {
	length, every, think, bound time.Duration
	users                       int
}

func main() {
	var o options
	flag.DurationVar(&o.length, "for", 2*time.Minute, "how long")
	flag.DurationVar(&o.every, "restart", 45*time.Second, "a replica is restarted so often")
	flag.IntVar(&o.users, "users", 12, "how many act at once")
	flag.DurationVar(&o.think, "think", 60*time.Millisecond, "what a user waits between two requests, on average")
	flag.DurationVar(&o.bound, "revocation", 100*time.Millisecond, "from when on a revoked session is refused everywhere")
	flag.Parse()
	rig.Main("soak", func(ctx context.Context) ([]string, error) { return run(ctx, o) })
}

func config(redis, sink string) func(address, metrics, database string) string {
	return func(address, metrics, database string) string {
		return fmt.Sprintf(`baseURL: %s
production: true
secret: n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa
listen: %s
metrics: {listen: %q}
shutdownDelay: 2s # the balancer asks four times a second
database: {url: %q}
redis: {url: "redis://%s"}
rateLimit: {storage: redis}
lockout: {storage: redis}
session: {cache: {enabled: true}}
trustedProxies: [127.0.0.0/8]
mail: {driver: notify, notify: {url: "http://%s/mail", serviceKey: soak, appId: soak}}
log: {requests: false, level: info}
plugins:
  email-password:
  magic-link:
  two-factor:
  organization:
  jwt:
  bearer:
  webhooks: {allowNetworks: [127.0.0.0/8], endpoints: [{url: "http://%s/hook", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, events: [user.created]}]}
`, baseURL, address, metrics, database, redis, sink, sink)
	}
}

func run(ctx context.Context, o options) (reasons []string, err error) {
	r, err := rig.New(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	redis, err := r.Redis(ctx)
	if err != nil {
		return nil, err
	}
	mail, err := startSink()
	if err != nil {
		return nil, err
	}
	var servers []*rig.Server
	for i := range 3 {
		s, err := r.Server(fmt.Sprintf("replica%d", i), config(redis, mail.address))
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if err := s.Run(ctx, "migrate", "apply"); err != nil {
				return nil, err
			}
		}
		if err := s.Start(ctx); err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	b := newBalancer(servers)
	c := &crowd{b: b, l: newLedger(), s: mail, think: o.think, bound: o.bound}
	began := time.Now()
	restarted, sampled := act(ctx, o, c, r, redis)
	left, err := settle(ctx, r.DB)
	if err != nil {
		return nil, err
	}
	if left > 0 {
		reasons = append(reasons, fmt.Sprintf("%d jobs are still waiting", left))
	}
	if err := c.l.verify(ctx, r.DB, mail); err != nil {
		return nil, err
	}
	return append(reasons, report(os.Stdout, c, restarted, sampled, time.Since(began))...), nil
}

// act has everybody do what they do for as long as it lasts.
func act(ctx context.Context, o options, c *crowd, r *rig.Rig, redis string) (*restarts, *samples) {
	polling, done := context.WithCancel(ctx)
	defer done()
	c.b.poll(polling)
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var restarted *restarts
	var sampled *samples
	var wg sync.WaitGroup
	wg.Go(func() { restarted = roll(ctx, c.b, o.every, o.length) })
	wg.Go(func() { sampled = watch(ctx, c.b, r.DB, redis) })
	for range o.users {
		wg.Go(func() { c.run(ctx) })
	}
	wg.Wait()
	return restarted, sampled
}
