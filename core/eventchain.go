package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// With Audit.Chain every event is linked to the one before it, by one process at a time,
// a moment after it was written. Its link is
//
//	hash = SHA-256(version, previous hash, seq, id, type, actor, reason, time, commitment)
//	commitment = SHA-256(version, salt, user, address, user agent, request id, detail)
//
// each part with its length. What is personal is in the commitment alone: erasing it
// erases the salt too, without which nobody can try out whether a guess fits, and leaves
// every hash as it is.
//
// The first and the last link are kept beside the chain, sealed with the server's secret:
// who can write to the database alone can rewrite the chain, and not that. What they can do
// is to put an older state of the whole database back. Against that, the head must be kept
// elsewhere ("sallyport audit verify" prints it, and takes it back).
const (
	chainEvery   = time.Second
	chainBatch   = 200
	chainLock    = "security-event-chain"
	chainVersion = "sallyport-audit-1"
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

// chainEnds are both ends: the last link that was taken off at the beginning, and the last
// of all. A chain that has not begun has 0 and no hash.
type chainEnds struct {
	Base     int64  `json:"base"`
	BaseHash string `json:"baseHash"`
	Head     int64  `json:"head"`
	HeadHash string `json:"headHash"`
}

// errChainState says that the ends of the chain cannot be trusted.
var errChainState = errors.New("core: the sealed ends of the chain of security events cannot be opened: " +
	"they were altered, or sealed with a secret that is no longer configured")

// readChain reads both ends. stored is the row as it is, empty without one.
func (h *Host) readChain(ctx context.Context, tx *Tx) (ends chainEnds, stored string, err error) {
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
func (h *Host) writeChain(ctx context.Context, tx *Tx, ends chainEnds, was string) error {
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
			r := &rows[i]
			var salt [16]byte
			if _, err := io.ReadFull(h.random, salt[:]); err != nil {
				return fmt.Errorf("core: randomness: %w", err)
			}
			text := base64.RawURLEncoding.EncodeToString(salt[:])
			ends.Head++
			r.Salt = &text
			commitment := r.commit()
			r.Seq, r.Commitment = &ends.Head, &commitment
			ends.HeadHash = r.link(ends.HeadHash)
			if _, err := tx.Exec(ctx, "UPDATE {securityEvent=} SET {securityEvent:seq} = ?, {securityEvent:hash} = ?, {securityEvent:commitment} = ?, "+
				"{securityEvent:salt} = ? WHERE {securityEvent.id} = ?", ends.Head, ends.HeadHash, commitment, text, r.ID); err != nil {
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

// link is the hash of a row that has its seq and commitment.
func (e *eventRow) link(previous string) string {
	return chainHash(&previous, ptrTo(fmt.Sprint(*e.Seq)), &e.ID, &e.Type, e.Actor, e.Reason,
		ptrTo(fmt.Sprint(e.CreatedAt.UnixMilli())), e.Commitment)
}

// commit is the commitment to what is personal in a row that has its salt.
func (e *eventRow) commit() string {
	return chainHash(e.Salt, e.UserID, e.IPAddress, e.UserAgent, e.RequestID, e.Detail)
}

// chainHash hashes parts so that no two lists of them are one text: each has its length in
// front, and nothing is not the empty text.
func chainHash(parts ...*string) string {
	sum := sha256.New()
	sum.Write([]byte(chainVersion))
	for _, p := range parts {
		var head [9]byte
		if p != nil {
			head[0] = 1
			binary.BigEndian.PutUint64(head[1:], uint64(len(*p)))
		}
		sum.Write(head[:])
		if p != nil {
			sum.Write([]byte(*p))
		}
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

func ptrTo[T any](v T) *T { return &v }

// shortenChain takes events off at the beginning of the chain that are older than edge,
// and says how many. It stops at a break: what shows one is not deleted.
func (h *Host) shortenChain(ctx context.Context, edge time.Time) (n int64, err error) {
	if _, was, err := h.readChain(ctx, nil); was == "" || err != nil { // no chain, or none that can be trusted
		return 0, err
	}
	err = h.Lock(ctx, chainLock, func(ctx context.Context) error {
		return h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
			ends, was, err := h.readChain(ctx, tx)
			if err != nil {
				return err
			}
			rows, err := securityEvents.List(ctx, tx, ListOptions{Order: []Order{eventSeq.Asc()}, Limit: cleanBatch}, eventSeq.Gt(&ends.Base))
			if err != nil {
				return err
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
				return nil
			}
			if n, err = securityEvents.Delete(ctx, tx, eventSeq.Gt(&from), eventSeq.Le(&ends.Base)); err != nil {
				return err
			}
			return h.writeChain(ctx, tx, ends, was)
		})
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
