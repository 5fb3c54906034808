package cli

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Hashing a password takes tens of milliseconds without a pause, and tens of megabytes. While
// passwords are hashed, the program therefore runs Go in another way. What the environment or
// the program itself has set stays as it is.

const (
	hashingLook  = 100 * time.Millisecond
	hashingQuiet = 20 // looks without a hash, after which all is as before
)

// tuneForHashing does that until ctx ends, and leaves Go as it was.
func tuneForHashing(ctx context.Context, h *core.Host) {
	tick := time.NewTicker(hashingLook)
	defer tick.Stop()
	var threads lender
	var byHand mode
	collections := h.PasswordCollections()
	gc := collector{percent: 100}
	ours := os.Getenv("GOGC") == "" && number("/gc/gogc:percent") == 100
	for {
		select {
		case <-ctx.Done():
			threads.takeBack()
			if gc.percent != 100 {
				debug.SetGCPercent(100)
			}
			return
		case <-tick.C:
		}
		hashing, _, _ := h.PasswordStats()
		threads.look(hashing > 0, h.PasswordWorkers())
		last := collections
		collections = h.PasswordCollections()
		if byHand.look(collections > last); ours && gc.look(byHand.on, hashing > 0, h.PasswordWorkers(), number("/gc/heap/live:bytes")) {
			debug.SetGCPercent(gc.percent)
		}
	}
}

// lender lends Go as many more threads as there are hashes, and takes them back. Where Go
// has no more threads than processors, each wake-up of another request waits for a slice of
// 10 ms of a hash, several times a request. With more it is the kernel that shares the
// processors out, and it prefers who sleeps most. They are taken back, since threads to
// spare cost every request something. A GOMAXPROCS below the processors is a container's
// quota, which more threads would use up the sooner.
type lender struct {
	mode
	lent bool
}

func (l *lender) look(hashing bool, workers int) {
	switch l.mode.look(hashing) {
	case begin:
		if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) == runtime.NumCPU() {
			runtime.GOMAXPROCS(runtime.NumCPU() + workers)
			l.lent = true
		}
	case end:
		l.takeBack()
	}
}

func (l *lender) takeBack() {
	if l.lent {
		runtime.SetDefaultGOMAXPROCS()
	}
	l.lent = false
}

// tableSize is about what a scrypt hash takes, in bytes.
const tableSize = 34 << 20

// collector is how Go's collector runs. While tables are collected when a hash ends, it is to
// leave room for those of all hashes: by itself it would look through the heap once more in
// each hash, when its tables are made, and take 5 to 10 % of the processors.
type collector struct {
	percent int
	least   uint64 // live heap in bytes as it was without tables
}

// look tells whether percent is to be set anew.
func (c *collector) look(byHand, hashing bool, workers int, live uint64) bool {
	last := c.percent
	if !byHand {
		*c = collector{percent: 100, least: live}
		return last != 100
	}
	if c.least = min(c.least, live); !hashing {
		c.least = live
	}
	inUse := uint64(workers) * tableSize
	if live > inUse { // it has grown: the tables at work are not all of it
		c.least = max(c.least, live-inUse)
	}
	room := inUse + tableSize/2
	p := int(max(100, 100*room/max(c.least, leastHeap)))
	if p-last < last/4 && last-p < last/4 { // setting it stops the world
		return false
	}
	c.percent = p
	return true
}

// leastHeap is what Go never collects at a GOGC of 100, in bytes.
const leastHeap = 4 << 20

// number is a metric of Go's.
func number(name string) uint64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// mode is whether passwords are being hashed: from the first look at a hash until
// hashingQuiet looks without one.
type mode struct {
	on    bool
	quiet int // looks since the last hash
}

type change int

const (
	none change = iota
	begin
	end
)

func (m *mode) look(hashing bool) change {
	switch {
	case hashing && !m.on:
		*m = mode{on: true}
		return begin
	case hashing:
		m.quiet = 0
	case m.on:
		if m.quiet++; m.quiet == hashingQuiet {
			*m = mode{}
			return end
		}
	}
	return none
}
