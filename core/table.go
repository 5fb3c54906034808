package core

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Table gives typed access to the rows of one table. T is the row struct; its tags are
// the schema (schema.FromStruct), so that DDL, scanning and queries cannot disagree.
// Tables hold no state and no connection: make them in package variables.
type Table[T any] struct {
	name    string
	row     reflect.Type
	indexes []schema.Index
	columns []schema.Column // those of fields, then those that were added
	fields  []int           // struct field index of each of the row's own columns
	extras  int             // struct field index of the row's Extras, -1 without
	added   *Fields         // by With
	selects string          // "{t.a}, {t.b}"
	bare    string          // "{t:a}, {t:b}"
	insert  string
	touch   bool // has updatedAt: every update moves it
}

// TableOf makes the table of a row struct. It panics on a struct that cannot be one.
//
//	var passkeys = core.TableOf[Passkey]("passkey")
func TableOf[T any](name string, indexes ...schema.Index) *Table[T] {
	t := &Table[T]{name: name, row: reflect.TypeFor[T](), indexes: indexes, extras: -1}
	t.columns = schema.Columns("", t.row)
	for i := range t.row.NumField() {
		f := t.row.Field(i)
		if n := f.Tag.Get("db"); n != "" && n != "-" {
			t.fields = append(t.fields, i)
		}
		if f.Anonymous && f.Type == reflect.TypeFor[Extras]() {
			t.extras = i
		}
	}
	t.prepare()
	return t
}

// prepare composes what statements name.
func (t *Table[T]) prepare() {
	var sel, bare, marks []string
	for _, c := range t.columns {
		sel = append(sel, "{"+t.name+"."+c.Name+"}")
		bare = append(bare, "{"+t.name+":"+c.Name+"}")
		marks = append(marks, "?")
		t.touch = t.touch || c.Name == "updatedAt"
	}
	t.selects, t.bare = strings.Join(sel, ", "), strings.Join(bare, ", ")
	t.insert = "INSERT INTO {" + t.name + "} (" + t.bare + ") VALUES (" + strings.Join(marks, ", ") + ")"
}

// Schema returns the table as data, for Spec.Tables.
func (t *Table[T]) Schema() schema.Table {
	return schema.Table{Name: t.name, Columns: append([]schema.Column(nil), t.columns...), Indexes: t.indexes}
}

// Name returns the logical name.
func (t *Table[T]) Name() string { return t.name }

func (t *Table[T]) values(row *T) []any {
	v := reflect.ValueOf(row).Elem()
	args := make([]any, len(t.fields), len(t.columns))
	for i, f := range t.fields {
		args[i] = v.Field(f).Interface()
	}
	if t.added != nil {
		x := v.Field(t.extras).Addr().Interface().(*Extras)
		x.added = t.added // a row that was written is encoded like one that was read
		for _, c := range t.columns[len(t.fields):] {
			args = append(args, x.Extra[c.Name])
		}
	}
	return args
}

// Select is the list of the table's columns, for statements of your own; Scan reads them.
func (t *Table[T]) Select() string { return t.selects }

// Scan reads the columns of Select into row, and those behind them into more.
func (t *Table[T]) Scan(rows storage.Rows, row *T, more ...any) error {
	v := reflect.ValueOf(row).Elem()
	dest := make([]any, len(t.fields), len(t.columns)+len(more))
	for i, f := range t.fields {
		dest[i] = v.Field(f).Addr().Interface()
	}
	var values []extraValue
	if t.added != nil {
		dest, values = t.added.dests(dest)
	}
	if err := rows.Scan(storage.Dests(append(dest, more...))...); err != nil {
		return fmt.Errorf("core: table %s: %w", t.name, err)
	}
	if t.added != nil {
		*v.Field(t.extras).Addr().Interface().(*Extras) = Extras{t.added.collect(values), t.added}
	}
	return nil
}

