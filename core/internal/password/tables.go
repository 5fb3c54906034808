package password

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// tables has the tables of a hash that is done collected before the next one begins. The
// libraries make them anew each time, 19 MiB and more, and the collector by itself would let
// the process become several times as large first. On a heap that is small otherwise it
// costs 1 to 3 ms while no hash runs, and three times that beside one, which the kernel has
// to bring in for each stop of the world. So hashes that end at about the same time are
// collected together, and those of a long queue fall into step. To give the memory back to
// the system, too, would cost 20 ms.
type tables struct {
	mu      sync.Mutex
	running map[*run]struct{}
	next    chan struct{} // closed when the collection has ended that begins next

	collecting sync.Mutex // held by who collects
	collected  atomic.Int64
}

// run is a hash at work.
type run struct {
	began time.Time
	made  uint64 // what the process had allocated by then, in bytes
}

const (
	// largeTable is from how many bytes on, allocated during a hash, collecting pays.
	largeTable = 16 << 20
	// largeHeap is the live heap in bytes beside which a few tables do not matter, and to look
	// through which would cost more than a hash.
	largeHeap = 256 << 20
	// patience is the part of its own time that a hash waits for another to end. Those that
	// are in step wait a moment; to fall into step takes one long wait.
	patience = 3
	// longWait bounds that, for a hash that took long because the process stood still.
	longWait = 100 * time.Millisecond
)

func (t *tables) begin() *run {
	made, _ := heap()
	r := &run{began: time.Now(), made: made}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		t.running, t.next = map[*run]struct{}{}, make(chan struct{})
	}
	t.running[r] = struct{}{}
	return r
}

// end says that a hash has ended, and whether it left what is to be collected.
func (t *tables) end(r *run) (left bool) {
	t.mu.Lock()
	delete(t.running, r)
	t.mu.Unlock()
	made, live := heap()
	return made-r.made >= largeTable && live <= largeHeap
}

func heap() (made, live uint64) {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64()
}

// collect collects what a hash left that has ended. A collection that another begins from
// now on does for both; one that is under way may have seen the table still in use, and left
// it as a third one beside those of the next two hashes. One in a hurry does not wait for
// others.
func (t *tables) collect(r *run, hurry bool) {
	took := time.Since(r.began)
	t.mu.Lock()
	next, soon := t.next, t.endsSoon(took)
	t.mu.Unlock()
	if soon && !hurry {
		enough := time.NewTimer(min(took/patience, longWait))
		defer enough.Stop()
		select {
		case <-next:
			return
		case <-enough.C:
		}
	}
	t.collecting.Lock()
	defer t.collecting.Unlock()
	select {
	case <-next:
		return
	default:
	}
	t.mu.Lock()
	t.next = make(chan struct{})
	t.mu.Unlock()
	runtime.GC()
	t.collected.Add(1)
	close(next)
}

// endsSoon tells whether a hash at work will end soon, if it takes as long as one that took
// so long.
func (t *tables) endsSoon(took time.Duration) bool {
	for r := range t.running {
		if since := time.Since(r.began); since > took-took/patience && since < 2*took {
			return true
		}
	}
	return false
}
