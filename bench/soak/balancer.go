package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

// pollEvery is how often the balancer asks /readyz.
const pollEvery = 250 * time.Millisecond

// place is a replica as the balancer sees it.
type place struct {
	*rig.Server
	client *rig.Client
	ready  atomic.Bool
	told   atomic.Int64 // when it was asked to stop, in Unix nanoseconds; 0: it was not
	killed atomic.Int64 // when it was killed; kept for as long as requests may be under way
}

// announced tells whether readiness says, or could be asked, that the replica is going.
func (p *place) announced() bool { return !p.ready.Load() || p.told.Load() != 0 }

func (p *place) wasKilled() bool {
	at := p.killed.Load()
	return at != 0 && time.Since(time.Unix(0, at)) < requestTimeout+time.Second
}

const requestTimeout = 20 * time.Second

// balancer sends requests to replicas that are ready, in turn. A connection that is refused
// has carried nothing: the request goes to the next. What broke later is nobody's to repeat.
type balancer struct {
	places []*place
	turn   atomic.Int64

	mu      sync.Mutex
	refused int
	cut     []string       // connections that broke though nobody was killed
	killed  int            // requests that went with a killed replica
	fives   []string       // unannounced answers of 500 and more
	told    map[string]int // announced ones
	status  map[string]int // by endpoint and status
	times   map[string]*rig.Latencies
}

func newBalancer(servers []*rig.Server) *balancer {
	b := &balancer{told: map[string]int{}, status: map[string]int{}, times: map[string]*rig.Latencies{}}
	for _, s := range servers {
		b.places = append(b.places, &place{Server: s, client: rig.NewClient(s.Address, requestTimeout)})
	}
	return b
}

// poll asks each replica whether it is ready, until ctx ends.
func (b *balancer) poll(ctx context.Context) {
	for _, p := range b.places {
		go func() {
			probe := rig.NewClient(p.Address, 2*time.Second)
			for ctx.Err() == nil {
				a, err := probe.Do(rig.Request{Method: "GET", Path: "/readyz"})
				was := p.ready.Swap(err == nil && a.Status == 200)
				if was && !p.ready.Load() {
					p.client.Close()
				}
				time.Sleep(pollEvery)
			}
		}()
	}
}

// pick returns the next replica that is ready, and none of those; nil if there is none.
func (b *balancer) pick(but *place) *place {
	for range 200 {
		for range b.places {
			if p := b.places[int(b.turn.Add(1))%len(b.places)]; p != but && p.ready.Load() {
				return p
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

var errNoReplica = errors.New("no replica was ready for 10 s")

// errCut says that nobody knows what became of the request.
var errCut = errors.New("the connection broke")

// sendBut sends a request to a replica that is ready, and not to that one (nil: to any).
func (b *balancer) sendBut(but *place, name string, r rig.Request) (rig.Answer, *place, error) {
	for {
		p := b.pick(but)
		if p == nil {
			return rig.Answer{}, nil, errNoReplica
		}
		a, err := b.at(p, name, r)
		if isRefused(err) {
			p.ready.Store(false)
			continue
		}
		return a, p, err
	}
}

// at sends a request to one replica, and notes what came of it.
func (b *balancer) at(p *place, name string, r rig.Request) (rig.Answer, error) {
	begin := time.Now()
	a, err := p.client.Do(r)
	took := time.Since(begin)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case isRefused(err):
		b.refused++
		return a, err
	case err != nil && p.wasKilled():
		b.killed++
		return a, errCut
	case err != nil:
		b.cut = append(b.cut, fmt.Sprintf("%s %s at %s after %s: %v (ready %v, told %v)", time.Now().Format("15:04:05.000"), name, p.Name, took, err, p.ready.Load(), p.told.Load() != 0))
		return a, errCut
	}
	if b.times[name] == nil {
		b.times[name] = &rig.Latencies{}
	}
	b.times[name].Add(took)
	b.status[fmt.Sprintf("%s %d", name, a.Status)]++
	if a.Status >= 500 {
		what := fmt.Sprintf("%s: %d %s", name, a.Status, a.Body)
		if p.announced() {
			b.told[what]++
		} else {
			b.fives = append(b.fives, time.Now().Format("15:04:05.000 ")+p.Name+" "+what)
		}
	}
	return a, nil
}

func isRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || err != nil && strings.Contains(err.Error(), "connection refused")
}
