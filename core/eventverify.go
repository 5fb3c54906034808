package core

import (
	"context"
	"fmt"

	"github.com/sallyport-auth/sallyport/core/internal/eventchain"
)

// ChainReport is what a verification of the chain of security events has found.
type ChainReport struct {
	// First and Last are the places of the first and last event that were looked at; 0
	// without any. Those before First were deleted by Audit.Retention.
	First, Last int64
	// Head is the hash of the last event: what to keep elsewhere, with Last.
	Head string
	// Linked, Erased and Waiting count events: in the chain, of these without what was
	// personal in them, and not linked yet.
	Linked, Erased, Waiting int64
	// Fault is the first break; nil if there is none.
	Fault *ChainFault
}

// ChainFault is a break in the chain.
type ChainFault struct {
	Seq  int64  // place; 0 where the chain as a whole is meant
	ID   string // of the event there, if there is one
	What string
}

func (f *ChainFault) Error() string {
	if f.ID == "" {
		return fmt.Sprintf("event %d: %s", f.Seq, f.What)
	}
	return fmt.Sprintf("event %d (%s): %s", f.Seq, f.ID, f.What)
}

// ChainHead is a place in the chain and its hash, as an earlier ChainReport had them.
type ChainHead struct {
	Seq  int64
	Hash string
}

// VerifyChain reads the chain of security events from its beginning and reports the first
// event that is missing, was added or was altered. An event that the server's own account
// wrote before it was linked looks like any other; what was personal in an event that was
// erased cannot be checked any more. That the whole database was put back to an earlier
// state shows only by a head that was kept elsewhere: give it as kept, nil for none.
func (h *Host) VerifyChain(ctx context.Context, kept *ChainHead) (*ChainReport, error) {
	r := &ChainReport{}
	ends, was, err := h.readChain(ctx, nil)
	switch {
	case err == errChainState:
		r.Fault = &ChainFault{What: "the sealed ends of the chain were altered, or sealed with a secret that is no longer configured"}
		err = nil
	case err != nil:
		return nil, err
	case was == "":
		r.Fault, err = h.absentChain(ctx, kept)
	default:
		w := eventchain.Begin(ends, (*eventchain.Head)(kept), isErased)
		err = h.walkChain(ctx, w, ends.Head)
		r.First, r.Last, r.Head, r.Linked, r.Erased, r.Fault = w.First, w.Last, w.Head, w.Linked, w.Erased, (*ChainFault)(w.Fault)
	}
	if err != nil {
		return nil, err
	}
	r.Waiting, err = securityEvents.Count(ctx, h.db, eventSeq.Null())
	return r, err
}

// absentChain is a chain without its ends: it has not begun, or they were taken away.
func (h *Host) absentChain(ctx context.Context, kept *ChainHead) (*ChainFault, error) {
	n, err := securityEvents.Count(ctx, h.db, eventSeq.NotNull())
	switch {
	case err != nil:
		return nil, err
	case n > 0:
		return &ChainFault{What: fmt.Sprintf("there are %d linked events, and the sealed ends of the chain are gone", n)}, nil
	case kept != nil:
		return &ChainFault{Seq: kept.Seq, What: "there is no chain, and there was one with this head"}, nil
	}
	return nil, nil
}

// walkChain follows the chain from end to end. Events may be linked, deleted by retention and
// erased meanwhile.
func (h *Host) walkChain(ctx context.Context, w *eventchain.Walk, head int64) error {
	for w.Going() {
		rows, err := securityEvents.List(ctx, h.db, ListOptions{Order: []Order{eventSeq.Asc()}, Limit: cleanBatch}, eventSeq.Gt(&w.Last), eventSeq.Le(&head))
		if err != nil {
			return err
		}
		if len(rows) == 0 || *rows[0].Seq != w.Last+1 {
			now, was, err := h.readChain(ctx, nil)
			if err != nil {
				return err
			}
			if was != "" && w.Skip(now) { // retention has gone on meanwhile
				continue
			}
		}
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			if !w.Next((*eventchain.Record)(&rows[i])) {
				break
			}
		}
	}
	w.End()
	return h.beyondChain(ctx, w)
}

// beyondChain looks for events behind the head. They are read before the head: an event that
// is linked in between belongs to it.
func (h *Host) beyondChain(ctx context.Context, w *eventchain.Walk) error {
	rows, err := securityEvents.List(ctx, h.db, ListOptions{Order: []Order{eventSeq.Desc()}, Limit: 1}, eventSeq.NotNull())
	if err != nil || len(rows) == 0 {
		return err
	}
	ends, _, err := h.readChain(ctx, nil)
	if err == nil && *rows[0].Seq > ends.Head {
		w.Break(*rows[0].Seq, rows[0].ID, "added: the sealed head is %d", ends.Head)
	}
	return err
}
