package core

import (
	"context"
	"errors"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// rehashBatch is how many sessions one step of RehashSessions moves.
const rehashBatch = 100

var errShared = errors.New("core: session.tokenStorage is compat: Better Auth could read no session any more; set it to hashed first, on every replica")

// RehashSessions hashes the tokens of sessions that are stored as they are, as a database
// has them that Better Auth wrote. It goes through them by id, a hundred at a time, each in
// a short transaction: servers go on meanwhile, since look-ups accept both forms, and who
// stops it calls it again. left is how many were written as they are meanwhile, by a server in mode compat. There is
// no way back: Better Auth finds none of these sessions.
func (h *Host) RehashSessions(ctx context.Context) (moved, left int64, err error) {
	if h.Shared() {
		return 0, 0, errShared
	}
	for last := ""; ; {
		ids, tokens, err := h.plainSessions(ctx, last)
		if err != nil {
			return moved, 0, err
		}
		if len(ids) == 0 {
			break
		}
		statements := make([]storage.Statement, len(ids))
		for i := range ids {
			// The old token among the conditions: a session that ended or changed stays as it is.
			statements[i] = storage.Statement{SQL: "UPDATE {session=} SET {session:token} = ? WHERE {session.id} = ? AND {session.token} = ?",
				Args: []any{hashToken(tokens[i]), ids[i], tokens[i]}}
		}
		counts, err := h.db.Batch(ctx, statements...)
		if err != nil {
			return moved, 0, err
		}
		for _, n := range counts {
			moved += n
		}
		last = ids[len(ids)-1]
	}
	left, err = h.countPlain(ctx)
	return moved, left, err
}

// plainSessions are the next ones behind an id whose tokens are stored as they are.
func (h *Host) plainSessions(ctx context.Context, last string) (ids, tokens []string, err error) {
	sql, args := "SELECT {session.id}, {session.token} FROM {session=} WHERE {session.token} NOT LIKE ?", []any{hashPrefix + "%"}
	if last != "" {
		sql, args = sql+" AND {session.id} > ?", append(args, last)
	}
	rows, err := h.db.Query(ctx, sql+" ORDER BY {session.id} LIMIT ?", append(args, int64(rehashBatch))...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, token string
		if err := rows.Scan(storage.Dest(&id), storage.Dest(&token)); err != nil {
			return nil, nil, err
		}
		ids, tokens = append(ids, id), append(tokens, token)
	}
	return ids, tokens, rows.Err()
}

func (h *Host) countPlain(ctx context.Context) (n int64, err error) {
	rows, err := h.db.Query(ctx, "SELECT count(*) FROM {session=} WHERE {session.token} NOT LIKE ?", hashPrefix+"%")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(storage.Dest(&n)); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}
