package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// pg_catalog rather than information_schema: the latter shows a role only what it owns
// or may use, so that a restricted role would find everything missing.
const (
	schemaSQL = `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)`

	// What belongs to a column is read as pg_get_serial_sequence does it, which looks at now:
	// it would fail for a table that somebody drops meanwhile, and where a role may not use
	// the schema.
	columnsSQL = `
SELECT c.relname AS "table", a.attname AS "column", pg_catalog.format_type(a.atttypid, a.atttypmod) AS "type",
	NOT a.attnotnull AS nullable, a.atthasdef OR a.attidentity <> '' AS "default",
	a.attidentity = 'a' OR a.attgenerated <> '' AS always,
	EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
			AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')) AS sequence,
	c.relrowsecurity AND c.relforcerowsecurity AS rls
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
ORDER BY c.relname, a.attnum`

	// Indexes on an expression or on some rows only do not do the work of a whole one.
	indexesSQL = `
SELECT c.relname AS "table", i.relname AS "index", x.indisunique AS "unique", a.attname AS "column"
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = $1 AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL AND k.position <= x.indnkeyatts
ORDER BY c.relname, i.relname, k.position`

	policiesSQL = `
SELECT c.relname AS "table", p.polname AS "policy"
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1
ORDER BY c.relname, p.polname`

	triggersSQL = `
SELECT c.relname AS "table", t.tgname AS "trigger"
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
ORDER BY c.relname, t.tgname`

	// Relations have their names from one space, and a table has a type of its name. The
	// types of arrays give way by themselves.
	othersSQL = `
SELECT c.relname AS name, CASE c.relkind WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
	WHEN 'S' THEN 'a sequence' WHEN 'f' THEN 'a foreign table' ELSE 'a type' END AS kind
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind NOT IN ('r', 'p', 't')
UNION ALL
SELECT t.typname, 'a type'
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = $1 AND t.typrelid = 0 AND t.typcategory <> 'A'
ORDER BY 1`

	// The types are int8, int2, int4, text, bpchar, varchar, numeric and uuid; 16384 is the first
	// number that is none of PostgreSQL's own.
	castsSQL = `
SELECT EXISTS (SELECT FROM pg_catalog.pg_cast WHERE oid >= 16384 AND castcontext = 'i'
	AND castsource IN (20, 21, 23, 25, 1042, 1043, 1700, 2950) AND casttarget IN (20, 21, 23, 25, 1042, 1043, 1700, 2950))
OR EXISTS (SELECT FROM pg_catalog.pg_operator WHERE oid >= 16384 AND oprname = '='
	AND oprleft IN (20, 21, 23, 25, 1042, 1043, 1700, 2950) AND oprright IN (20, 21, 23, 25, 1042, 1043, 1700, 2950))`

	roleSQL = `SELECT rolname AS role, rolsuper OR rolbypassrls AS bypasses FROM pg_catalog.pg_roles WHERE rolname = current_user`
)

