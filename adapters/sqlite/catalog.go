package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"modernc.org/sqlite"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

const (
	// The key of a table WITHOUT ROWID, one of several columns and one that is DESC have an index
	// of their own: SQLite keeps the rows by another number.
	columnsSQL = `
SELECT m.name, c.name, c.type, c."notnull" = 0 AND c.pk = 0, c.dflt_value IS NOT NULL,
	c.pk > 0 AND lower(c.type) = 'integer' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) WHERE origin = 'pk')
FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY m.name, c.cid`

	indexesSQL = `
SELECT m.name, l.name, l."unique", i.name
FROM sqlite_master AS m
JOIN pragma_index_list(m.name) AS l
JOIN pragma_index_info(l.name) AS i
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND l.partial = 0
ORDER BY m.name, l.name, i.seqno`

	othersSQL = `SELECT name, CASE type WHEN 'index' THEN 'an index' ELSE 'a view' END FROM sqlite_master WHERE type IN ('index', 'view') ORDER BY name`

	tablesSQL = `SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL`

	triggersSQL = `SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' ORDER BY tbl_name, name`
)

// pool returns the connections that read.
func (d *Database) pool() *sql.DB {
	if d.read != nil {
		return d.read
	}
	return d.write
}

// Inspect implements storage.Database.
func (d *Database) Inspect(ctx context.Context) (*schema.Live, error) {
	live := &schema.Live{SchemaExists: true}
	err := each(ctx, d.pool(), columnsSQL, func(rows *sql.Rows) error {
		var table string
		var c schema.LiveColumn
		if err := rows.Scan(&table, &c.Name, &c.Type, &c.Nullable, &c.Default, &c.RowID); err != nil {
			return err
		}
		c.Type = strings.ToLower(c.Type) // SQLite writes the types that it knows in capitals
		t := live.Table(table)
		if t == nil {
			live.Tables = append(live.Tables, schema.LiveTable{Name: table})
			t = &live.Tables[len(live.Tables)-1]
		}
		t.Columns = append(t.Columns, c)
		return nil
	})
	if err == nil {
		err = each(ctx, d.pool(), indexesSQL, func(rows *sql.Rows) error {
			var table, index string
			var unique bool
			var column sql.NullString // NULL for an expression
			if err := rows.Scan(&table, &index, &unique, &column); err != nil {
				return err
			}
			t := live.Table(table)
			if t == nil { // a table that was made since
				return nil
			}
			if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != index {
				t.Indexes = append(t.Indexes, schema.LiveIndex{Name: index, Unique: unique})
			}
			ix := &t.Indexes[len(t.Indexes)-1]
			ix.Columns = append(ix.Columns, column.String)
			return nil
		})
	}
	if err == nil {
		err = each(ctx, d.pool(), triggersSQL, func(rows *sql.Rows) error {
			var table, trigger string
			if err := rows.Scan(&table, &trigger); err != nil {
				return err
			}
			if t := live.Table(table); t != nil {
				t.Triggers = append(t.Triggers, trigger)
			}
			return nil
		})
	}
	if err == nil {
		err = each(ctx, d.pool(), othersSQL, func(rows *sql.Rows) error {
			var o schema.LiveOther
			err := rows.Scan(&o.Name, &o.Kind)
			live.Others = append(live.Others, o)
			return err
		})
	}
	if err == nil {
		err = each(ctx, d.pool(), tablesSQL, func(rows *sql.Rows) error {
			var table, text string
			if err := rows.Scan(&table, &text); err != nil {
				return err
			}
			if t := live.Table(table); t != nil {
				t.Strict = strict.MatchString(text)
			}
			return nil
		})
	}
	if err != nil {
		return nil, d.Fail(ctx, err)
	}
	return live, nil
}

// strict matches the end of the statement that made a STRICT table: SQLite lists the options
// of tables only since 3.37.
var strict = regexp.MustCompile(`(?i)\)[^)]*\bstrict\b[^)]*$`)

func each(ctx context.Context, db *sql.DB, query string, row func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// DDL implements storage.Database.
func (d *Database) DDL(ctx context.Context, statements ...string) error {
	if len(statements) == 0 {
		return nil
	}
	return d.Exclusive(ctx, func(db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		for _, s := range statements {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return d.FailDDL(ctx, s, err)
			}
		}
		return tx.Commit()
	})
}

