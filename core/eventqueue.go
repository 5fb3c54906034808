package core

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// Failures are recorded when their request is over: their transaction was undone, and a
// request must be neither slowed nor broken because its failure cannot be written down.
// So they wait in memory and are written together, every second; the log has had its line
// by then, whatever becomes of the row.
//
// A flood of failures must not become a flood of writes. Failures that are alike (type,
// reason, user, address, path) are one row, and after it one more a minute with their
// number, "count". Of those that differ, a process remembers at most laterMost at a time
// with a user and as many without, so that guessing at addresses that nobody has does not
// push out what happened to accounts; the log says how many found no room. When the
// database is down they wait, within the same bounds, until it is back. A process that is
// killed loses what waited: at most what happened in its last second.
const (
	laterEvery = time.Second
	laterQuiet = time.Minute
	laterMost  = 1000
	laterBatch = 100
	// laterTimeout is for one attempt to write: the next one may find the database back.
	laterTimeout = 5 * time.Second
)

// likeness is what makes two failures one.
type likeness struct{ kind, reason, user, ip, path string }

// waiting is a failure, and how many like it there were since it was last written.
type waiting struct {
	event *Event
	count int
	last  time.Time
	due   time.Time // not written before
}

type eventQueue struct {
	h       *Host
	writing sync.Mutex // by one at a time
	mu      sync.Mutex // of what follows
	list    map[likeness]*waiting
	known   int // of list, with a user
	lost    int
	failing bool // the last attempt to write failed, and was logged
}

func newEventQueue(h *Host) *eventQueue { return &eventQueue{h: h, list: map[likeness]*waiting{}} }

// RecordLater records an event that belongs to no change, soon and without being waited
// for: a failure, or what must cost nothing. It never fails; see the bounds above. c may
// be nil.
func (h *Host) RecordLater(c *Call, e *Event) {
	e.Call, e.Tx = c, nil
	ctx := context.Background()
	if c != nil && c.watched.ctx != nil {
		ctx = c.watched.ctx
	}
	if err := h.fillEvent(ctx, e); err != nil {
		h.log.Error("a security event is not recorded", h.failureArgs(err)...)
		return
	}
	e.Call = nil // it ends with the request
	if c != nil && e.Detail["path"] == "" {
		if e.Detail = maps.Clone(e.Detail); e.Detail == nil {
			e.Detail = map[string]string{}
		}
		e.Detail["path"] = c.ep.path
	}
	h.later.add(likeness{e.Type, e.Reason, e.UserID, e.IP, e.Detail["path"]}, e)
}

// recordFailure has an event recorded for what failed, where its class wants one, or it
// was the gate that refused. A failure of ours is about the service, and names nobody.
func (c *Call) recordFailure(f Failure) {
	kind := f.Event
	if kind == "" && c.refused && f.Status < 500 {
		kind = EventSignInFailed
	}
	if kind == "" {
		return
	}
	e := &Event{Type: kind, Reason: string(f.Class), Detail: map[string]string{"code": f.Code}}
	if f.Status >= 500 {
		e.Detail["path"] = c.ep.path
		c.host.RecordLater(nil, e)
		return
	}
	if e.UserID = c.concerns; e.UserID == "" && c.user != nil {
		e.UserID = c.user.ID
	}
	c.host.RecordLater(c, e)
}

func (q *eventQueue) add(k likeness, e *Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.list[k]
	switch {
	case w != nil:
		if w.count == 0 { // of the next row, the first
			w.event = e
		}
	case k.user != "" && q.known >= laterMost || k.user == "" && len(q.list)-q.known >= laterMost:
		q.lost++
		return
	default:
		w = &waiting{event: e, due: e.At}
		q.list[k] = w
		if k.user != "" {
			q.known++
		}
	}
	w.count, w.last = w.count+1, e.At
}

