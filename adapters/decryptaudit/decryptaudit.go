// Package decryptaudit keeps what a mission's runner decrypts, for the user to see: rows of
// the table decrypt_audit in PostgreSQL, which has row-level security, forced, and only
// grows. The mission-grant plugin's migrations make the table; this is how the runner, a
// program of its own with a role of its own, writes to it.
//
// The role needs USAGE on the schema and INSERT on the table, and nothing else.
package decryptaudit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Options name the table. The zero value is decrypt_audit in the schema public.
type Options struct {
	Schema string // default "public"
	Table  string // default "decrypt_audit"
}

// Audit is a contract.DecryptionAudit.
type Audit struct {
	db     *sql.DB
	insert string
}

var _ contract.DecryptionAudit = (*Audit)(nil)

// New checks that row-level security holds for the connection's role and that the table
// cannot be changed, and fails where either is not so: an audit that its writer can alter
// is none. db is a handle of lib/pq or of pgx's database/sql driver.
func New(ctx context.Context, db *sql.DB, o Options) (*Audit, error) {
	if o.Schema == "" {
		o.Schema = "public"
	}
	if o.Table == "" {
		o.Table = "decrypt_audit"
	}
	var role string
	var bypasses, secured, grows, changes bool
	err := db.QueryRowContext(ctx, `
SELECT r.rolname, r.rolsuper OR r.rolbypassrls, c.relrowsecurity AND c.relforcerowsecurity,
	EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgname LIKE '%append_only'),
	has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN pg_catalog.pg_roles r WHERE n.nspname = $1 AND c.relname = $2 AND r.rolname = current_user`, o.Schema, o.Table).
		Scan(&role, &bypasses, &secured, &grows, &changes)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("decryptaudit: there is no table %s.%s: run the migrations of the server", o.Schema, o.Table)
	case err != nil:
		return nil, fmt.Errorf("decryptaudit: %w", err)
	case bypasses:
		return nil, fmt.Errorf("decryptaudit: row-level security does not hold for the role %q, a superuser or with BYPASSRLS: use another", role)
	case !secured || !grows && changes:
		return nil, fmt.Errorf("decryptaudit: %s.%s has no forced row-level security, or its rows can be changed: run the migrations of the server", o.Schema, o.Table)
	}
	return &Audit{db: db, insert: "INSERT INTO " + storage.Quote(o.Schema) + "." + storage.Quote(o.Table) +
		" (id, user_id, mission_id, iteration_id, table_name, record_id, status, reason, ts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"}, nil
}

// Record implements contract.DecryptionAudit: one row, in a transaction of the user's.
func (a *Audit) Record(ctx context.Context, d contract.Decryption) (err error) {
	if d.UserID == "" {
		return errors.New("decryptaudit: a decryption without a user")
	}
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(tx.Rollback()))
		}
	}()
	if _, err = tx.ExecContext(ctx, "SELECT pg_catalog.set_config('app.current_user_id', $1, true)", d.UserID); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, a.insert, rand.Text(), d.UserID, d.MissionID, null(d.IterationID), d.Table, d.RecordID, d.Status, null(d.Reason),
		d.At.UTC().Truncate(time.Millisecond)); err != nil {
		return err
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}
