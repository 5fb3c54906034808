package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// races is the promise itself: readers who ask a "database" where no copy is, while the
// row changes again and again. Whoever begins to read when a change has returned must see
// it, from whichever replica.
func (s *sessionSuite) races() {
	var row, seen atomic.Int64 // the row's value, and the newest change that has returned
	var readers sync.WaitGroup
	done := make(chan struct{})
	served := atomic.Int64{}
	for range 50 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				least := seen.Load()
				store := s.any()
				data, version, err := store.Read(s.Context(), "k")
				if err != nil {
					s.Errorf("Read: %v", err)
					return
				}
				if data != nil {
					served.Add(1)
					var got int64
					fmt.Sscan(string(data), &got)
					if got < least {
						s.Errorf("served %d after %d had returned", got, least)
						return
					}
					continue
				}
				read := row.Load()
				if _, err := store.Write(s.Context(), "k", contract.SessionCopy{Data: fmt.Append(nil, read), Subjects: []string{"s1", "u1"}, Life: time.Minute}, version); err != nil {
					s.Errorf("Write: %v", err)
					return
				}
			}
		})
	}
	for change := int64(1); change <= 40; change++ {
		until := time.Now().Add(20 * time.Second)
		for before := served.Load(); served.Load() < before+5 && !s.Failed(); { // copies are in use
			time.Sleep(100 * time.Microsecond)
			if time.Now().After(until) {
				s.Errorf("no copy is served after change %d", change-1)
			}
		}
		store := s.any()
		subject := []string{"s1", "u1"}[change%2]
		mark, err := store.Block(s.Context(), time.Minute, subject)
		row.Store(change)
		if err == nil {
			err = store.Release(s.Context(), mark, subject)
		}
		if err != nil {
			s.Errorf("change %d: %v", change, err)
			break
		}
		seen.Store(change)
	}
	close(done)
	readers.Wait()
	if served.Load() == 0 {
		s.Error("no copy was ever served: the test has shown nothing")
	}
}
