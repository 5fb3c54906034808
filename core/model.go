package core

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// model is the user or session table of one Auth: core's columns and those that the
// app and plugins added.
type model struct {
	table  string
	core   int             // that many columns are core's, in the row struct
	cols   []schema.Column // all, in order
	fields map[string]*field
	order  []*field // input fields in schema order
	sel    string   // "{t.a}, {t.b}"
	bare   string   // "{t:a}, {t:b}"
	insert string
}

// field says what clients may do with an added column.
type field struct {
	schema.Column
	kind     string // as in Extra.Type
	required bool
	input    bool
	def      any // nil for none
	check    func(string) error
	full     bool // the database has it NOT NULL: another program made the column
}

// fill learns which added columns the database wants a value for.
func (m *model) fill(lt *schema.LiveTable, names schema.Names) {
	for _, f := range m.order {
		if lt == nil {
			return
		}
		lc := lt.Column(names.Column(m.table, f.Name))
		f.full = lc != nil && !lc.Nullable && f.Nullable
	}
}

// lacks names an added column that has to have a value and has none in extra; else "".
func (m *model) lacks(extra map[string]any) string {
	for _, f := range m.order {
		if f.full && extra[f.Name] == nil {
			return f.Name
		}
	}
	return ""
}

func newModel(t *schema.Table, core int, fields map[string]*field) *model {
	m := &model{table: t.Name, core: core, cols: t.Columns, fields: fields}
	var sel, bare, marks []string
	for i, c := range t.Columns {
		sel = append(sel, "{"+t.Name+"."+c.Name+"}")
		bare = append(bare, "{"+t.Name+":"+c.Name+"}")
		marks = append(marks, "?")
		if i >= core {
			f := fields[c.Name]
			if f == nil { // a plugin's column: no client sets it
				f = &field{}
				m.fields[c.Name] = f
			}
			f.Column = c
			if f.def == nil {
				f.def = c.Default
			}
			m.order = append(m.order, f)
		}
	}
	m.sel, m.bare = strings.Join(sel, ", "), strings.Join(bare, ", ")
	m.insert = "INSERT INTO {" + t.Name + "} (" + m.bare + ") VALUES (" + strings.Join(marks, ", ") + ")"
	return m
}

// extraValue is the destination of one added column.
type extraValue struct {
	kind schema.Kind
	v    any
}

// IsTime implements storage.TimeDest.
func (e *extraValue) IsTime() bool { return e.kind == schema.Time }

// Scan implements sql.Scanner.
func (e *extraValue) Scan(src any) error {
	if src == nil {
		e.v = nil
		return nil
	}
	var err error
	switch e.kind {
	case schema.Bool:
		var b bool
		err = storage.Scan(&b, src)
		e.v = b
	case schema.Int, schema.BigInt:
		var n int64
		err = storage.Scan(&n, src)
		e.v = n
	case schema.Time:
		var t time.Time
		err = storage.Scan(&t, src)
		e.v = t
	case schema.JSON:
		var r json.RawMessage
		err = storage.Scan(&r, src)
		e.v = r
	default:
		var s string
		err = storage.Scan(&s, src)
		e.v = s
	}
	return err
}

// extraDests makes destinations for the added columns and returns a function that
// collects what was scanned.
func (m *model) extraDests(dest []any) ([]any, []extraValue) {
	n := len(m.cols) - m.core
	if n == 0 {
		return dest, nil
	}
	values := make([]extraValue, n)
	for i := range values {
		values[i].kind = m.cols[m.core+i].Kind
		dest = append(dest, &values[i])
	}
	return dest, values
}

func (m *model) extra(values []extraValue) map[string]any {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]any, len(values))
	for i := range values {
		out[m.cols[m.core+i].Name] = values[i].v
	}
	return out
}

func (m *model) extraArgs(args []any, extra map[string]any) []any {
	for _, c := range m.cols[m.core:] {
		args = append(args, extra[c.Name])
	}
	return args
}

// appendExtra writes the added columns that clients may see as JSON members.
func (m *model) appendExtra(b []byte, extra map[string]any) []byte {
	if m == nil {
		return b
	}
	for _, c := range m.cols[m.core:] {
		if c.Hidden {
			continue
		}
		b = appendKey(b, c.Name)
		b = appendValue(b, extra[c.Name])
	}
	return b
}

func (u *User) dests() []any {
	return []any{&u.ID, &u.Name, &u.Email, &u.EmailVerified, &u.Image, &u.CreatedAt, &u.UpdatedAt}
}

func (u *User) args() []any {
	return u.model.extraArgs([]any{u.ID, u.Name, u.Email, u.EmailVerified, u.Image, u.CreatedAt, u.UpdatedAt}, u.Extra)
}

func (s *Session) dests() []any {
	return []any{&s.ID, &s.ExpiresAt, &s.Token, &s.CreatedAt, &s.UpdatedAt, &s.IPAddress, &s.UserAgent, &s.UserID}
}

func (s *Session) args(token string) []any {
	return s.model.extraArgs([]any{s.ID, s.ExpiresAt, token, s.CreatedAt, s.UpdatedAt, s.IPAddress, s.UserAgent, s.UserID}, s.Extra)
}

func (u *User) appendJSON(b []byte) []byte {
	b = append(b, `{"name":`...)
	b = appendString(b, u.Name)
	b = append(b, `,"email":`...)
	b = appendString(b, u.Email)
	b = append(b, `,"emailVerified":`...)
	b = strconv.AppendBool(b, u.EmailVerified)
	b = append(b, `,"image":`...)
	b = appendPtr(b, u.Image)
	b = append(b, `,"createdAt":`...)
	b = appendTime(b, u.CreatedAt)
	b = append(b, `,"updatedAt":`...)
	b = appendTime(b, u.UpdatedAt)
	b = u.model.appendExtra(b, u.Extra)
	b = append(b, `,"id":`...)
	return append(appendString(b, u.ID), '}')
}

func (s *Session) appendJSON(b []byte) []byte {
	b = append(b, `{"expiresAt":`...)
	b = appendTime(b, s.ExpiresAt)
	b = append(b, `,"token":`...)
	b = appendString(b, s.Token)
	b = append(b, `,"createdAt":`...)
	b = appendTime(b, s.CreatedAt)
	b = append(b, `,"updatedAt":`...)
	b = appendTime(b, s.UpdatedAt)
	b = append(b, `,"ipAddress":`...)
	b = appendPtr(b, s.IPAddress)
	b = append(b, `,"userAgent":`...)
	b = appendPtr(b, s.UserAgent)
	b = append(b, `,"userId":`...)
	b = appendString(b, s.UserID)
	b = s.model.appendExtra(b, s.Extra)
	b = append(b, `,"id":`...)
	return append(appendString(b, s.ID), '}')
}
