package main

import (
	"context"
	"fmt"
	"time"
)

// restarts replace replicas one after the other while everybody goes on.
type restarts struct {
	stopped, killed int
	longest         time.Duration // from SIGTERM to the end
	reasons         []string
}

// roll restarts the second and the third replica in turn, every fifth time by killing it, and
// the first one once, at half time: a leak shows in a process that lives long.
func roll(ctx context.Context, b *balancer, every, length time.Duration) *restarts {
	r := &restarts{}
	begin, halved := time.Now(), false
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return r
		case <-time.After(every):
		}
		p := b.places[1+n%(len(b.places)-1)]
		if !halved && time.Since(begin) > length/2 {
			p, halved = b.places[0], true
		}
		if n%5 == 0 {
			p.killed.Store(time.Now().UnixNano())
			p.ready.Store(false) // a connection that breaks tells a balancer at once
			p.Kill()
			r.killed++
		} else {
			p.told.Store(time.Now().UnixNano())
			took, code := p.Stop()
			r.longest = max(r.longest, took)
			if code != 0 {
				r.reasons = append(r.reasons, fmt.Sprintf("%s ended with exit code %d after SIGTERM", p.Name, code))
			}
			r.stopped++
		}
		if ctx.Err() != nil {
			return r
		}
		p.client.Close()
		if err := p.Start(ctx); err != nil && ctx.Err() == nil {
			r.reasons = append(r.reasons, err.Error())
			return r
		}
		p.told.Store(0)
	}
}
