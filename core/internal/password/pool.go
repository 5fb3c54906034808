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

// ErrBusy is returned at once when the queue is full. Compare with errors.As.
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
}

// Stats is what a Pool is doing and has done.
type Stats struct {
	Workers int   // the most that run at once
	Queue   int   // the most that wait
	Running int   // hashes at work
	Waiting int   // callers in the queue
	Done    int64 // hashes finished since the start
	Shed    int64 // callers refused with ErrBusy since the start
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
	return &Pool{h: h, rand: o.Rand, dummy: dummy, slots: make(chan struct{}, o.Workers), queue: int64(o.Queue), observe: o.Observe}, nil
}

// Hash makes a new hash. Errors: ErrBusy, ErrTooLong, the context's, the source of
// randomness's.
func (p *Pool) Hash(ctx context.Context, password string) (hash string, err error) {
	ctx, end := p.observe(ctx, "hash")
	defer func() { end(err) }()
	if err := p.acquire(ctx); err != nil {
		return "", err
	}
	defer p.release()
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
	defer p.release()
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
	defer p.release()
	p.h.Verify(p.dummy, password)
	return nil
}

// Stats returns a snapshot.
func (p *Pool) Stats() Stats {
	return Stats{
		Workers: cap(p.slots), Queue: int(p.queue),
		Running: len(p.slots), Waiting: int(p.waiting.Load()),
		Done: p.done.Load(), Shed: p.shed.Load(),
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
	defer p.waiting.Add(-1)
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

func (p *Pool) release() {
	p.done.Add(1)
	<-p.slots
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
