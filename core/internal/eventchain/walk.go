package eventchain

import "fmt"

// Head is a place in a chain and its hash.
type Head struct {
	Seq  int64
	Hash string
}

// Fault is a break in a chain.
type Fault struct {
	Seq  int64  // place; 0 where the chain as a whole is meant
	ID   string // of the record there, if there is one
	What string
}

// Walk follows a chain from its base to its head, and keeps the first fault.
type Walk struct {
	// First and Last are the places of the first and last record that fitted, Head is the
	// hash of the last; without any the chain's base, and 0 for First.
	First, Last int64
	Head        string
	// Linked are the records that fitted, Erased those of them without what was personal.
	Linked, Erased int64
	Fault          *Fault

	ends   Ends
	kept   *Head
	erased func(userID *string) bool
}

// Begin begins a walk. kept is an earlier head that was kept elsewhere, nil for none; one that
// was taken off since is compared with nothing. erased tells whether a user id is what is left
// of an erased one.
func Begin(ends Ends, kept *Head, erased func(userID *string) bool) *Walk {
	w := &Walk{Last: ends.Base, Head: ends.BaseHash, ends: ends, kept: kept, erased: erased}
	w.compare()
	return w
}

// Break keeps a fault, if it is the first.
func (w *Walk) Break(seq int64, id, format string, args ...any) {
	if w.Fault == nil {
		w.Fault = &Fault{seq, id, fmt.Sprintf(format, args...)}
	}
}

// Going tells whether there is more of the chain, and no fault yet.
func (w *Walk) Going() bool { return w.Last < w.ends.Head && w.Fault == nil }

// Skip goes on from another base, where records were taken off in front of the walk.
func (w *Walk) Skip(now Ends) (skipped bool) {
	if now.Base <= w.Last {
		return false
	}
	w.Last, w.Head = now.Base, now.BaseHash
	return true
}

// Next checks the next record against the link before it, and tells whether it fits.
func (w *Walk) Next(r *Record) (fits bool) {
	switch {
	case *r.Seq != w.Last+1:
		w.Break(w.Last+1, "", "missing: the next event is %d", *r.Seq)
	case r.Hash == nil || r.Commitment == nil || *r.Hash != r.link(w.Head):
		w.Break(*r.Seq, r.ID, "altered, put in the place of another, or one before it was")
	case r.Salt != nil && *r.Commitment != r.commit():
		w.Break(*r.Seq, r.ID, "altered: user, address, user agent, request id or detail")
	case r.Salt == nil && !(w.erased(r.UserID) && r.IPAddress == nil && r.UserAgent == nil && r.RequestID == nil && r.Detail == nil):
		w.Break(*r.Seq, r.ID, "altered: the salt is gone although nothing was erased")
	default:
		if w.Linked++; r.Salt == nil {
			w.Erased++
		}
		if w.First == 0 {
			w.First = *r.Seq
		}
		w.Last, w.Head = *r.Seq, *r.Hash
		w.compare()
		return true
	}
	return false
}

// compare compares a place with the head that was kept elsewhere.
func (w *Walk) compare() {
	if w.kept != nil && w.kept.Seq == w.Last && w.kept.Hash != w.Head {
		w.Break(w.Last, "", "the hash is %s, and was another when this head was kept: the chain was rewritten", w.Head)
	}
}

// End is told that there are no more records.
func (w *Walk) End() {
	switch {
	case w.Last < w.ends.Head:
		w.Break(w.Last+1, "", "missing: the chain ends here, and went on to %d", w.ends.Head)
	case w.Last == w.ends.Head && w.Head != w.ends.HeadHash:
		w.Break(w.Last, "", "the last event is another one than the sealed head says")
	case w.kept != nil && w.kept.Seq > w.ends.Head:
		w.Break(w.kept.Seq, "", "missing: the chain is shorter than when this head was kept")
	}
}