func (t *Table[T]) scanAll(rows storage.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{} // never nil: an answer's empty list is [], not null
	for rows.Next() {
		var row T
		if err := t.Scan(rows, &row); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

func (t *Table[T]) scanOne(rows storage.Rows, err error) (row T, found bool, e error) {
	list, err := t.scanAll(rows, err)
	if err != nil || len(list) == 0 {
		return row, false, err
	}
	return list[0], true, nil
}

// Get reads the one row that meets all conditions. No row is found == false, never an
// error: an error always means that the database could not answer.
func (t *Table[T]) Get(ctx context.Context, q storage.Conn, where ...Cond) (row T, found bool, err error) {
	sql, args := t.where("SELECT "+t.selects+" FROM {"+t.name+"=}", where)
	return t.scanOne(q.Query(ctx, sql+" LIMIT 1", args...))
}

// List reads all rows that meet the conditions, in an order, at most Limit. It is never
// nil without an error, so that an empty list in an answer is [].
func (t *Table[T]) List(ctx context.Context, q storage.Conn, o ListOptions, where ...Cond) ([]T, error) {
	sql, args := t.where("SELECT "+t.selects+" FROM {"+t.name+"=}", where)
	sql, args = o.apply(sql, args)
	return t.scanAll(q.Query(ctx, sql, args...))
}

// Count counts the rows that meet the conditions.
func (t *Table[T]) Count(ctx context.Context, q storage.Conn, where ...Cond) (int64, error) {
	sql, args := t.where("SELECT count(*) FROM {"+t.name+"=}", where)
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var n int64
	for rows.Next() {
		if err := rows.Scan(storage.Dest(&n)); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// Insert writes a row.
func (t *Table[T]) Insert(ctx context.Context, q storage.Conn, row *T) error {
	_, err := q.Exec(ctx, t.insert, t.values(row)...)
	return err
}

// InsertStatement is Insert for a Batch.
func (t *Table[T]) InsertStatement(row *T) storage.Statement {
	return storage.Statement{SQL: t.insert, Args: t.values(row)}
}

// InsertNew writes a row unless one with the same unique columns exists (without names:
// with any unique column of the table in common), and says whether it did. Of N parallel
// calls one inserts.
func (t *Table[T]) InsertNew(ctx context.Context, q storage.Conn, row *T, unique ...string) (bool, error) {
	target := make([]string, len(unique))
	for i, c := range unique {
		target[i] = "{" + t.name + ":" + c + "}"
	}
	on := ""
	if len(target) > 0 {
		on = " (" + strings.Join(target, ", ") + ")"
	}
	n, err := q.Exec(ctx, t.insert+" ON CONFLICT"+on+" DO NOTHING", t.values(row)...)
	return n == 1, err
}

// Update changes all rows that meet the conditions, in one statement, and says how
// many. It is the guarded update: put what must still hold among the conditions.
func (t *Table[T]) Update(ctx context.Context, q storage.Conn, set []Set, where ...Cond) (int64, error) {
	s := t.UpdateStatement(set, where...)
	return q.Exec(ctx, s.SQL, s.Args...)
}

// UpdateStatement is Update for a Batch.
func (t *Table[T]) UpdateStatement(set []Set, where ...Cond) storage.Statement {
	var b strings.Builder
	b.WriteString("UPDATE {" + t.name + "=} SET ")
	var args []any
	for i, s := range set {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(s.sql)
		args = append(args, s.args...)
	}
	sql, args2 := t.where(b.String(), where)
	return storage.Statement{SQL: sql, Args: append(args, args2...)}
}

// UpdateGet is Update of one row that returns the row as it is afterwards.
func (t *Table[T]) UpdateGet(ctx context.Context, q storage.Conn, set []Set, where ...Cond) (T, bool, error) {
	s := t.UpdateStatement(set, where...)
	return t.scanOne(q.Query(ctx, s.SQL+" RETURNING "+t.bare, s.Args...))
}

// Delete deletes all rows that meet the conditions and says how many. Without a
// condition it deletes nothing and fails: an empty list is a mistake, not a wish.
func (t *Table[T]) Delete(ctx context.Context, q storage.Conn, where ...Cond) (int64, error) {
	s, err := t.DeleteStatement(where...)
	if err != nil {
		return 0, err
	}
	return q.Exec(ctx, s.SQL, s.Args...)
}

// DeleteStatement is Delete for a Batch.
func (t *Table[T]) DeleteStatement(where ...Cond) (storage.Statement, error) {
	if len(where) == 0 {
		return storage.Statement{}, fmt.Errorf("core: table %s: delete without a condition", t.name)
	}
	sql, args := t.where("DELETE FROM {"+t.name+"=}", where)
	return storage.Statement{SQL: sql, Args: args}, nil
}

// TakeAll deletes all rows that meet the conditions and returns them, in one statement:
// of N parallel calls one gets each row. An empty list of conditions fails.
func (t *Table[T]) TakeAll(ctx context.Context, q storage.Conn, where ...Cond) ([]T, error) {
	s, err := t.DeleteStatement(where...)
	if err != nil {
		return nil, err
	}
	return t.scanAll(q.Query(ctx, s.SQL+" RETURNING "+t.bare, s.Args...))
}

// Take deletes all rows that meet the conditions and returns the one that was made
// last (createdAt, where the table has it). Of N parallel calls exactly one gets it.
func (t *Table[T]) Take(ctx context.Context, q storage.Conn, where ...Cond) (row T, found bool, err error) {
	list, err := t.TakeAll(ctx, q, where...)
	if err != nil || len(list) == 0 {
		return row, false, err
	}
	row = list[0]
	for _, r := range list[1:] {
		if t.created(&r).After(t.created(&row)) {
			row = r
		}
	}
	return row, true, nil
}

func (t *Table[T]) created(row *T) time.Time {
	for i, c := range t.columns {
		if c.Name == "createdAt" && c.Kind == schema.Time {
			switch v := reflect.ValueOf(row).Elem().Field(t.fields[i]).Interface().(type) {
			case time.Time:
				return v
			case *time.Time:
				if v != nil {
					return *v
				}
			}
		}
	}
	return time.Time{}
}

func (t *Table[T]) where(sql string, where []Cond) (string, []any) {
	return whereClause(sql, where)
}
