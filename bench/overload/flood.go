package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

const password, wrong = "correct horse battery", "incorrect horse battery"

// flood is the clients of one server.
type flood struct {
	o       options
	server  *rig.Server
	client  *rig.Client // of the many
	reader  *rig.Client // of those who only ask for their session
	readers []*rig.Jar
	before  rig.Usage
	idleP99 time.Duration

	mu      sync.Mutex
	answers map[string]int // by status and code, of the phase
	odd     []string       // what should not have been answered
	signIns int
}

func newFlood(ctx context.Context, o options, s *rig.Server) (*flood, error) {
	f := &flood{o: o, server: s, client: rig.NewClient(s.Address, time.Minute), reader: rig.NewClient(s.Address, time.Minute)}
	begin := time.Now()
	var failed error
	f.each(4, func(i int) {
		jar := &rig.Jar{}
		a, err := f.do("POST", "/sign-up/email", i, password, jar)
		f.mu.Lock()
		defer f.mu.Unlock()
		if err != nil || a.Status != 200 {
			failed = fmt.Errorf("sign-up: %w %d %s", err, a.Status, a.Body)
		}
		if len(f.readers) < o.readers {
			f.readers = append(f.readers, jar)
		}
	})
	took := time.Since(begin)
	if failed != nil || ctx.Err() != nil {
		return nil, fmt.Errorf("%w %w", failed, ctx.Err())
	}
	f.before = f.settled(0)
	fmt.Printf("%d users signed up, %.1f a second; then: RSS %s (peak %s), %d goroutines\n", o.clients,
		float64(o.clients)/took.Seconds(), mib(f.before.RSS), mib(f.before.Peak), f.before.Goroutines)
	return f, nil
}

// each runs fn for every user, some at once.
func (f *flood) each(atOnce int, fn func(i int)) {
	var wg sync.WaitGroup
	for w := range atOnce {
		wg.Go(func() {
			for i := w; i < f.o.clients; i += atOnce {
				fn(i)
			}
		})
	}
	wg.Wait()
}

// do is a request of user i, who has an address of their own.
func (f *flood) do(method, path string, i int, pass string, jar *rig.Jar) (rig.Answer, error) {
	body := fmt.Sprintf(`{"name":"A","email":"user%d@example.com","password":%q}`, i, pass)
	return f.client.Do(rig.Request{Method: method, Path: "/api/auth" + path, Body: body, Origin: baseURL, Jar: jar,
		From: fmt.Sprintf("10.%d.%d.1", i>>8, i&255)})
}

// settled waits until there are no more goroutines than that, or 40 s: the server keeps some
// of its own ready for the next connections.
func (f *flood) settled(most int) (u rig.Usage) {
	f.client.Close()
	f.reader.Close()
	for until := time.Now().Add(40 * time.Second); time.Now().Before(until); time.Sleep(500 * time.Millisecond) {
		if now, ok := f.server.Usage(); ok {
			if u = now; most > 0 && u.Goroutines <= most || most == 0 && time.Until(until) < 28*time.Second {
				return u
			}
		}
	}
	return u
}

