package core

import (
	"context"
	"fmt"
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
	v := &chainReader{h: h, kept: kept, r: &ChainReport{}}
	ends, was, err := h.readChain(ctx, nil)
	switch {
	case err == errChainState:
		v.fault(0, "", "the sealed ends of the chain were altered, or sealed with a secret that is no longer configured")
		err = nil
	case err != nil:
		return nil, err
	case was == "":
		err = v.absent(ctx)
	default:
		err = v.walk(ctx, ends)
	}
	if err != nil {
		return nil, err
	}
	v.r.Waiting, err = securityEvents.Count(ctx, h.db, eventSeq.Null())
	return v.r, err
}

type chainReader struct {
	h    *Host
	kept *ChainHead
	r    *ChainReport
}

// fault keeps the first break.
func (v *chainReader) fault(seq int64, id, format string, args ...any) {
	if v.r.Fault == nil {
		v.r.Fault = &ChainFault{seq, id, fmt.Sprintf(format, args...)}
	}
}

// absent is a chain without its ends: it has not begun, or they were taken away.
func (v *chainReader) absent(ctx context.Context) error {
	n, err := securityEvents.Count(ctx, v.h.db, eventSeq.NotNull())
	switch {
	case err != nil:
		return err
	case n > 0:
		v.fault(0, "", "there are %d linked events, and the sealed ends of the chain are gone", n)
	case v.kept != nil:
		v.fault(v.kept.Seq, "", "there is no chain, and there was one with this head")
	}
	return nil
}

// walk follows the chain from end to end. Events may be linked, deleted by retention and
// erased meanwhile.
func (v *chainReader) walk(ctx context.Context, ends chainEnds) error {
	at, hash := ends.Base, ends.BaseHash
	v.keptAt(at, hash, true)
	for at < ends.Head && v.r.Fault == nil {
		rows, err := securityEvents.List(ctx, v.h.db, ListOptions{Order: []Order{eventSeq.Asc()}, Limit: cleanBatch}, eventSeq.Gt(&at), eventSeq.Le(&ends.Head))
		if err != nil {
			return err
		}
		if len(rows) == 0 || *rows[0].Seq != at+1 {
			now, was, err := v.h.readChain(ctx, nil)
			if err != nil {
				return err
			}
			if was != "" && now.Base > at { // retention has gone on meanwhile
				at, hash = now.Base, now.BaseHash
				continue
			}
		}
		if len(rows) == 0 {
			v.fault(at+1, "", "missing: the chain ends here, and went on to %d", ends.Head)
			break
		}
		for i := range rows {
			if !v.row(&rows[i], at, hash) {
				break
			}
			at, hash = *rows[i].Seq, *rows[i].Hash
			v.keptAt(at, hash, false)
		}
	}
	if v.r.Fault == nil && at == ends.Head && hash != ends.HeadHash {
		v.fault(at, "", "the last event is another one than the sealed head says")
	}
	if v.r.Fault == nil && v.kept != nil && v.kept.Seq > ends.Head {
		v.fault(v.kept.Seq, "", "missing: the chain is shorter than when this head was kept")
	}
	v.r.Last, v.r.Head = at, hash
	return v.beyond(ctx)
}

// row checks one event against the link before it.
func (v *chainReader) row(e *eventRow, at int64, previous string) bool {
	switch {
	case *e.Seq != at+1:
		v.fault(at+1, "", "missing: the next event is %d", *e.Seq)
	case e.Hash == nil || e.Commitment == nil || *e.Hash != e.link(previous):
		v.fault(*e.Seq, e.ID, "altered, put in the place of another, or one before it was")
	case e.Salt != nil && *e.Commitment != e.commit():
		v.fault(*e.Seq, e.ID, "altered: user, address, user agent, request id or detail")
	case e.Salt == nil && !(isErased(e.UserID) && e.IPAddress == nil && e.UserAgent == nil && e.RequestID == nil && e.Detail == nil):
		v.fault(*e.Seq, e.ID, "altered: the salt is gone although nothing was erased")
	default:
		if v.r.Linked++; e.Salt == nil {
			v.r.Erased++
		}
		if v.r.First == 0 {
			v.r.First = *e.Seq
		}
		return true
	}
	return false
}

// keptAt compares a place with the head that was kept elsewhere.
func (v *chainReader) keptAt(seq int64, hash string, base bool) {
	if v.kept == nil {
		return
	}
	if v.kept.Seq == seq && v.kept.Hash != hash {
		v.fault(seq, "", "the hash is %s, and was another when this head was kept: the chain was rewritten", hash)
	}
	if base && v.kept.Seq < seq {
		v.kept = nil // retention has deleted it: nothing is to be compared
	}
}

// beyond looks for events behind the head. They are read before the head: an event that is
// linked in between belongs to it.
func (v *chainReader) beyond(ctx context.Context) error {
	rows, err := securityEvents.List(ctx, v.h.db, ListOptions{Order: []Order{eventSeq.Desc()}, Limit: 1}, eventSeq.NotNull())
	if err != nil || len(rows) == 0 {
		return err
	}
	ends, _, err := v.h.readChain(ctx, nil)
	if err == nil && *rows[0].Seq > ends.Head {
		v.fault(*rows[0].Seq, rows[0].ID, "added: the sealed head is %d", ends.Head)
	}
	return err
}
