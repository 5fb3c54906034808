package explain

import (
	"database/sql"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// fillRows is how many rows each table gets: enough for the planner to prefer an index
// wherever there is one.
const fillRows = 20000

// fill puts rows into every table, whatever plugin it is of, and has PostgreSQL look at
// them. Ten rows refer to one.
func fill(t *testing.T, dsn string, s *schema.Schema, names schema.Names) {
	t.Helper()
	db := open(t, dsn)
	run := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	db.SetMaxOpenConns(1)
	run("SET session_replication_role = replica") // neither foreign keys nor triggers
	run("SET synchronous_commit = off")
	// What is filled in makes no sense.
	run(`DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT conname, conrelid::regclass AS t FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
		END LOOP;
	END $$`)
	x := storage.Expander{Dialect: storage.Postgres, Schema: s, Names: names}
	for i := range s.Tables {
		table := &s.Tables[i]
		// Where autovacuum has been, an index alone may answer, and when it comes nobody knows.
		run("ALTER TABLE " + x.Table(table.Name) + " SET (autovacuum_enabled = off)")
		var columns, values []string
		for _, c := range table.Columns {
			if c.Default != nil {
				continue
			}
			columns = append(columns, storage.Quote(names.Column(table.Name, c.Name)))
			values = append(values, value(&c))
		}
		run("INSERT INTO " + x.Table(table.Name) + " (" + strings.Join(columns, ", ") + ") SELECT " + strings.Join(values, ", ") +
			" FROM generate_series(1, " + strconv.Itoa(fillRows) + ") AS g")
	}
	run("ANALYZE")
}

func value(c *schema.Column) string {
	v := map[schema.Kind]string{schema.String: "'fill' || g", schema.Bool: "g % 2 = 0", schema.Int: "g + 1000000", schema.BigInt: "g + 1000000",
		schema.Time: "now() + (g - 10000) * interval '1 minute'", schema.JSON: "'{}'::jsonb", schema.Bytes: "''::bytea"}[c.Kind]
	switch {
	case c.References != nil && !c.Unique && !c.PrimaryKey:
		return "'fill' || (g / 10 * 10 + 10)"
	case c.Nullable && c.Unique:
		return "CASE WHEN g % 1000 <> 0 THEN " + v + " END"
	case c.Nullable:
		return "CASE WHEN g % 4 <> 0 THEN " + v + " END"
	}
	return v
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