// Inspect implements storage.Database.
func (d *Database) Inspect(ctx context.Context) (*schema.Live, error) {
	_, names := d.Bound()
	in := names.SchemaName()
	live := &schema.Live{}
	var columns []struct {
		Table, Column, Type    string
		Nullable, Default, RLS bool
		Always, Sequence       bool
	}
	var indexes []struct {
		Table, Index, Column string
		Unique               bool
	}
	var policies []struct{ Table, Policy string }
	var triggers []struct{ Table, Trigger string }
	var role struct {
		Role     string
		Bypasses bool
	}
	err := d.db.GetContext(ctx, &live.SchemaExists, schemaSQL, in)
	if err == nil {
		err = d.db.SelectContext(ctx, &columns, columnsSQL, in)
	}
	if err == nil {
		err = d.db.SelectContext(ctx, &indexes, indexesSQL, in)
	}
	if err == nil {
		err = d.db.SelectContext(ctx, &policies, policiesSQL, in)
	}
	if err == nil {
		err = d.db.SelectContext(ctx, &triggers, triggersSQL, in)
	}
	if err == nil {
		err = d.db.SelectContext(ctx, &live.Others, othersSQL, in)
	}
	if err == nil {
		err = d.db.GetContext(ctx, &live.Casts, castsSQL)
	}
	if err == nil {
		err = d.db.GetContext(ctx, &role, roleSQL)
	}
	if err != nil {
		return nil, d.Fail(ctx, err)
	}
	for _, c := range columns {
		t := live.Table(c.Table)
		if t == nil {
			live.Tables = append(live.Tables, schema.LiveTable{Name: c.Table, RowSecurity: c.RLS})
			t = &live.Tables[len(live.Tables)-1]
		}
		t.Columns = append(t.Columns, schema.LiveColumn{Name: c.Column, Type: c.Type, Nullable: c.Nullable, Default: c.Default, Always: c.Always, Sequence: c.Sequence})
	}
	for _, x := range indexes {
		t := live.Table(x.Table)
		if t == nil { // a table that was made since
			continue
		}
		if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != x.Index {
			t.Indexes = append(t.Indexes, schema.LiveIndex{Name: x.Index, Unique: x.Unique})
		}
		ix := &t.Indexes[len(t.Indexes)-1]
		ix.Columns = append(ix.Columns, x.Column)
	}
	for _, p := range policies {
		if t := live.Table(p.Table); t != nil {
			t.Policies = append(t.Policies, p.Policy)
		}
	}
	for _, x := range triggers {
		if t := live.Table(x.Table); t != nil {
			t.Triggers = append(t.Triggers, x.Trigger)
		}
	}
	live.Role, live.BypassesRLS = role.Role, role.Bypasses
	return live, nil
}

// lockTimeout is how long DDL waits for a table: behind a waiting ALTER TABLE every
// other query on the table waits too, so it gives up and can be tried again.
const lockTimeout = "30s"

// DDL implements storage.Database. It knows no statement time-out: an index takes what
// it takes. It waits 30 s at most for a table's lock.
func (d *Database) DDL(ctx context.Context, statements ...string) error {
	if len(statements) == 0 {
		return nil
	}
	tx, err := d.db.BeginTx(patiently(ctx), nil)
	if err != nil {
		return d.Fail(ctx, err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	for _, s := range append([]string{"SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '" + lockTimeout + "'"}, statements...) {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return d.FailDDL(ctx, s, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return d.Fail(ctx, err)
	}
	return nil
}

var errOneConn = errors.New("a lock needs two connections: one holds it, fn uses the other")

// Lock implements storage.Database with an advisory lock of a transaction that does
// nothing else: it ends with the connection, whatever happens to the program.
func (d *Database) Lock(ctx context.Context, name string, fn func(context.Context) error) (err error) {
	if d.db.Stats().MaxOpenConnections == 1 {
		return &storage.Error{Kind: storage.Unavailable, Err: errOneConn}
	}
	defer d.Busy()()
	// The lock must not end before fn does, even when ctx ends.
	tx, err := d.begin(ctx)
	if err != nil {
		return d.Fail(ctx, err)
	}
	defer func() {
		// Without its connection the lock was lost in between: fn was not alone.
		if e := tx.Rollback(); e != nil && err == nil {
			err = d.Fail(context.Background(), e)
		}
	}()
	for _, s := range []string{
		"SET LOCAL statement_timeout = 0",
		"SET LOCAL idle_in_transaction_session_timeout = 0",
		"SELECT pg_catalog.pg_advisory_xact_lock(" + strconv.FormatInt(lockKey(name), 10) + ")",
	} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return d.Fail(ctx, err)
		}
	}
	return fn(ctx)
}

// begin waits for a connection as long as ctx lives, and starts a transaction that
// outlives it.
func (d *Database) begin(ctx context.Context) (*lockTx, error) {
	conn, err := d.db.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(patiently(context.WithoutCancel(ctx)), nil)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &lockTx{tx, conn}, nil
}

type lockTx struct {
	*sql.Tx
	conn *sql.Conn
}

func (t *lockTx) Rollback() error {
	err := t.Tx.Rollback()
	_ = t.conn.Close()
	return err
}

// lockKey turns a name into PostgreSQL's 64-bit key.
func lockKey(name string) int64 {
	sum := sha256.Sum256([]byte("sallyport lock " + name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
