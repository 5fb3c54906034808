package rig

import (
	"slices"
	"sync"
	"time"
)

// Latencies are durations of one kind. Past a million the memory starts over at every
// second one: soaks last long.
type Latencies struct {
	mu   sync.Mutex
	all  []time.Duration
	most time.Duration
	n    int
	step int
}

const enough = 1 << 20

// Add notes one.
func (l *Latencies) Add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.step = max(l.step, 1)
	if l.most = max(l.most, d); l.n%l.step == 0 {
		l.all = append(l.all, d)
	}
	if l.n++; len(l.all) >= enough {
		for i := range len(l.all) / 2 {
			l.all[i] = l.all[2*i]
		}
		l.all, l.step = l.all[:len(l.all)/2], l.step*2
	}
}

// Summary of what was noted.
type Summary struct {
	N                   int
	P50, P95, P99, Most time.Duration
}

// Summary sorts and counts.
func (l *Latencies) Summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return Summary{}
	}
	all := slices.Sorted(slices.Values(l.all))
	at := func(percent int) time.Duration { return all[(len(all)-1)*percent/100] }
	return Summary{N: l.n, P50: at(50), P95: at(95), P99: at(99), Most: l.most}
}
