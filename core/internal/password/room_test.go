package password

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Who finds no room waits for it. A hash that ends lets one in at once, where it leaves a
// place in the queue as where there is no queue; others are refused after roomWait.
func TestHasRoom(t *testing.T) {
	for name, queue := range map[string]int{"no queue": -1, "a queue": 1} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { waitsForRoom(t, queue) }) })
	}
}

func waitsForRoom(t *testing.T, queue int) {
	g := newGate()
	p, err := NewPool(g, PoolOptions{Workers: 1, Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	hashed := make(chan error, 2)
	busy := 1 + max(queue, 0)
	for range busy {
		go func() {
			_, err := p.Hash(t.Context(), "a")
			hashed <- err
		}()
	}
	synctest.Wait()
	start := time.Now()
	waited := make(chan error, 2)
	for range 2 {
		go func() { waited <- p.HasRoom(t.Context()) }()
	}
	synctest.Wait()
	g.let <- struct{}{}
	if err := <-waited; err != nil || time.Since(start) != 0 {
		t.Errorf("with a place that became free: %v after %v", err, time.Since(start))
	}
	go func() { // who was let in takes the place
		_, err := p.Hash(t.Context(), "a")
		hashed <- err
	}()
	var refused ErrBusy
	if err := <-waited; !errors.As(err, &refused) || refused.RetryAfter < time.Second || time.Since(start) != roomWait {
		t.Errorf("without room: %v after %v", err, time.Since(start))
	}
	for range busy {
		g.let <- struct{}{}
	}
	for range busy + 1 {
		if err := <-hashed; err != nil {
			t.Error(err)
		}
	}
	if s := p.Stats(); s.Shed != 1 || p.turnedAway.Load() != 0 {
		t.Errorf("%d were shed, %d still wait", s.Shed, p.turnedAway.Load())
	}
}

// The context ends the waiting, and beyond maxTurnedAway nobody waits.
func TestHasRoomWithoutWaiting(t *testing.T) {
	g := newGate()
	p, err := NewPool(g, PoolOptions{Workers: 1, Queue: -1})
	if err != nil {
		t.Fatal(err)
	}
	hashed := make(chan error, 1)
	go func() {
		_, err := p.Hash(t.Context(), "a")
		hashed <- err
	}()
	<-g.started
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.HasRoom(over); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %v", err)
	}
	p.turnedAway.Store(maxTurnedAway)
	var busy ErrBusy
	if err := p.HasRoom(over); !errors.As(err, &busy) { // it does not look at the context, for it does not wait
		t.Errorf("with too many who wait: %v", err)
	}
	g.let <- struct{}{}
	if err := <-hashed; err != nil {
		t.Error(err)
	}
}

// A hash may end between the look that found no room and the waiting, and wake nobody.
func TestARoomThatBecameFreeBeforeTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewPool(newGate(), PoolOptions{Workers: 1, Queue: -1})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := p.awaitRoom(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
