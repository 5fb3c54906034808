package plugintest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Row is one row by logical column names. NULL columns are absent; times are in UTC in
// storage.Layout, booleans "true" and "false".
type Row map[string]string

func (r Row) String() string {
	var list []string
	for k, v := range r {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// has tells whether some column holds the text.
func (r Row) has(text string) bool {
	for _, v := range r {
		if v == text {
			return true
		}
	}
	return false
}

// Rows reads a whole table.
func (h *Harness) Rows(table string) []Row {
	h.T.Helper()
	want, _, _ := h.Auth.Schema()
	t := want.Table(table)
	if t == nil {
		h.T.Fatalf("plugintest: there is no table %q", table)
	}
	var list []string
	for _, c := range t.Columns {
		list = append(list, "{"+table+":"+c.Name+"}")
	}
	rows, err := h.db.Database.Query(context.Background(), "SELECT "+strings.Join(list, ", ")+" FROM {"+table+"}")
	if err != nil {
		h.T.Fatalf("plugintest: reading %s: %v", table, err)
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		values := make([]cell, len(list))
		dest := make([]any, len(list))
		for i := range values {
			values[i].kind = t.Columns[i].Kind.String()
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			h.T.Fatalf("plugintest: reading %s: %v", table, err)
		}
		r := Row{}
		for i, v := range values {
			if v.set {
				r[t.Columns[i].Name] = v.text
			}
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		h.T.Fatalf("plugintest: reading %s: %v", table, err)
	}
	return out
}

// cell scans a column of any kind.
type cell struct {
	kind, text string
	set        bool
}

// IsTime implements storage.TimeDest.
func (c *cell) IsTime() bool { return c.kind == "time" }

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) (err error) {
	if src == nil {
		return nil
	}
	c.set = true
	switch c.kind {
	case "bool":
		var b bool
		err = storage.Scan(&b, src)
		c.text = fmt.Sprint(b)
	case "time":
		var t time.Time
		err = storage.Scan(&t, src)
		c.text = t.UTC().Format(storage.Layout)
	case "int", "bigint":
		var n int64
		err = storage.Scan(&n, src)
		c.text = fmt.Sprint(n)
	default:
		err = storage.Scan(&c.text, src)
	}
	return err
}

// Count counts the rows of a table.
func (h *Harness) Count(table string) int {
	h.T.Helper()
	return len(h.Rows(table))
}

// snapshot is the whole database but for what every request may touch.
type snapshot map[string][]string

// unsettled are the tables that count and limit: a refused request may change them.
var unsettled = map[string]bool{"attempt": true, "rateLimit": true}

func (h *Harness) snapshot() snapshot {
	h.T.Helper()
	want, _, _ := h.Auth.Schema()
	s := snapshot{}
	for _, t := range want.Tables {
		if unsettled[t.Name] {
			continue
		}
		s[t.Name] = []string{}
		for _, r := range h.Rows(t.Name) {
			s[t.Name] = append(s[t.Name], r.String())
		}
		slices.Sort(s[t.Name])
	}
	return s
}

// changeable leaves out tables that only grow: they say what was tried, too, and keep it.
func (s snapshot) changeable(h *Harness) snapshot {
	want, _, _ := h.Auth.Schema()
	for _, t := range want.Tables {
		if t.AppendOnly {
			delete(s, t.Name)
		}
	}
	return s
}

// diff tells what is different now, in words; empty if nothing is.
func (s snapshot) diff(now snapshot) string {
	var out []string
	for table, rows := range now {
		for _, r := range rows {
			if !slices.Contains(s[table], r) {
				out = append(out, "+ "+table+": "+r)
			}
		}
		for _, r := range s[table] {
			if !slices.Contains(rows, r) {
				out = append(out, "- "+table+": "+r)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// Mail does the jobs that are due and returns the oldest message of a template to an
// address that no earlier call returned. The test ends if there is none.
func (h *Harness) Mail(to, template string) contract.Message {
	h.T.Helper()
	h.RunJobs()
	m, ok := h.Outbox.Take(to, template)
	if !ok {
		var have []string
		for _, m := range h.Outbox.All() {
			have = append(have, m.Template+" to "+m.To)
		}
		h.T.Fatalf("plugintest: no %q to %s; sent so far: %s", template, to, strings.Join(have, ", "))
	}
	return m
}

// NoMail does the jobs that are due and ends the test if a message to the address is
// there that Mail has not returned.
func (h *Harness) NoMail(to string) {
	h.T.Helper()
	h.RunJobs()
	for _, m := range h.Outbox.All() {
		if _, ok := h.Outbox.Take(to, m.Template); ok {
			h.T.Fatalf("plugintest: a %q was sent to %s", m.Template, to)
		}
	}
}
