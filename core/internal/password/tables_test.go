package password

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The tables of hashes that are done do not pile up: with the collector switched off, there
// are never more than those of the hashes at work.
func TestTablesAreCollected(t *testing.T) {
	old := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(old)
	const workers, table = 2, 19 << 20
	p, err := NewPool(Argon2id(Params{}), PoolOptions{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	before, most := objects(), uint64(0)
	done := make(chan struct{})
	var looking, hashing sync.WaitGroup
	looking.Go(func() {
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				most = max(most, objects())
			}
		}
	})
	for range 2 * workers {
		hashing.Go(func() {
			for range 5 {
				if _, err := p.Hash(t.Context(), "correct horse"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	hashing.Wait()
	close(done)
	looking.Wait()
	if most < before+table || most > before+workers*table+table/2 {
		t.Errorf("objects took %d MiB, and %d before", most>>20, before>>20)
	}
}

// objects is what all objects take that the collector has not freed, in bytes.
func objects() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// Hashes that end at about the same time are collected together. One that others do not wait
// for, and one whose neighbour has long to go, do not wait.
func TestCollectedTogether(t *testing.T) {
	const took = 60 * time.Millisecond
	for name, c := range map[string]struct {
		took        time.Duration // by the first
		between     time.Duration // of the ends of two hashes
		hurry       bool
		late        time.Duration // the second takes so much longer than the first
		collections int64
		waited      time.Duration
	}{
		"in step":          {took: took, between: 5 * time.Millisecond, collections: 1, waited: 5 * time.Millisecond},
		"in a hurry":       {took: took, between: 5 * time.Millisecond, hurry: true, collections: 2},
		"out of step":      {took: took, between: took / 2, collections: 2},
		"waited in vain":   {took: took, between: 5 * time.Millisecond, late: took, collections: 2, waited: took / patience},
		"stood still":      {took: time.Hour, between: 5 * time.Millisecond, late: time.Second, collections: 2, waited: longWait},
		"nobody will come": {took: took, between: -1, collections: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ts tables
				first := ts.begin()
				time.Sleep(max(c.between, 0))
				var second *run
				if c.between >= 0 {
					second = ts.begin()
				}
				time.Sleep(c.took - max(c.between, 0))
				ts.end(first)
				var wg sync.WaitGroup
				wg.Go(func() {
					start := time.Now()
					ts.collect(first, c.hurry)
					if waited := time.Since(start); waited != c.waited {
						t.Errorf("waited %v, want %v", waited, c.waited)
					}
				})
				if second != nil {
					time.Sleep(c.between + c.late)
					ts.end(second)
					ts.collect(second, true)
				}
				wg.Wait()
				if n := ts.collected.Load(); n != c.collections {
					t.Errorf("%d collections, want %d", n, c.collections)
				}
			})
		})
	}
}
