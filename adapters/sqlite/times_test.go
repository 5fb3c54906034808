package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Times are written, compared, ordered and read in the form of their column, inside and
// outside of transactions.
func TestTimeForms(t *testing.T) {
	begin := time.Date(2026, 3, 4, 5, 6, 7, 890e6, time.UTC)
	for form, want := range map[schema.TimeForm]any{
		schema.TimeText: "2026-03-04T05:06:07.890Z", schema.TimeOffset: "2026-03-04T05:06:07.890+00:00",
		schema.TimeMilliseconds: begin.UnixMilli(), schema.TimeSeconds: begin.Unix(),
	} {
		t.Run(string(form), func(t *testing.T) {
			ctx := t.Context()
			db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "auth.db"), sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			step := time.Millisecond
			if form == schema.TimeSeconds {
				step = time.Second
			}
			kept := func(at time.Time) time.Time { return at.Truncate(step) }
			s := &schema.Schema{Tables: []schema.Table{{Name: "x", Columns: []schema.Column{{Name: "id", Kind: schema.Int, PrimaryKey: true}, {Name: "at", Kind: schema.Time}, {Name: "till", Kind: schema.Time, Nullable: true}}}}}
			names := schema.Names{TimeOverrides: map[string]schema.TimeForm{"x.at": form, "x.till": form}}
			if err := db.DDL(ctx, `CREATE TABLE "x" ("id" integer PRIMARY KEY, "at" datetime NOT NULL, "till" datetime)`); err != nil {
				t.Fatal(err)
			}
			if err := db.Bind(s, names); err != nil {
				t.Fatal(err)
			}
			tx, err := db.Begin(ctx, storage.TxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback() //nolint:errcheck // committed
			insert := "INSERT INTO {x} ({x:id}, {x:at}, {x:till}) VALUES (?, ?, ?)"
			late := begin.Add(3 * time.Second).In(time.FixedZone("", 3600))
			if _, err := tx.Batch(ctx, storage.Statement{SQL: insert, Args: []any{2, late, &late}}, storage.Statement{SQL: insert, Args: []any{1, begin, (*time.Time)(nil)}}); err != nil {
				t.Fatal(err)
			}
			list := func(q storage.Conn, sql string, args ...any) (out []time.Time) {
				t.Helper()
				rows, err := q.Query(ctx, sql, args...)
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				for rows.Next() {
					var n int
					var at time.Time
					var till *time.Time
					if err := rows.Scan(storage.Dest(&n), storage.Dest(&at), storage.Dest(&till)); err != nil {
						t.Fatal(err)
					}
					if (till == nil) != (n == 1) || till != nil && !till.Equal(at) {
						t.Errorf("row %d has till %v", n, till)
					}
					out = append(out, at)
				}
				if err := rows.Err(); err != nil {
					t.Fatal(err)
				}
				return out
			}
			const read = "SELECT {x.id}, {x.at}, {x.till} FROM {x=}"
			if got := list(tx, read+" ORDER BY {x.at}"); len(got) != 2 || !got[0].Equal(kept(begin)) || !got[1].Equal(kept(late)) {
				t.Errorf("in order: %v", got)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			for op, n := range map[string]int{"=": 1, "<": 0, "<=": 1, ">": 1, ">=": 2} {
				if got := list(db, read+" WHERE {x.at} "+op+" ?", begin); len(got) != n {
					t.Errorf("%s the very time: %v", op, got)
				}
			}
			if got := list(db, read+" WHERE {x.at} < ?", begin.Add(step)); len(got) != 1 {
				t.Errorf("before a step later: %v", got)
			}
			if got := list(db, "UPDATE {x=} SET {x:at} = ? WHERE {x.till} = ? RETURNING {x:id}, {x:till}, {x:till}", begin, late); len(got) != 1 || !got[0].Equal(kept(late)) {
				t.Errorf("returned: %v", got)
			}
			rows, err := db.Query(ctx, "SELECT coalesce({x.at}, '') FROM {x=}")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var raw any
				if err := rows.Scan(&raw); err != nil || raw != want {
					t.Errorf("stored: %v (%v), want %v", raw, err, want)
				}
			}
		})
	}
}
