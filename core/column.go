package core

import (
	"fmt"
	"reflect"
	"strings"
)

// Col is one column of a table with its Go type, so that a condition of the wrong type
// or on a column that is not there does not compile.
//
//	var colUserID = core.Column(passkeys, func(p *Passkey) *string { return &p.UserID })
type Col[V any] struct{ table, name string }

// Column finds a column by the address of its field.
func Column[T, V any](t *Table[T], field func(*T) *V) Col[V] {
	row := new(T)
	want := reflect.ValueOf(field(row)).Pointer()
	v := reflect.ValueOf(row).Elem()
	for i, f := range t.fields {
		if v.Field(f).Addr().Pointer() == want && v.Field(f).Type() == reflect.TypeFor[V]() {
			return Col[V]{t.name, t.columns[i].Name}
		}
	}
	panic(fmt.Sprintf("core: table %s: the function does not return the address of a column", t.name))
}

// Cond is a condition. Conditions of a call are joined by AND.
type Cond struct {
	sql  string // names its column as {t.c}
	args []any
}

// Set is an assignment of an update.
type Set struct {
	sql  string
	args []any
}

func (c Col[V]) ref() string { return "{" + c.table + "." + c.name + "}" }

func (c Col[V]) cond(op string, v V) Cond { return Cond{c.ref() + " " + op + " ?", []any{v}} }

// Eq is column = v. A nil pointer is never equal to anything: use Null.
func (c Col[V]) Eq(v V) Cond { return c.cond("=", v) }

// Ne is column <> v.
func (c Col[V]) Ne(v V) Cond { return c.cond("<>", v) }

// Lt is column < v.
func (c Col[V]) Lt(v V) Cond { return c.cond("<", v) }

// Le is column <= v.
func (c Col[V]) Le(v V) Cond { return c.cond("<=", v) }

// Gt is column > v.
func (c Col[V]) Gt(v V) Cond { return c.cond(">", v) }

// Ge is column >= v.
func (c Col[V]) Ge(v V) Cond { return c.cond(">=", v) }

// Null is column IS NULL.
func (c Col[V]) Null() Cond { return Cond{sql: c.ref() + " IS NULL"} }

// NotNull is column IS NOT NULL.
func (c Col[V]) NotNull() Cond { return Cond{sql: c.ref() + " IS NOT NULL"} }

// In is column IN (values). An empty list meets no row.
func (c Col[V]) In(values ...V) Cond {
	if len(values) == 0 {
		return Cond{sql: "1 = 0"}
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return Cond{c.ref() + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", args}
}

// AnyOf holds when one of the conditions does.
func AnyOf(conds ...Cond) Cond {
	if len(conds) == 0 {
		return Cond{sql: "1 = 0"}
	}
	return joinConds(conds, " OR ")
}

// AllOf holds when all of the conditions do: for a part of AnyOf. An empty list holds.
func AllOf(conds ...Cond) Cond {
	if len(conds) == 0 {
		return Cond{sql: "1 = 1"}
	}
	return joinConds(conds, " AND ")
}

func joinConds(conds []Cond, by string) Cond {
	parts := make([]string, len(conds))
	var args []any
	for i, c := range conds {
		parts[i], args = c.sql, append(args, c.args...)
	}
	return Cond{"(" + strings.Join(parts, by) + ")", args}
}

// Set is column = v.
func (c Col[V]) Set(v V) Set { return Set{"{" + c.table + ":" + c.name + "} = ?", []any{v}} }

// SetNull is column = NULL.
func (c Col[V]) SetNull() Set { return Set{sql: "{" + c.table + ":" + c.name + "} = NULL"} }

// Add is column = column + n, in one step: counters are never read and written back.
func (c Col[V]) Add(n int) Set {
	return Set{"{" + c.table + ":" + c.name + "} = " + c.ref() + " + ?", []any{n}}
}

// Keep is column = column: an update that changes nothing, and holds the row until the end
// of the transaction. Rows that refer to it can still be written, unless it is a key.
func (c Col[V]) Keep() Set { return Set{sql: "{" + c.table + ":" + c.name + "} = " + c.ref()} }

// Asc orders by the column, smallest first.
func (c Col[V]) Asc() Order { return Order{c.ref()} }

// Desc orders by the column, largest first.
func (c Col[V]) Desc() Order { return Order{c.ref() + " DESC"} }

// Order is one part of an order.
type Order struct{ sql string }

// ListOptions orders and bounds a list. The zero value is no order and no bound.
type ListOptions struct {
	Order  []Order
	Limit  int // rows; 0 for all
	Offset int // rows
}

func (o ListOptions) apply(sql string, args []any) (string, []any) {
	for i, by := range o.Order {
		sep := ", "
		if i == 0 {
			sep = " ORDER BY "
		}
		sql += sep + by.sql
	}
	if o.Limit > 0 {
		sql, args = sql+" LIMIT ?", append(args, int64(o.Limit))
		if o.Offset > 0 {
			sql, args = sql+" OFFSET ?", append(args, int64(o.Offset))
		}
	}
	return sql, args
}

func whereClause(sql string, where []Cond) (string, []any) {
	var b strings.Builder
	b.WriteString(sql)
	var args []any
	for i, c := range where {
		if i == 0 {
			b.WriteString(" WHERE ")
		} else {
			b.WriteString(" AND ")
		}
		b.WriteString(c.sql)
		args = append(args, c.args...)
	}
	return b.String(), args
}
