package core

import (
	"context"
	"errors"
	"strings"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// RevokeSession deletes one session around SessionRevoke. Of N parallel calls for one
// session exactly one is told that it was there. What that means is the caller's to record.
func (h *Host) RevokeSession(ctx context.Context, tx *Tx, id string) (was bool, err error) {
	return h.revokeOne(ctx, tx, id, nil)
}

// revokeOne is RevokeSession with an event in the same statement.
func (h *Host) revokeOne(ctx context.Context, tx *Tx, id string, event *Event) (was bool, err error) {
	err = h.txIf(ctx, tx, SessionRevoke.has(h, before, after, committed), func(ctx context.Context, tx *Tx) error {
		e := &RevokeEvent{Tx: tx, SessionID: id}
		return SessionRevoke.Run(ctx, h, tx, e, func(ctx context.Context) error {
			return h.changing(ctx, tx, []string{sessionSubject(id)}, func(ctx context.Context) error {
				n, err := h.deleteSessions(ctx, e, event, storage.Statement{SQL: "DELETE FROM {session=} WHERE {session.id} = ?", Args: []any{id}})
				was = n == 1
				return err
			})
		})
	})
	return was, err
}

// RevokeSessions deletes all sessions of a user but the one with the id keep, around
// SessionRevoke, and forgets the devices that they signed in with. What that means is the
// caller's to record.
func (h *Host) RevokeSessions(ctx context.Context, tx *Tx, userID, keep string) error {
	return h.revokeAll(ctx, tx, userID, keep, nil)
}

// revokeAll is RevokeSessions with an event in the same statement.
func (h *Host) revokeAll(ctx context.Context, tx *Tx, userID, keep string, event *Event) error {
	return h.txIf(ctx, tx, SessionRevoke.has(h, before, after, committed), func(ctx context.Context, tx *Tx) error {
		e := &RevokeEvent{Tx: tx, UserID: userID, Keep: keep}
		return SessionRevoke.Run(ctx, h, tx, e, func(ctx context.Context) error {
			return h.changing(ctx, tx, []string{userSubject(userID)}, func(ctx context.Context) error {
				_, err := h.deleteSessions(ctx, e, event, revokeStatement(userID, keep), forgetDevices(userID))
				return err
			})
		})
	})
}

// deleteSessions runs a statement that deletes sessions, and others with it, and says how
// many sessions it were. Hooks behind it are told which: that takes a round trip more.
func (h *Host) deleteSessions(ctx context.Context, e *RevokeEvent, event *Event, del storage.Statement, with ...storage.Statement) (int64, error) {
	if !SessionRevoke.has(h, after, committed) {
		return h.execWith(ctx, e.Tx, event, append([]storage.Statement{del}, with...)...)
	}
	rows, err := h.conn(e.Tx).Query(ctx, del.SQL+" RETURNING {session:id}, {session:userId}, {session:expiresAt}", del.Args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var s RevokedSession
		if err := rows.Scan(storage.Dests([]any{&s.ID, &s.UserID, &s.ExpiresAt})...); err != nil {
			return 0, err
		}
		e.Revoked = append(e.Revoked, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	switch n := int64(len(e.Revoked)); {
	case event != nil:
		event.Tx = e.Tx
		return n, h.Record(ctx, event, with...)
	case len(with) > 0:
		_, err = h.conn(e.Tx).Batch(ctx, with...)
		return n, err
	default:
		return n, nil
	}
}

// execWith runs statements, with an event if there is one, in one round trip. It says how
// many rows the first one touched.
func (h *Host) execWith(ctx context.Context, tx *Tx, event *Event, list ...storage.Statement) (int64, error) {
	var n []int64
	var err error
	if event == nil {
		n, err = h.conn(tx).Batch(ctx, list...)
	} else {
		event.Tx = tx
		n, err = h.record(ctx, event, list...)
	}
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

// revoked is the event of sessions that a user ends: one, others or all.
func revoked(c *Call, scope, session string) *Event {
	e := &Event{Type: EventSessionRevoked, UserID: c.user.ID, Call: c, Detail: map[string]string{"scope": scope}}
	if session != "" {
		e.Detail["session"] = session
	}
	return e
}

func revokeStatement(userID, keep string) storage.Statement {
	if keep == "" {
		return storage.Statement{SQL: "DELETE FROM {session=} WHERE {session.userId} = ?", Args: []any{userID}}
	}
	return storage.Statement{SQL: "DELETE FROM {session=} WHERE {session.userId} = ? AND {session.id} <> ?", Args: []any{userID, keep}}
}

// revokeToken deletes a session of a user by what a list named it: a token or a handle.
// Another user's session stays; nobody learns whether it exists.
func (h *Host) revokeToken(ctx context.Context, c *Call, name string) (id string, err error) {
	userID := c.user.ID
	if strings.HasPrefix(name, hashPrefix) {
		return "", nil // what the database holds names nothing outside
	}
	sql, args := "SELECT {session.id} FROM {session=} WHERE {session.userId} = ? AND {session.token} IN (?, ?)", []any{userID, hashToken(name), name}
	if rest, ok := cutHandle(name); ok {
		sql, args = "SELECT {session.id} FROM {session=} WHERE {session.userId} = ? AND {session.id} = ?", []any{userID, rest}
	}
	rows, err := h.db.Query(ctx, sql, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if !rows.Next() {
		return "", rows.Err()
	}
	if err := rows.Scan(storage.Dest(&id)); err != nil {
		return "", err
	}
	if err := rows.Close(); err != nil {
		return "", err
	}
	_, err = h.revokeOne(ctx, nil, id, revoked(c, "one", id))
	return id, err
}

// SessionHandle is the opaque name that lists have for the session of that id, which
// /revoke-session takes.
func SessionHandle(id string) string { return handlePrefix + id }

func cutHandle(name string) (id string, ok bool) {
	if len(name) > len(handlePrefix) && name[:len(handlePrefix)] == handlePrefix {
		return name[len(handlePrefix):], true
	}
	return "", false
}

// Sessions lists a user's live sessions, oldest first, at most 100. Their tokens are opaque handles,
// unless tokens are stored as they are.
func (h *Host) Sessions(ctx context.Context, userID string) ([]*Session, error) {
	rows, err := h.db.Query(ctx, h.sql.sessionList, userID, h.Now(), int64(100))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []*Session{}
	for rows.Next() {
		s := &Session{model: h.sessionModel}
		dest, sx := h.sessionModel.extraDests(s.dests())
		if err := rows.Scan(storage.Dests(dest)...); err != nil {
			return nil, err
		}
		s.Extra = h.sessionModel.extra(sx)
		if h.cfg.Session.TokenStorage != "compat" {
			s.Token = handlePrefix + s.ID
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}
