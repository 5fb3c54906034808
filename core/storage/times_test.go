package storage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Which form a time has is told by the column beside it.
func TestTimes(t *testing.T) {
	at := func(name string) schema.Column { return schema.Column{Name: name, Kind: schema.Time} }
	text := func(name string) schema.Column { return schema.Column{Name: name, Kind: schema.String} }
	s := &schema.Schema{Tables: []schema.Table{
		{Name: "a", Columns: []schema.Column{text("id"), at("s"), at("m"), at("o"), text("z")}},
		{Name: "b", Columns: []schema.Column{text("id"), at("s")}},
	}}
	names := schema.Names{Times: schema.TimeMilliseconds, TimeOverrides: map[string]schema.TimeForm{"a.s": schema.TimeSeconds, "a.o": schema.TimeOffset, "b": schema.TimeText}}
	if faults := names.Check(s); len(faults) > 0 {
		t.Fatal(faults)
	}
	moment := time.Date(2026, 3, 4, 5, 6, 7, 890e6, time.UTC)
	letters := map[any]string{moment.Unix(): "s", moment.UnixMilli(): "m", "2026-03-04T05:06:07.890+00:00": "o", "2026-03-04T05:06:07.890Z": "t"}
	for _, tt := range []struct{ sql, args, columns string }{
		{"SELECT {a.s}, {a.m} FROM {a=} WHERE {a.s} > ?", "s", "sm"},
		{"SELECT {a.m} FROM {a=} WHERE {a.s} > ? AND {a.z} = ? AND {a.m} <= ? ORDER BY {a.o} LIMIT ?", "ssmo", "m"},
		{"SELECT {a.id}, max({a.s}, {a.m}), count(*), (SELECT {b.s} FROM {b=} WHERE {b.s} = ?) FROM {a=} JOIN {b=} ON {b.s} = ?", "tt", "msmm"},
		{"SELECT '(,'' FROM', {a.s} FROM {a=}", "", "ms"},
		{"SELECT MIN(CASE WHEN {a:s} <= ? THEN {a:s} END), MIN({a:m}) FROM {a} GROUP BY {a:z}", "s", "sm"},
		{"INSERT INTO {a} ({a:id}, {a:s}, {a:m}, {a:o}) VALUES (?, ?, ?, ?), (?, max(?, 1), ?, ?)", "osmoosmo", ""},
		{"INSERT INTO {a=} ({a:id}, {a:m}, {a:s}) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM {b} WHERE {b:s} > ?) RETURNING {a:s}, {a:id}", "smst", "sm"},
		{"INSERT INTO {a} ({a:id}, {a:s}) VALUES (?, ?) ON CONFLICT ({a:id}) DO UPDATE SET {a:o} = CASE WHEN {a.z} <= ? THEN ? ELSE excluded.{a:o} END, {a:m} = ?", "ssoom", ""},
		{"UPDATE {a=} SET {a:s} = ?, {a:m} = ? WHERE {a.id} IN (SELECT {b:id} FROM {b} WHERE {b:s} < ?) RETURNING {a:m}, {a:s}", "smt", "ms"},
		{"UPDATE {a=} SET {a:o} = CASE WHEN {a.z} = ? THEN ? ELSE {a.o} END", "oo", ""},
		{"DELETE FROM {a=} WHERE {a.m} IN (?, ?) OR {a.s} < ?", "mms", ""},
		{"INSERT INTO own (at) VALUES (?)", "m", ""},
	} {
		x, err := storage.Expand(storage.SQLite, s, names, tt.sql)
		if err != nil {
			t.Fatal(tt.sql, err)
		}
		args, columns := "", ""
		for i := range x.Args {
			// A value that is no time has a form, too, which means nothing.
			args += letters[x.Times.Arg(i, moment)]
		}
		for i := range tt.columns {
			if _, seconds := x.Times.Column(i, int64(1)).(time.Time); seconds {
				columns += "s"
			} else {
				columns += "-"
			}
		}
		want := strings.NewReplacer("m", "-", "t", "-", "o", "-").Replace(tt.columns)
		if args != tt.args || columns != want {
			t.Errorf("%s: %s and %s, want %s and %s", tt.sql, args, columns, tt.args, want)
		}
	}
	for _, d := range []storage.Dialect{storage.Postgres, storage.SQLite} {
		n := names
		if d == storage.SQLite {
			n = schema.Names{Times: schema.TimeText}
		}
		if x, err := storage.Expand(d, s, n, "SELECT {a.s} FROM {a=}"); err != nil || x.Times != nil {
			t.Errorf("%s with its own times: %v, %v", d, x.Times, err)
		}
	}
}

func TestTimesAreChecked(t *testing.T) {
	columns := []schema.Column{{Name: "id", Kind: schema.String}, {Name: "s", Kind: schema.Time}}
	s := &schema.Schema{Tables: []schema.Table{{Name: "a", Columns: columns}, {Name: "job", Columns: columns}}}
	if faults := (schema.Names{TimeOverrides: map[string]schema.TimeForm{"a": schema.TimeSeconds, "job": schema.TimeMilliseconds}}).Check(s); len(faults) > 0 {
		t.Error(faults)
	}
	for _, n := range []schema.Names{{Times: "minutes"}, {Times: schema.TimeSeconds}, {TimeOverrides: map[string]schema.TimeForm{"a.s": ""}},
		{TimeOverrides: map[string]schema.TimeForm{"c": schema.TimeText}}, {TimeOverrides: map[string]schema.TimeForm{"a.t": schema.TimeText}},
		{TimeOverrides: map[string]schema.TimeForm{"a.id": schema.TimeText}}, {TimeOverrides: map[string]schema.TimeForm{"job.s": schema.TimeSeconds}},
		{TimeOverrides: map[string]schema.TimeForm{"job": schema.TimeSeconds}}, {TimeOverrides: map[string]schema.TimeForm{"job.s": schema.TimeMilliseconds}}} {
		if faults := n.Check(s); len(faults) != 1 {
			t.Errorf("%v: %v", n, faults)
		}
	}
}
