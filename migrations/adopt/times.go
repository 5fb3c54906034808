package adopt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// timeColumn is a column of times of a SQLite database.
type timeColumn struct {
	table, column string // logical
	live          string // table and column as people read them
	t, c          string // the same as they stand in a statement
	there         bool   // or the plan adds it
	typ           string // as the database calls it; empty where it does not
	known         bool   // of Better Auth's: its times are near the present
	must          bool   // it is in every table of Better Auth's of that name
	own           bool   // in a table of Sallyport's own: never in seconds
	made          bool   // in a table that Sallyport made in Better Auth's place
	form          schema.TimeForm
	assumed       bool // nothing but the type says what form it is
}

// farMilliseconds tells numbers apart: as milliseconds it is in 1973, as seconds in 5138.
const farMilliseconds = "100000000000"

// timeColumns are the columns of times in tables that are there. A name that means something
// in a statement is left out: it is no name of Better Auth's.
func (p *Proposal) timeColumns(want *schema.Schema, names schema.Names) (out []timeColumn) {
	for i := range want.Tables {
		t := &want.Tables[i]
		lt := p.live.Table(names.Table(t.Name))
		for _, c := range t.Columns {
			name := names.Column(t.Name, c.Name)
			if c.Kind != schema.Time || lt == nil || strings.ContainsAny(lt.Name+name, "{}?'") {
				continue
			}
			m := p.m.find(t.Name)
			own := m == nil || m.live != lt
			x := timeColumn{table: t.Name, column: c.Name, live: Quote(lt.Name) + "." + Quote(name), t: storage.Quote(lt.Name), c: storage.Quote(name),
				known: m.has(c.Name) && !own, must: !own && m.must(c.Name), own: own, form: names.TimeForm(t.Name, c.Name)}
			if lc := lt.Column(name); lc != nil {
				x.there, x.typ = true, migrations.BaseType(lc.Type)
			}
			out = append(out, x)
		}
	}
	return out
}

// has is the condition that a value, which is not NULL, has a form.
func (c *timeColumn) has(f schema.TimeForm) string {
	switch f {
	case schema.TimeMilliseconds:
		s := "typeof(" + c.c + ") = 'integer'"
		if c.known {
			s += " AND (" + c.c + " = 0 OR abs(" + c.c + ") >= " + farMilliseconds + ")"
		}
		return s
	case schema.TimeSeconds:
		return "typeof(" + c.c + ") = 'integer' AND abs(" + c.c + ") < " + farMilliseconds
	case schema.TimeOffset:
		return "typeof(" + c.c + ") = 'text' AND " + c.c + " LIKE '____-__-__T__:__:__.___+00:00'"
	}
	return "typeof(" + c.c + ") = 'text' AND " + c.c + " LIKE '____-__-__T__:__:__.___Z'"
}

// found is the form of most values of the column; empty where it has none.
func (c *timeColumn) found(ctx context.Context, db storage.Database) (f schema.TimeForm, err error) {
	// Seconds go first: what could be either is a column of small numbers.
	forms := []schema.TimeForm{schema.TimeSeconds, schema.TimeMilliseconds, schema.TimeOffset, schema.TimeText}
	cases := ""
	for i, f := range forms {
		cases += fmt.Sprintf(" WHEN %s THEN %d", c.has(f), i)
	}
	sql := "SELECT CASE" + cases + " ELSE -1 END AS form, count(*) FROM " + c.t + " WHERE " + c.c + " IS NOT NULL AND " + c.c + " <> 0 GROUP BY 1 ORDER BY 2"
	_, err = read(ctx, db, CountTimeout, sql, func(rows storage.Rows) error {
		var i, n int
		if err := rows.Scan(storage.Dest(&i), storage.Dest(&n)); err != nil || i < 0 {
			return err
		}
		if c.own && forms[i] == schema.TimeSeconds {
			i = slices.Index(forms, schema.TimeMilliseconds)
		}
		if forms[i] == schema.TimeSeconds && f == schema.TimeMilliseconds && !c.known {
			return nil // dates of long ago among others
		}
		f = forms[i]
		return nil
	})
	return f, err
}

// byDefault is the form that the column's own default says; empty where it says nothing.
func (c *timeColumn) byDefault(ctx context.Context, db storage.Database) (f schema.TimeForm, err error) {
	var text *string
	unquote := func(s string) string { return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`) }
	rows, err := db.Query(ctx, "SELECT dflt_value FROM pragma_table_info(?) WHERE name = ?", unquote(c.t), unquote(c.c))
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(storage.Dest(&text)); err != nil {
			return "", err
		}
	}
	switch {
	case text == nil:
	case strings.Contains(*text, "1000"):
		f = schema.TimeMilliseconds
	case strings.Contains(*text, "unixepoch(") || strings.Contains(*text, "'%s'"):
		f = schema.TimeSeconds
	}
	return f, rows.Err()
}

// strays adds a fault for a column of times with values of another form than the one that
// is configured: they would be compared wrongly, so that sessions would end at once or never.
func (c *timeColumn) strays(ctx context.Context, db storage.Database, r *Report) error {
	var n int64
	var kind *string
	sql := "SELECT count(*), min(typeof(" + c.c + ")) FROM (SELECT " + c.c + " FROM " + c.t + " WHERE " + c.c + " IS NOT NULL AND NOT (" + c.has(c.form) + ") LIMIT 1000) AS q"
	unknown, err := read(ctx, db, CountTimeout, sql, func(rows storage.Rows) error { return rows.Scan(storage.Dest(&n), storage.Dest(&kind)) })
	switch {
	case err != nil:
		return err
	case unknown != "":
		r.Faults = append(r.Faults, fmt.Sprintf("the form of the times in %s could not be found out: %s", c.live, unknown))
	case n > 0:
		r.Faults = append(r.Faults, fmt.Sprintf("some times in %s are not %s (database.times, database.timeOverrides); times compare wrongly where the form differs", c.live, c.form.Describe()))
		r.Prepare = append(r.Prepare, fmt.Sprintf("UPDATE %s SET %s = %s WHERE NOT (%s); -- on a copy, if these are what the app reads",
			c.t, c.c, c.convert(kind != nil && *kind == "text"), c.has(c.form)))
	}
	return nil
}

// convert is an expression for a time of another form in the column's own.
func (c *timeColumn) convert(text bool) string {
	seconds := "iif(abs(" + c.c + ") < " + farMilliseconds + ", " + c.c + ", " + c.c + " / 1000.0)"
	at := seconds + ", 'unixepoch'"
	if text {
		at, seconds = c.c, "(julianday("+c.c+") - 2440587.5) * 86400.0"
	}
	switch c.form {
	case schema.TimeMilliseconds:
		return "CAST(round(" + seconds + " * 1000) AS integer)"
	case schema.TimeSeconds:
		return "CAST(strftime('%s', " + at + ") AS integer)" // a day as a number, which seconds is made of, lies a little beside it
	case schema.TimeOffset:
		return "strftime('%Y-%m-%dT%H:%M:%f+00:00', " + at + ")"
	}
	return "strftime('%Y-%m-%dT%H:%M:%fZ', " + at + ")"
}
