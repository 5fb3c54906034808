package password

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// gate is a hasher whose hashes last until the test lets them go.
type gate struct {
	started, let chan struct{}
	now, most    atomic.Int64
	verified     sync.Map // hash verified against
	hashes       atomic.Int64
}

func newGate() *gate { return &gate{started: make(chan struct{}, 100), let: make(chan struct{})} }

func (g *gate) work() {
	n := g.now.Add(1)
	for m := g.most.Load(); n > m && !g.most.CompareAndSwap(m, n); m = g.most.Load() {
	}
	g.started <- struct{}{}
	<-g.let
	g.now.Add(-1)
}

func (g *gate) Hash(rand io.Reader, password string) (string, error) {
	b := make([]byte, 4)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", err
	}
	if g.hashes.Add(1) > 1 { // the first makes the dummy
		g.work()
	}
	return "h:" + password, nil
}

func (g *gate) Verify(hash, password string) (ok, known bool) {
	g.verified.Store(hash, true)
	if hash == "unreadable" {
		return false, false
	}
	g.work()
	return hash == "h:"+password, true
}

func (g *gate) NeedsRehash(hash string) bool { return hash == "h:old" }

func pool(t *testing.T, h Hasher, o PoolOptions) *Pool {
	t.Helper()
	if o.Rand == nil {
		o.Rand = bytes.NewReader(make([]byte, 1<<12))
	}
	p, err := NewPool(h, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wait spins until the pool's numbers are as wanted; the test's own time limit ends it.
func wait(p *Pool, running, waiting int) {
	for s := p.Stats(); s.Running != running || s.Waiting != waiting; s = p.Stats() {
		runtime.Gosched()
	}
}

func TestPoolBounds(t *testing.T) {
	g := newGate()
	p := pool(t, g, PoolOptions{Workers: 2, Queue: 3})
	ctx := context.Background()
	results := make(chan error, 5)
	for range 5 {
		go func() {
			ok, _, err := p.Verify(ctx, "h:x", "x")
			if !ok && err == nil {
				err = errors.New("wrong")
			}
			results <- err
		}()
	}
	wait(p, 2, 3)
	var busy ErrBusy
	if _, err := p.Hash(ctx, "x"); !errors.As(err, &busy) || busy.RetryAfter != time.Second {
		t.Errorf("Hash: %v", err)
	}
	if ok, rehash, err := p.Verify(ctx, "h:x", "x"); ok || rehash || !errors.As(err, &busy) {
		t.Errorf("Verify: %v %v %v", ok, rehash, err)
	}
	if err := p.Burn(ctx, "x"); !errors.As(err, &busy) {
		t.Errorf("Burn: %v", err)
	}
	if s := p.Stats(); s != (Stats{Workers: 2, Queue: 3, Running: 2, Waiting: 3, Shed: 3}) {
		t.Errorf("%+v", s)
	}
	for g.most.Load() < 2 { // who has a slot may not be at work yet
		runtime.Gosched()
	}
	close(g.let)
	for range 5 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if most := g.most.Load(); most != 2 {
		t.Errorf("%d ran at once", most)
	}
	wait(p, 0, 0)
	if s := p.Stats(); s.Done != 5 || s.Shed != 3 {
		t.Errorf("%+v", s)
	}
}

func TestPoolCancel(t *testing.T) {
	g := newGate()
	p := pool(t, g, PoolOptions{Workers: 1, Queue: 1})
	first := make(chan error, 1)
	go func() { first <- p.Burn(context.Background(), "x") }()
	<-g.started
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() {
		ok, rehash, err := p.Verify(ctx, "h:x", "x")
		if ok || rehash {
			err = errors.New("a verdict beside the error")
		}
		second <- err
	}()
	wait(p, 1, 1)
	cancel()
	if err := <-second; err != context.Canceled {
		t.Errorf("while queued: %v", err)
	}
	wait(p, 1, 0)
	close(g.let)
	if err := <-first; err != nil {
		t.Error(err)
	}
	wait(p, 0, 0)
	if _, err := p.Hash(ctx, "x"); err != context.Canceled {
		t.Errorf("cancelled before: %v", err)
	}
	if n := p.Stats().Done; n != 1 {
		t.Errorf("%d hashes were done", n)
	}
}

func TestPoolVerdicts(t *testing.T) {
	g := newGate()
	close(g.let)
	p := pool(t, g, PoolOptions{Workers: 1})
	ctx := context.Background()
	for _, c := range []struct {
		hash, password string
		ok, rehash     bool
		err            error
	}{
		{"h:new", "new", true, false, nil},
		{"h:old", "old", true, true, nil},
		{"h:old", "new", false, false, nil},
		{"unreadable", "x", false, false, ErrUnknownHash},
	} {
		g.verified.Clear()
		ok, rehash, err := p.Verify(ctx, c.hash, c.password)
		if ok != c.ok || rehash != c.rehash || !errors.Is(err, c.err) {
			t.Errorf("%s: %v %v %v", c.hash, ok, rehash, err)
		}
		if _, burnt := g.verified.Load(p.dummy); burnt != (c.err != nil) {
			t.Errorf("%s: dummy used: %v", c.hash, burnt)
		}
	}
	g.verified.Clear()
	if err := p.Burn(ctx, "x"); err != nil {
		t.Error(err)
	}
	if _, burnt := g.verified.Load(p.dummy); !burnt {
		t.Error("Burn did not use the dummy")
	}
	if h, err := p.Hash(ctx, "x"); err != nil || h != "h:x" {
		t.Error(h, err)
	}
}

// panics is a hasher with a defect.
type panics struct {
	gate
	table []byte
	size  int
}

func (p *panics) Verify(string, string) (bool, bool) {
	p.table = make([]byte, p.size)
	p.table = nil
	panic("defect")
}

func TestPoolPanicFreesSlot(t *testing.T) {
	for _, size := range []int{0, largeTable} { // with the second one the slot comes back after the answer
		p := pool(t, &panics{size: size}, PoolOptions{Workers: 1})
		for range 2 {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				p.Burn(t.Context(), "x")
			}()
		}
		wait(p, 0, 0)
		if s := p.Stats(); s.Done != 2 || (s.Collections == 2) != (size > 0) {
			t.Errorf("%+v", s)
		}
	}
}

func TestPoolOptions(t *testing.T) {
	mb := int64(1 << 20)
	for _, c := range []struct {
		name          string
		h             Hasher
		o             PoolOptions
		workers, size int
	}{
		{"defaults", Scrypt(), PoolOptions{}, runtime.GOMAXPROCS(0), 64},
		{"no queue", Scrypt(), PoolOptions{Workers: 3, Queue: -1}, 3, 0},
		{"room for two scrypt", Scrypt(), PoolOptions{Workers: 8, MemoryLimit: 96 * mb}, 2, 64},
		{"room for less than one", Scrypt(), PoolOptions{Workers: 8, MemoryLimit: 1}, 1, 64},
		{"room for all", Scrypt(), PoolOptions{Workers: 8, MemoryLimit: 1 << 40}, 8, 64},
		{"stored argon2id count", Multi(Scrypt()), PoolOptions{Workers: 8, MemoryLimit: 128 * mb}, 2, 64},
		{"hasher of another package", newGate(), PoolOptions{Workers: 8, MemoryLimit: 192 * mb}, 3, 64},
	} {
		if s := pool(t, c.h, c.o).Stats(); s.Workers != c.workers || s.Queue != c.size {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
	for name, c := range map[string]struct {
		h Hasher
		r io.Reader
	}{
		"no hasher":         {nil, nil},
		"bcrypt alone":      {Bcrypt(), nil},
		"bcrypt to make":    {Multi(Bcrypt()), nil},
		"broken randomness": {Scrypt(), iotest.ErrReader(errors.New("broken"))},
	} {
		if p, err := NewPool(c.h, PoolOptions{Rand: c.r}); err == nil || p != nil {
			t.Errorf("%s: a pool", name)
		}
	}
	p := pool(t, Scrypt(), PoolOptions{Workers: 2, Queue: 64})
	if d := p.retryAfter(64); d != 4*time.Second {
		t.Errorf("a full queue of 64 on 2 workers: %v", d)
	}
}

// TestDummies checks that the burnt hash is of the form and cost of a new one.
func TestDummies(t *testing.T) {
	for name, c := range map[string]struct {
		h      Hasher
		prefix string
	}{
		"scrypt": {Scrypt(), ""}, "argon2id": {Argon2id(fast), "$argon2id$v=19$m=8,t=1,p=1$"},
		"multi": {Multi(Argon2id(fast)), "$argon2id$v=19$m=8,t=1,p=1$"}, "multi scrypt": {Multi(Scrypt()), ""},
	} {
		p, err := NewPool(c.h, PoolOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p.dummy, c.prefix) || c.h.NeedsRehash(p.dummy) {
			t.Errorf("%s: %s", name, p.dummy)
		}
		if ok, known := c.h.Verify(p.dummy, ""); ok || !known {
			t.Errorf("%s: %v %v", name, ok, known)
		}
		q, err := NewPool(c.h, PoolOptions{Workers: 1})
		if err != nil || q.dummy == p.dummy {
			t.Errorf("%s: the same dummy twice, %v", name, err)
		}
	}
}