// take returns what is due, and forgets what was not repeated.
func (q *eventQueue) take(now time.Time, all bool) (keys []likeness, events []*Event, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for k, w := range q.list {
		if w.due.After(now) && !all {
			continue
		}
		if w.count == 0 {
			delete(q.list, k)
			if k.user != "" {
				q.known--
			}
			continue
		}
		e := *w.event
		if w.count > 1 {
			e.Detail = maps.Clone(e.Detail)
			if e.Detail == nil {
				e.Detail = map[string]string{}
			}
			e.Detail["count"], e.Detail["last"] = strconv.Itoa(w.count), w.last.Format(time.RFC3339)
		}
		keys, events = append(keys, k), append(events, &e)
		w.count, w.due = 0, now.Add(laterQuiet)
	}
	lost, q.lost = q.lost, 0
	return keys, events, lost
}

// giveBack has events wait that could not be written.
func (q *eventQueue) giveBack(keys []likeness, events []*Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, k := range keys {
		w := q.list[k]
		if w == nil { // cannot be: only take forgets, and it is not running
			continue
		}
		n := 1
		if c, err := strconv.Atoi(events[i].Detail["count"]); err == nil {
			n = c
		}
		if w.count == 0 {
			w.last = events[i].At
		}
		w.event, w.count, w.due = events[i], w.count+n, time.Time{}
	}
}

// flush writes what is due, or everything that waits.
func (q *eventQueue) flush(ctx context.Context, all bool) error {
	q.writing.Lock()
	defer q.writing.Unlock()
	keys, events, lost := q.take(q.h.Now(), all)
	if lost > 0 {
		q.h.log.Warn("security events found no room and are in the log alone", slog.Int("events", lost))
	}
	for len(events) > 0 {
		done, err := q.write(ctx, events[:min(len(events), laterBatch)])
		q.h.tellLocked(ctx, events[:done])
		keys, events = keys[done:], events[done:]
		if err == nil {
			continue
		}
		q.giveBack(keys, events)
		if !q.failing {
			q.failing = true
			q.h.log.Error("security events cannot be written and wait", append(q.h.failureArgs(err), slog.Int("events", len(events)))...)
		}
		return err
	}
	q.failing = false
	return nil
}

// write writes events, together where no hook wants to see each, and says how many are
// settled. Its error means that the database is not there. An event that is refused in
// another way, by a hook or a value, is settled: it is in the log, and would be refused
// again.
func (q *eventQueue) write(ctx context.Context, events []*Event) (settled int, err error) {
	if len(q.h.hooks[EventRecorded]) == 0 {
		list := make([]storage.Statement, len(events))
		for i, e := range events {
			if list[i], err = q.h.eventStatement(e); err != nil {
				return 0, err
			}
		}
		if _, err = q.h.db.Batch(ctx, list...); err == nil {
			return len(events), nil
		}
		if absent(err) {
			return 0, err
		}
	}
	for i, e := range events {
		if err := q.h.Record(ctx, e); absent(err) {
			return i, err
		} else if err != nil {
			q.h.log.LogAttrs(ctx, slog.LevelError, "a security event was refused", append(q.h.failureAttrs(err), slog.String("event", e.Type))...)
		}
	}
	return len(events), nil
}

// absent tells whether an error says that the database could not be asked.
func absent(err error) bool {
	var db *storage.Error
	if errors.As(err, &db) {
		switch db.Kind {
		case storage.Unique, storage.ForeignKey, storage.NotNull, storage.Check, storage.Data:
			return false
		}
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func (w *worker) eventLoop() {
	defer w.wg.Done()
	tick := time.NewTicker(laterEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(w.ctx, laterTimeout)
			_ = w.h.later.flush(ctx, false) // it has logged what is to be known
			cancel()
		}
	}
}

// close writes what still waits, as far as the database lets it.
func (q *eventQueue) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, laterTimeout)
	defer cancel()
	_ = q.flush(ctx, true) // it has logged what is to be known
}

// FlushEvents writes the security events that wait. Background work does it every second;
// it is for programs without (Config.NoBackground), and for tests.
func (a *Auth) FlushEvents(ctx context.Context) error { return a.h.later.flush(ctx, true) }
