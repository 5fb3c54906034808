package password

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"
)

// ErrUnknownHash means that a stored hash is of no known form or beyond the cost limits.
// It is a fault of the data, not a wrong password, and counts towards no lock.
var ErrUnknownHash = errors.New("password: the stored hash is of no known form")

// ErrBusy is returned when the queue is full. Compare with errors.As.
type ErrBusy struct {
	RetryAfter time.Duration // whole seconds, at least one
}

func (e ErrBusy) Error() string { return "password: too many hashes are waiting" }

// PoolOptions bounds a Pool.
type PoolOptions struct {
	// Workers is how many hashes run at once. Default GOMAXPROCS.
	Workers int
	// Queue is how many more may wait. Default 64; negative for none.
	Queue int
	// MemoryLimit in bytes bounds Workers times what one hash may hold, and lowers
	// Workers to fit, but not below one. Default 0, no bound. A hash may hold 33.6 MB
	// with scrypt, 64 MB where argon2id hashes are read, since stored ones may be of
	// that size.
	MemoryLimit int64
	// Rand gives salts and the dummy. Default crypto/rand.
	Rand io.Reader
	// Observe is called before a step, "hash" or "verify", which runs in the context that
	// it returns; end is called with the step's error. nil: nobody wants to know.
	Observe func(ctx context.Context, step string) (in context.Context, end func(error))
}

// Pool runs a Hasher under bounds. It is safe for any number of goroutines.
type Pool struct {
	h     Hasher
	rand  io.Reader
	dummy string
	slots chan struct{}
	queue int64

	observe func(context.Context, string) (context.Context, func(error))

	waiting, shed, done atomic.Int64

	turnedAway atomic.Int64  // callers who wait in HasRoom
	vacated    chan struct{} // wakes one of them

	tables tables
}

// Stats is what a Pool is doing and has done.
type Stats struct {
	Workers int   // the most that run at once
	Queue   int   // the most that wait
	Running int   // hashes at work, or not yet collected
	Waiting int   // callers in the queue
	Done    int64 // hashes finished since the start
	Shed    int64 // callers refused with ErrBusy since the start
	// Collections is how often what hashes left was collected since the start.
	Collections int64
}

// assumedMemory is what a hasher of another package is taken to hold.
const assumedMemory = 64 << 20

// NewPool makes a pool. It fails if the hasher cannot make its dummy, such as Bcrypt.
func NewPool(h Hasher, o PoolOptions) (*Pool, error) {
	if h == nil {
		return nil, errors.New("password: no hasher")
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MemoryLimit > 0 {
		o.Workers = max(1, min(o.Workers, int(min(o.MemoryLimit/memoryOf(h), 1<<20))))
	}
	switch {
	case o.Queue == 0:
		o.Queue = 64
	case o.Queue < 0:
		o.Queue = 0
	}
	if o.Observe == nil {
		o.Observe = func(ctx context.Context, _ string) (context.Context, func(error)) { return ctx, func(error) {} }
	}
	dummy, err := dummyOf(h, o.Rand)
	if err != nil {
		return nil, fmt.Errorf("password: making the dummy hash: %w", err)
	}
	return &Pool{h: h, rand: o.Rand, dummy: dummy, slots: make(chan struct{}, o.Workers), queue: int64(o.Queue),
		vacated: make(chan struct{}, o.Workers+o.Queue), observe: o.Observe}, nil
}

// Hash makes a new hash. Errors: ErrBusy, ErrTooLong, the context's, the source of
// randomness's.
func (p *Pool) Hash(ctx context.Context, password string) (hash string, err error) {
	ctx, end := p.observe(ctx, "hash")
	defer func() { end(err) }()
	if err := p.acquire(ctx); err != nil {
		return "", err
	}
	defer p.release(p.tables.begin())
	return p.h.Hash(p.rand, password)
}

// Verify checks a password; rehash tells that it is right and that its hash should be
// replaced. An error, ErrBusy, ErrUnknownHash or the context's, never means that the
// password is wrong. An unreadable hash takes the time of a new one.
func (p *Pool) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	ctx, end := p.observe(ctx, "verify")
	defer func() { end(err) }()
	if err := p.acquire(ctx); err != nil {
		return false, false, err
	}
	defer p.release(p.tables.begin())
	ok, known := p.h.Verify(hash, password)
	if !known {
		p.h.Verify(p.dummy, password)
		return false, false, ErrUnknownHash
	}
	return ok, ok && p.h.NeedsRehash(hash), nil
}