// measure runs the phases and compares.
func (f *flood) measure(ctx context.Context) (reasons []string, err error) {
	fmt.Printf("\nget-session: %d a second on %d connections, timed from when each was due\n\n", f.o.rate, f.o.readers)
	fmt.Println("| phase | sign-ins/s | 200 | 401 | 503 | other | get-session p50 | p99 | max | p99 of idle | server's CPU | peak RSS |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
	idle := f.phase(ctx, "idle", f.o.idle)
	for mode := range strings.SplitSeq(f.o.modes, ",") {
		p := f.phase(ctx, mode, f.o.phase)
		if ratio := float64(p.P99) / float64(idle.P99); ratio > mostRatio {
			reasons = append(reasons, fmt.Sprintf("%s: get-session's p99 is %.1f times that of the idle server, want at most %d", mode, ratio, mostRatio))
		}
		for _, odd := range f.odd {
			reasons = append(reasons, mode+": "+odd)
		}
	}
	u, _ := f.server.Usage()
	if u.Peak > mostMemory {
		reasons = append(reasons, fmt.Sprintf("the peak of RSS is %s, want at most %s", mib(u.Peak), mib(mostMemory)))
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var locked []string
	f.each(4, func(i int) {
		if a, err := f.do("POST", "/sign-in/email", i, password, nil); err != nil || a.Status != 200 {
			f.mu.Lock()
			defer f.mu.Unlock()
			locked = append(locked, fmt.Sprintf("user%d cannot sign in afterwards: %v %d %s", i, err, a.Status, a.Body))
		}
	})
	fmt.Printf("\nafterwards: %d of %d users signed in at their first try", f.o.clients-len(locked), f.o.clients)
	after := f.settled(f.before.Goroutines + 5)
	fmt.Printf("; RSS %s (peak %s), %d goroutines, %d before\n", mib(after.RSS), mib(after.Peak), after.Goroutines, f.before.Goroutines)
	if after.Goroutines > f.before.Goroutines+5 {
		reasons = append(reasons, fmt.Sprintf("%d goroutines are left, %d were there", after.Goroutines, f.before.Goroutines))
	}
	return append(reasons, locked...), nil
}

// phase lasts as long as it is told to, with the flood unless it is the idle one.
func (f *flood) phase(ctx context.Context, mode string, length time.Duration) rig.Summary {
	f.answers, f.odd, f.signIns = map[string]int{}, nil, 0
	before, _ := f.server.Usage()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var wg sync.WaitGroup
	if mode != "idle" {
		for i := range f.o.clients {
			wg.Go(func() { f.signInAgainAndAgain(ctx, i, mode == "greedy") })
		}
		time.Sleep(time.Second) // until all are there
	}
	begin := time.Now()
	var times rig.Latencies
	f.read(ctx, &times)
	took := time.Since(begin)
	wg.Wait()
	after, _ := f.server.Usage()
	s := times.Summary()
	if mode == "idle" {
		f.idleP99 = s.P99
	}
	n := map[string]int{}
	for what, count := range f.answers {
		n[what[:3]] += count
	}
	total := 0
	for _, count := range f.answers {
		total += count
	}
	fmt.Printf("| %s | %.1f | %d | %d | %d | %d | %s | %s | %s | %.1f | %.0f %% | %s |\n", mode, float64(f.signIns)/(took.Seconds()+1),
		n["200"], n["401"], n["503"], total-n["200"]-n["401"]-n["503"], s.P50.Round(10*time.Microsecond), s.P99.Round(10*time.Microsecond), s.Most.Round(10*time.Microsecond),
		float64(s.P99)/float64(f.idleP99), 100*(after.CPU-before.CPU).Seconds()/took.Seconds(), mib(after.Peak))
	for _, what := range slices.Sorted(maps.Keys(f.answers)) {
		if !strings.HasPrefix(what, "200") {
			fmt.Printf("    %s: %d\n", what, f.answers[what])
		}
	}
	return s
}

// read asks for sessions at a fixed rate, and counts from when a request was due: one that
// waits behind another counts its waiting.
func (f *flood) read(ctx context.Context, times *rig.Latencies) {
	due := make(chan time.Time, 1<<16)
	var wg sync.WaitGroup
	for i := range f.o.readers {
		wg.Go(func() {
			for at := range due {
				a, err := f.reader.Do(rig.Request{Method: "GET", Path: "/api/auth/get-session", Jar: f.readers[i], From: fmt.Sprintf("10.200.0.%d", i)})
				times.Add(time.Since(at))
				if err != nil || a.Status != 200 || !strings.Contains(a.Body, "@example.com") {
					f.oddly("get-session", a, err)
				}
			}
		})
	}
	every := time.Second / time.Duration(f.o.rate)
	for at := time.Now(); ctx.Err() == nil; at = at.Add(every) {
		time.Sleep(time.Until(at))
		due <- at
	}
	close(due)
	wg.Wait()
}

// signInAgainAndAgain is one client. Every twentieth mistypes once before each sign-in.
func (f *flood) signInAgainAndAgain(ctx context.Context, i int, greedy bool) {
	for ctx.Err() == nil {
		tries := []string{password}
		if i%20 == 0 {
			tries = []string{wrong, password}
		}
		for _, pass := range tries {
			for ctx.Err() == nil {
				a, err := f.do("POST", "/sign-in/email", i, pass, nil)
				if !f.count(a, err, pass) {
					break
				}
				if !greedy {
					pause(ctx, a.RetryAfter)
				}
			}
		}
	}
}

// count notes an answer and tells whether the client was sent away to come again.
func (f *flood) count(a rig.Answer, err error, pass string) (again bool) {
	var body struct{ Code string }
	_ = json.Unmarshal([]byte(a.Body), &body) // what is no JSON has no code
	f.mu.Lock()
	f.answers[strings.TrimSpace(fmt.Sprintf("%03d %s", a.Status, body.Code))]++
	if a.Status == 200 {
		f.signIns++
	}
	f.mu.Unlock()
	right := a.Status == 200 && pass == password || a.Status == 401 && pass == wrong
	shed := a.Status == 503 && a.RetryAfter != "" && body.Code != ""
	if err != nil || !right && !shed {
		f.oddly("sign-in", a, err)
	}
	return shed
}

func (f *flood) oddly(what string, a rig.Answer, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.odd) < 10 {
		f.odd = append(f.odd, fmt.Sprintf("%s: %v %d %q Retry-After %q", what, err, a.Status, a.Body, a.RetryAfter))
	}
}

// pause is what Retry-After asks for.
func pause(ctx context.Context, seconds string) {
	n, err := strconv.Atoi(seconds)
	if err != nil {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(n) * time.Second):
	}
}
