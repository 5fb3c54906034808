package core

import (
	"context"
	"encoding/base64"
	"strings"
	"sync"
	"time"
)

// erasedPrefix begins what takes the place of the id of a user who was deleted.
const erasedPrefix = "erased-"

// pseudonym stands for a user who was deleted. It is the same for all events of the user,
// so that the history stays one, and nobody without the secret can tell whose it was.
func (h *Host) pseudonym(userID string) string {
	return erasedPrefix + base64.RawURLEncoding.EncodeToString(h.MAC("security-event-user", []byte(userID))[:18])
}

// eraseEvents takes everything personal out of a user's events: what happened when stays.
func (h *Host) eraseEvents(ctx context.Context, tx *Tx, userID string) error {
	name := h.pseudonym(userID)
	_, err := securityEvents.Update(ctx, h.conn(tx), []Set{eventUser.Set(&name), eventIP.SetNull(), eventAgent.SetNull(),
		eventRequest.SetNull(), eventDetail.SetNull(), eventSalt.SetNull()}, eventUser.Eq(&userID))
	return err
}

func isErased(userID *string) bool { return userID != nil && strings.HasPrefix(*userID, erasedPrefix) }

// eventChores erase events of users who are gone, and delete those that are older than
// Audit.Retention. Those of a chain go from its beginning on.
func (h *Host) eventChores(now time.Time) []chore {
	list := []chore{{"securityEvent", func(ctx context.Context) (int64, error) { return 0, h.sweepEvents(ctx) }}}
	if *h.cfg.Audit.Retention == 0 {
		return list
	}
	edge := now.Add(-time.Duration(*h.cfg.Audit.Retention) * time.Second)
	return append(list, h.expired("securityEvent", "createdAt", edge, "{securityEvent:seq} IS NULL"),
		h.inBatches("securityEventChain", func(ctx context.Context, tx *Tx) (int64, error) { return h.shortenChain(ctx, tx, edge) }))
}

// sweep is where the next one goes on.
type sweep struct {
	sync.Mutex
	begun bool
	from  string
}

// sweepUsers is how many users one clean-up looks after.
const sweepUsers = 500

// sweepEvents erases events of users who are gone and were not deleted by core: by Better
// Auth on the same database, by hand, or a moment before a failure of theirs was written.
// Each clean-up looks at the next users by id. The first begins anywhere, so that a process
// that often starts gets to all of them.
func (h *Host) sweepEvents(ctx context.Context) error {
	h.sweep.Lock()
	defer h.sweep.Unlock()
	if !h.sweep.begun {
		from, err := h.RandomString(Alphanumeric, 1)
		if err != nil {
			return err
		}
		h.sweep.from, h.sweep.begun = from, true
	}
	ids, err := h.eventUsers(ctx, h.sweep.from)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if isErased(&id) {
			continue
		}
		u, err := h.UserByID(ctx, h.db, id)
		if err == nil && u == nil {
			err = h.eraseEvents(ctx, nil, id)
		}
		if err != nil {
			return err
		}
	}
	h.sweep.from = ""
	if len(ids) == sweepUsers {
		h.sweep.from = ids[len(ids)-1]
	}
	return nil
}

// eventUsers lists the next users who have events.
func (h *Host) eventUsers(ctx context.Context, from string) (ids []string, err error) {
	rows, err := h.db.Query(ctx, "SELECT {securityEvent.userId} FROM {securityEvent=} WHERE {securityEvent.userId} > ? "+
		"GROUP BY {securityEvent.userId} ORDER BY {securityEvent.userId} LIMIT ?", from, int64(sweepUsers))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return ids, rows.Close()
}