// Lock implements storage.Database. fn writes to the database, so the lock cannot be
// the database's own: it is the write lock of an empty database file beside it, which
// the system takes back when the program dies, on every platform. A database that only
// its handle leads to has the lock in this process.
func (d *Database) Lock(ctx context.Context, name string, fn func(context.Context) error) error {
	if d.file == "" {
		v, _ := d.locks.LoadOrStore(name, make(chan struct{}, 1))
		turn := v.(chan struct{})
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
			return fn(ctx)
		case <-ctx.Done():
			return d.Fail(ctx, ctx.Err())
		}
	}
	file := d.file + "." + lockName(name) + ".lock"
	if err := makeFile(file); err != nil {
		return &storage.Error{Kind: storage.Unavailable, Err: err}
	}
	// The journal is kept in memory: nothing is ever written.
	connector, err := sqlite.NewConnector(fileURI(file) + "?_journal_mode=MEMORY&_busy_timeout=1000")
	if err != nil {
		return d.Fail(ctx, err)
	}
	db := sql.OpenDB(connector)
	defer db.Close() // which gives the lock back
	for {
		err := begin(ctx, db)
		if err == nil {
			return fn(ctx)
		}
		if err = d.Fail(ctx, err); ctx.Err() != nil || storage.KindOf(err) != storage.Conflict {
			return err
		}
	}
}

// begin takes the write lock on a connection that db keeps. It is no transaction of
// database/sql, which would end it together with ctx, before fn does.
func begin(ctx context.Context, db *sql.DB) error {
	db.SetMaxOpenConns(1)
	_, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE")
	return err
}

// lockName keeps a name that may stand in a file name, and spells out any other.
func lockName(name string) string {
	if name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == "" {
		return name
	}
	return "x" + hex.EncodeToString([]byte(name))
}

// probe checks what Open sets by itself.
func (d *Database) probe(ctx context.Context) error {
	var version string
	var fk int
	if err := d.write.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return fmt.Errorf("sqlite: %w", d.Fail(ctx, err))
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil || major*1000000+minor*1000+patch < minVersion {
		return fmt.Errorf("sqlite: version %q, at least 3.35 is needed", version)
	}
	if err := d.write.QueryRowContext(ctx, "PRAGMA foreign_keys").Scan(&fk); err != nil {
		return fmt.Errorf("sqlite: %w", d.Fail(ctx, err))
	}
	if fk == 0 {
		return errors.New("sqlite: foreign keys are off: add _foreign_keys=on to the handle's data source name")
	}
	var text string
	if err := d.write.QueryRowContext(ctx, `SELECT "no such column"`).Scan(&text); err == nil {
		return errors.New("sqlite: a missing column would be read as text: add _dqs=0 to the handle's data source name")
	}
	err := each(ctx, d.write, "PRAGMA database_list", func(rows *sql.Rows) error {
		var n int
		var name, file string
		if err := rows.Scan(&n, &name, &file); err != nil {
			return err
		}
		if name == "main" {
			d.file = file
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sqlite: %w", d.Fail(ctx, err))
	}
	if d.file == "" {
		if d.write.Stats().MaxOpenConnections != 1 {
			return errors.New("sqlite: every connection of an in-memory handle is a database of its own: set MaxOpenConns to 1")
		}
		return nil
	}
	return d.probeLock(ctx)
}

// probeLock begins a transaction on the handle and sees whether somebody else still
// gets the write lock.
func (d *Database) probeLock(ctx context.Context) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqlite: %w", d.Fail(ctx, err))
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	q := url.Values{"_txlock": {"immediate"}, "_busy_timeout": {"0"}}
	connector, err := sqlite.NewConnector(fileURI(d.file) + "?" + q.Encode())
	if err != nil {
		return fmt.Errorf("sqlite: %w", d.Fail(ctx, err))
	}
	other := sql.OpenDB(connector)
	defer other.Close()
	second, err := other.BeginTx(ctx, nil)
	if err == nil {
		_ = second.Rollback()
		return errors.New("sqlite: a transaction does not take the write lock at once: add _txlock=immediate to the handle's data source name")
	}
	if err = d.Fail(ctx, err); storage.KindOf(err) != storage.Conflict {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}
