package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/eventchain"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// With Audit.Chain every event is linked to the one before it, by one process at a time,
// a moment after it was written. What a link is: package eventchain.
//
// The first and the last link are kept beside the chain, sealed with the server's secret:
// who can write to the database alone can rewrite the chain, and not that. What they can do
// is to put an older state of the whole database back. Against that, the head must be kept
// elsewhere ("sallyport audit verify" prints it, and takes it back).
const (
	chainEvery = time.Second
	chainBatch = 200
	chainLock  = "security-event-chain"
)

// chainRow holds both ends of the chain, sealed.
type chainRow struct {
	ID    string `db:"id" schema:"key"` // chainID: there is one
	State string `db:"state" schema:"hidden"`
}

const chainID = "chain"

var (
	eventChains = TableOf[chainRow]("securityEventChain")
	chainRowID  = Column(eventChains, func(c *chainRow) *string { return &c.ID })
	chainState  = Column(eventChains, func(c *chainRow) *string { return &c.State })
)

// errChainState says that the ends of the chain cannot be trusted.
var errChainState = errors.New("core: the sealed ends of the chain of security events cannot be opened: " +
	"they were altered, or sealed with a secret that is no longer configured")

// readChain reads both ends. stored is the row as it is, empty without one.
func (h *Host) readChain(ctx context.Context, tx *Tx) (ends eventchain.Ends, stored string, err error) {
	row, found, err := eventChains.Get(ctx, h.conn(tx), chainRowID.Eq(chainID))
	if err != nil || !found {
		return ends, "", err
	}
	raw, err := h.Open(chainLock, row.State, []byte(chainID))
	if err != nil || json.Unmarshal(raw, &ends) != nil {
		return ends, row.State, errChainState
	}
	return ends, row.State, nil
}

// writeChain stores both ends in the place of what was read. If somebody else has done so
// in between, nothing of tx may stay.
func (h *Host) writeChain(ctx context.Context, tx *Tx, ends eventchain.Ends, was string) error {
	raw, err := json.Marshal(ends)
	if err != nil {
		return err
	}
	state, err := h.Seal(chainLock, raw, []byte(chainID))
	if err != nil {
		return err
	}
	if was == "" {
		made, err := eventChains.InsertNew(ctx, tx, &chainRow{chainID, state}, "id")
		if err == nil && !made {
			err = errChainRace
		}
		return err
	}
	n, err := eventChains.Update(ctx, tx, []Set{chainState.Set(state)}, chainRowID.Eq(chainID), chainState.Eq(was))
	if err == nil && n == 0 {
		err = errChainRace
	}
	return err
}

var errChainRace = errors.New("core: another process has linked security events meanwhile")

func (w *worker) chainLoop() {
	defer w.wg.Done()
	tick := time.NewTicker(chainEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(w.ctx, jobTime)
		_, err := w.h.linkEvents(ctx)
		cancel()
		if err != nil && !failing && w.ctx.Err() == nil { // once, until it works again
			w.h.log.Error("security events cannot be linked", w.h.failureArgs(err)...)
		}
		failing = err != nil
	}
}

// LinkEvents links the events that are not linked yet, and says how many. Background work
// does it every second where Audit.Chain is set; it is for programs without.
func (a *Auth) LinkEvents(ctx context.Context) (int, error) { return a.h.linkEvents(ctx) }

func (h *Host) linkEvents(ctx context.Context) (total int, err error) {
	err = h.Lock(ctx, chainLock, func(ctx context.Context) error {
		for {
			n, err := h.linkBatch(ctx)
			if total += n; err != nil || n < chainBatch {
				return err
			}
		}
	})
	return total, err
}

// linkBatch links the oldest events. One that is being erased at this moment is left for
// the next time.
func (h *Host) linkBatch(ctx context.Context) (n int, err error) {
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		rows, err := securityEvents.scanAll(tx.Query(ctx, "SELECT "+securityEvents.selects+" FROM {securityEvent=} WHERE {securityEvent.seq} IS NULL "+
			"ORDER BY {securityEvent.createdAt}, {securityEvent.id} LIMIT ? {skip locked}", int64(chainBatch)))
		if err != nil || len(rows) == 0 {
			return err
		}
		ends, was, err := h.readChain(ctx, tx)
		if err != nil {
			return err
		}
		for i := range rows {
			var salt [16]byte
			if _, err := io.ReadFull(h.random, salt[:]); err != nil {
				return fmt.Errorf("core: randomness: %w", err)
			}
			r := (*eventchain.Record)(&rows[i])
			ends.Append(r, salt)
			if _, err := tx.Exec(ctx, "UPDATE {securityEvent=} SET {securityEvent:seq} = ?, {securityEvent:hash} = ?, {securityEvent:commitment} = ?, "+
				"{securityEvent:salt} = ? WHERE {securityEvent.id} = ?", *r.Seq, *r.Hash, *r.Commitment, *r.Salt, r.ID); err != nil {
				return err
			}
		}
		n = len(rows)
		return h.writeChain(ctx, tx, ends, was)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// holdChain keeps others from linking events until tx ends. They do that for a moment every
// second, for which it waits, up to cleanPatience.
func (h *Host) holdChain(ctx context.Context, tx *Tx) error {
	for range 20 {
		if alone, err := tx.TryLock(ctx, chainLock); alone || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return &storage.Error{Kind: storage.Conflict, Err: errors.New("core: somebody links security events all the time")}
}

// shortenChain takes a batch of events off at the beginning of the chain that are older
// than edge, and says how many. It stops at a break: what shows one is not deleted.
func (h *Host) shortenChain(ctx context.Context, tx *Tx, edge time.Time) (n int64, err error) {
	if err := h.holdChain(ctx, tx); err != nil {
		return 0, err
	}
	ends, was, err := h.readChain(ctx, tx)
	if was == "" || err != nil { // no chain, or none that can be trusted
		return 0, err
	}
	rows, err := securityEvents.List(ctx, tx, ListOptions{Order: []Order{eventSeq.Asc()}, Limit: cleanBatch}, eventSeq.Gt(&ends.Base))
	if err != nil {
		return 0, err
	}
	from := ends.Base
	if len(rows) > 0 && *rows[0].Seq != from+1 {
		h.log.Error("the chain of security events is broken: its old events are kept until that was looked into", "seq", from+1)
	}
	for i := range rows {
		if *rows[i].Seq != ends.Base+1 || !rows[i].CreatedAt.Before(edge) || rows[i].Hash == nil {
			break
		}
		ends.Base, ends.BaseHash = *rows[i].Seq, *rows[i].Hash
	}
	if ends.Base == from {
		return 0, nil
	}
	if n, err = securityEvents.Delete(ctx, tx, eventSeq.Gt(&from), eventSeq.Le(&ends.Base)); err != nil {
		return 0, err
	}
	return n, h.writeChain(ctx, tx, ends, was)
}
