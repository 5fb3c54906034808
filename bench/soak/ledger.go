package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ledger is what the server has acknowledged, and has to have kept.
type ledger struct {
	mu            sync.Mutex
	names         map[string]string // of users by address; "" for one that is not known
	userIDs       map[string]string // by address
	organizations map[string]string // names by id
	members       map[string]bool   // organization and user
	sessions      map[string]bool   // by id: whether it lives
	mails         map[string]int    // by template and recipient
	lost          []string
	checks        int
	writes        int
	unknown       int // writes that nobody knows the outcome of
}

func newLedger() *ledger {
	return &ledger{names: map[string]string{}, userIDs: map[string]string{}, organizations: map[string]string{}, members: map[string]bool{},
		sessions: map[string]bool{}, mails: map[string]int{}}
}

// wrote notes one acknowledged write.
func (l *ledger) wrote(note func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	note()
}

// unclear notes a write whose answer was lost: either of two things may be found.
func (l *ledger) unclear(note func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unknown++
	note()
}

// check counts something that was read back.
func (l *ledger) check(holds bool, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.checks++; !holds {
		l.lost = append(l.lost, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// halves are what no write may leave behind, acknowledged or not: each is one transaction.
var halves = map[string]string{
	"users that signed up and have no password": `SELECT count(*) FROM "user" u WHERE email LIKE 'pw%' AND NOT EXISTS (SELECT FROM account a WHERE a.user_id = u.id AND a.password IS NOT NULL)`,
	"organizations without an owner":            `SELECT count(*) FROM organization o WHERE NOT EXISTS (SELECT FROM member m WHERE m.organization_id = o.id AND m.role = 'owner')`,
	"accepted invitations without a member": `SELECT count(*) FROM invitation i JOIN "user" u ON u.email = i.email WHERE i.status = 'accepted'
		AND NOT EXISTS (SELECT FROM member m WHERE m.organization_id = i.organization_id AND m.user_id = u.id)`,
	"jobs that were given up": `SELECT count(*) FROM job WHERE failed_at IS NOT NULL`,
}

// verify compares the database with what was acknowledged.
func (l *ledger) verify(ctx context.Context, db *sql.DB, s *sink) error {
	users, err := pairs(ctx, db, `SELECT email, name FROM "user"`)
	if err != nil {
		return err
	}
	organizations, err := pairs(ctx, db, `SELECT id, name FROM organization`)
	if err != nil {
		return err
	}
	members, err := pairs(ctx, db, `SELECT m.organization_id || ' ' || u.email, m.role FROM member m JOIN "user" u ON u.id = m.user_id`)
	if err != nil {
		return err
	}
	sessions, err := pairs(ctx, db, `SELECT id, user_id FROM session`)
	if err != nil {
		return err
	}
	for email, name := range l.names {
		got, ok := users[email]
		l.check(ok && (name == "" || name == got), "user %s: is %q (there: %v), acknowledged was %q", email, got, ok, name)
	}
	for id, name := range l.organizations {
		l.check(organizations[id] == name, "organization %s: is %q, acknowledged was %q", id, organizations[id], name)
	}
	for key := range l.members {
		_, ok := members[key]
		l.check(ok, "membership %s is not there", key)
	}
	for id, lives := range l.sessions {
		_, ok := sessions[id]
		l.check(ok == lives, "session %s is there: %v, acknowledged was %v", id, ok, lives)
	}
	for what, query := range halves {
		var n int
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		l.check(n == 0, "%d %s", n, what)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, n := range l.mails {
		l.check(s.mails[key] >= n, "mail %s: %d arrived, %d were promised", key, s.mails[key], n)
	}
	for email, id := range l.userIDs {
		l.check(s.hooks["user.created "+id] > 0, "no webhook told of user %s", email)
	}
	return nil
}

// settle waits until nothing waits to be sent: at most as long as a killed replica's lease
// and a retry behind it.
func settle(ctx context.Context, db *sql.DB) (left int, err error) {
	for until := time.Now().Add(90 * time.Second); ; time.Sleep(time.Second) {
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM job WHERE failed_at IS NULL`).Scan(&left)
		if err != nil || left == 0 || time.Now().After(until) {
			return left, err
		}
	}
}

func pairs(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Fields(query)[1], err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, rows.Err()
}