// Burn spends what verifying a new hash takes and discards the result, so that an unknown
// account answers no sooner than a wrong password. Accounts whose hash is of an older
// form still take that form's time. Errors: ErrBusy, the context's.
func (p *Pool) Burn(ctx context.Context, password string) (err error) {
	ctx, end := p.observe(ctx, "verify")
	defer func() { end(err) }()
	if err := p.acquire(ctx); err != nil {
		return err
	}
	defer p.release(p.tables.begin())
	p.h.Verify(p.dummy, password)
	return nil
}

// HasRoom returns ErrBusy where a hash would be refused, before anything is spent on a
// request that wants one. It waits up to roomWait for room before: clients that come again
// at once, whatever Retry-After says, would otherwise take the processors from everybody by
// being refused. Beyond maxTurnedAway callers it does not wait. A nil promises nothing.
// Errors: ErrBusy, the context's.
func (p *Pool) HasRoom(ctx context.Context) error {
	if p.roomy() {
		return nil
	}
	return p.awaitRoom(ctx)
}

// awaitRoom is HasRoom for who has looked once. It looks again when it is counted: a place
// that became free in between has woken nobody.
func (p *Pool) awaitRoom(ctx context.Context) error {
	defer p.turnedAway.Add(-1)
	if p.turnedAway.Add(1) <= maxTurnedAway {
		enough := time.NewTimer(roomWait)
		defer enough.Stop()
		for over := false; !over; {
			if p.roomy() {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-p.vacated:
			case <-enough.C:
				over = true
			}
		}
		if p.roomy() {
			return nil
		}
	}
	p.shed.Add(1)
	return ErrBusy{RetryAfter: p.retryAfter(p.waiting.Load())}
}

const (
	roomWait      = time.Second
	maxTurnedAway = 1024 // each holds a connection with its request
)

// vacate wakes one who waits in HasRoom: a place has become free. It may wake one too many,
// who looks and waits on.
func (p *Pool) vacate() {
	if p.turnedAway.Load() > 0 {
		select {
		case p.vacated <- struct{}{}:
		default: // as many as there are places have been woken
		}
	}
}

func (p *Pool) roomy() bool { return len(p.slots) < cap(p.slots) || p.waiting.Load() < p.queue }

// Stats returns a snapshot.
func (p *Pool) Stats() Stats {
	return Stats{
		Workers: cap(p.slots), Queue: int(p.queue),
		Running: len(p.slots), Waiting: int(p.waiting.Load()),
		Done: p.done.Load(), Shed: p.shed.Load(), Collections: p.tables.collected.Load(),
	}
}

// acquire takes a slot, waiting in the queue's order. A hash that has begun cannot be
// stopped; the context counts only until then.
func (p *Pool) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	for {
		n := p.waiting.Load()
		if n >= p.queue {
			p.shed.Add(1)
			return ErrBusy{RetryAfter: p.retryAfter(n)}
		}
		if p.waiting.CompareAndSwap(n, n+1) {
			break
		}
	}
	defer func() { p.waiting.Add(-1); p.vacate() }()
	select {
	case p.slots <- struct{}{}:
		if err := ctx.Err(); err != nil { // both were ready
			<-p.slots
			return err
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release gives the slot back that a hash had, when what it left is collected. Its caller
// does not wait for that.
func (p *Pool) release(r *run) {
	p.done.Add(1)
	if !p.tables.end(r) {
		p.leave()
		return
	}
	go func() {
		p.tables.collect(r, p.waiting.Load() == 0)
		p.leave()
	}()
}

func (p *Pool) leave() {
	<-p.slots
	if p.waiting.Load() == 0 { // else the first of the queue takes it, and leaves a place there
		p.vacate()
	}
}

// retryAfter is how long a queue of that length lasts at the nominal 100 ms of a scrypt.
func (p *Pool) retryAfter(waiting int64) time.Duration {
	d := time.Duration(waiting) * 100 * time.Millisecond / time.Duration(cap(p.slots))
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}

func memoryOf(h Hasher) int64 {
	if c, ok := h.(interface{ memory() int64 }); ok {
		return c.memory()
	}
	return assumedMemory
}

// dummyOf falls back to hashing random text for a hasher of another package.
func dummyOf(h Hasher, rand io.Reader) (string, error) {
	if c, ok := h.(costed); ok {
		return c.dummy(rand)
	}
	s, err := randomHex(rand, 16)
	if err != nil {
		return "", err
	}
	return h.Hash(rand, s)
}
