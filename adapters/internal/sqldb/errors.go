package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

var (
	errClosed = errors.New("the database handle is closed")
	errBusy   = errors.New("the single writer is taken: a transaction is open for too long, " +
		"or a statement outside of it waits for its own transaction")
)

// FailDDL is Fail for a statement of a migration, which it names, with the cause: both are
// about the schema, and whoever ran the migration has nothing else to go by.
func (d *DB) FailDDL(ctx context.Context, statement string, err error) error {
	line, _, _ := strings.Cut(statement, "\n")
	return fmt.Errorf("%s: %w: %w", strings.TrimSuffix(line, " ("), d.Fail(ctx, err), err)
}

// Fail turns an error into a *storage.Error.
func (d *DB) Fail(ctx context.Context, err error) error {
	var known *storage.Error
	if errors.As(err, &known) {
		return err
	}
	e := d.cfg.Classify(err, d.bound.Load().naming)
	if e == nil {
		e = &storage.Error{Kind: kindOf(err)}
		if d.closed.Load() {
			e.Kind = storage.Unavailable
		}
	}
	e.Err = err
	// A statement that broke, or gave up waiting, in a context that is over did so
	// because of that.
	switch e.Kind {
	case storage.Unknown, storage.Timeout, storage.Canceled, storage.Unavailable, storage.Conflict:
		switch cause := ctx.Err(); {
		case errors.Is(cause, context.Canceled):
			e.Kind = storage.Canceled
		case errors.Is(cause, context.DeadlineExceeded):
			e.Kind = storage.Timeout
		}
	}
	return e
}

func (d *DB) fail(ctx context.Context, err error) error { return d.Fail(ctx, err) }

// Explain describes an error of the driver's that did not come through this handle: a
// hook of the app's has used its own. nil if it is none.
func (d *DB) Explain(err error) *storage.Error {
	e := d.cfg.Classify(err, d.bound.Load().naming)
	if e != nil {
		e.Err = err
	}
	return e
}

// kindOf tells errors apart that are no driver's own.
func kindOf(err error) storage.Kind {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return storage.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return storage.Timeout
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, new(net.Error)):
		return storage.Unavailable
	case strings.Contains(err.Error(), "sql: database is closed"): // no exported value; the app closed its handle
		return storage.Unavailable
	}
	return storage.Unknown
}

// Naming leads from the database's names back to the logical ones.
type Naming struct {
	tables      map[string]string            // database name -> logical
	columns     map[string]map[string]string // logical table -> database name -> logical
	constraints map[string]constraint
}

type constraint struct {
	table   string
	columns []string
}

func newNaming(s *schema.Schema, names schema.Names) *Naming {
	n := &Naming{tables: map[string]string{}, columns: map[string]map[string]string{}, constraints: map[string]constraint{}}
	for _, t := range s.Tables {
		table := names.Table(t.Name)
		n.tables[table] = t.Name
		columns := map[string]string{}
		add := func(name string, cs ...string) { n.constraints[name] = constraint{t.Name, cs} }
		for _, c := range t.Columns {
			column := names.Column(t.Name, c.Name)
			columns[column] = c.Name
			if c.PrimaryKey {
				add(schema.ConstraintName(table, "", "pkey"), c.Name)
			}
			if c.Unique {
				add(schema.ConstraintName(table, column, "key"), c.Name)
				add(schema.IndexName(table, []string{column}, true), c.Name)
			}
			if c.References != nil {
				add(schema.ConstraintName(table, column, "fkey"), c.Name)
			}
		}
		for _, ix := range t.Indexes {
			if ix.Unique {
				var cs []string
				for _, c := range ix.Columns {
					cs = append(cs, names.Column(t.Name, c))
				}
				add(schema.IndexName(table, cs, true), ix.Columns...)
			}
		}
		n.columns[t.Name] = columns
	}
	return n
}

// Table returns the logical name of a table of the database, or the name as it is.
func (n *Naming) Table(name string) string {
	if t, ok := n.tables[name]; ok {
		return t
	}
	return name
}

// Columns returns logical names of columns of a logical table.
func (n *Naming) Columns(table string, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		if c, ok := n.columns[table][name]; ok {
			out[i] = c
		}
	}
	return out
}

// Constraint returns the logical table and columns of a constraint or unique index.
func (n *Naming) Constraint(name string) (table string, columns []string, ok bool) {
	c, ok := n.constraints[name]
	return c.table, slices.Clone(c.columns), ok
}
