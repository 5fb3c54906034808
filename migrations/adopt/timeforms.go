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

// FindTimes finds out how a SQLite database holds times: by the values that are there; where a
// column has none, by its default, by the other columns of its table and of its type, and by
// its type, which is an assumption and is said to be one. It wants Complete before.
//
// What the plan adds is there when the database is looked at again, and has no values at
// first. So it is decided here as if it were there already, and nothing is concluded from it.
func (p *Proposal) FindTimes(ctx context.Context, db storage.Database, want *schema.Schema) error {
	if p.Dialect != storage.SQLite {
		return nil
	}
	made, err := madeHere(ctx, db)
	if err != nil {
		return err
	}
	columns := p.timeColumns(want, schema.Names{Naming: p.Naming, Overrides: p.Overrides})
	for i := range columns {
		c := &columns[i]
		c.form, c.made = "", !c.own && made[c.t]
		if !c.there {
			continue
		}
		if c.form, err = c.found(ctx, db); err == nil && c.form == "" {
			c.form, err = c.byDefault(ctx, db)
		}
		if err != nil {
			return err
		}
	}
	most := infer(columns)
	p.noteTimes(columns)
	p.settleTimes(columns, most)
	return nil
}

// madeHere are the tables, as they stand in a statement, that Sallyport made: SQLite keeps
// the text, and no ORM writes it quite so.
func madeHere(ctx context.Context, db storage.Database) (map[string]bool, error) {
	rows, err := db.Query(ctx, "SELECT name, sql FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(storage.Dest(&name), storage.Dest(&text)); err != nil {
			return nil, err
		}
		name = storage.Quote(name)
		out[name] = strings.HasPrefix(text, "CREATE TABLE "+name+" (\n\t\"")
	}
	return out, rows.Err()
}

// infer gives a form to the columns that have none, and returns the one of most columns, which
// is that of the database.
func infer(columns []timeColumn) (most schema.TimeForm) {
	theirs := func(c *timeColumn) bool { return !c.own && !c.made }
	// First what Better Auth has always had: that was not added by anybody later.
	fill(columns, func(c *timeColumn) bool { return theirs(c) && c.must && c.there }, func(c *timeColumn, all []timeColumn) schema.TimeForm {
		return c.like(all, func(o *timeColumn) bool { return o.table == c.table && o.typ == c.typ }, func(o *timeColumn) bool { return o.typ == c.typ })
	})
	fill(columns, theirs, func(c *timeColumn, all []timeColumn) schema.TimeForm {
		return c.like(all, func(o *timeColumn) bool { return o.table == c.table && o.typ == c.typ }, func(o *timeColumn) bool { return o.table == c.table },
			func(o *timeColumn) bool { return o.typ == c.typ }, func(*timeColumn) bool { return true })
	})
	if most = common(columns, theirs); most == "" {
		most = common(columns, func(*timeColumn) bool { return true })
	}
	switch most {
	case "":
		most = schema.TimeText
	case schema.TimeSeconds: // for tables that have it already: the others are Sallyport's alone
		most = schema.TimeMilliseconds
	}
	fill(columns, func(*timeColumn) bool { return true }, func(c *timeColumn, _ []timeColumn) schema.TimeForm {
		if c.holds(most) {
			return most
		}
		return ""
	})
	return most
}

// fill gives a form to those of the columns that have none: the one that by finds among the
// columns as they were, or the one of their type.
func fill(columns []timeColumn, which func(*timeColumn) bool, by func(c *timeColumn, all []timeColumn) schema.TimeForm) {
	was := slices.Clone(columns)
	for i := range columns {
		c := &columns[i]
		if c.form != "" || !which(c) {
			continue
		}
		if c.form = by(c, was); c.form == "" {
			c.form, c.assumed = ofType(c.typ), !c.own && !c.made && c.there
		}
	}
}

// like is the most common form that c can hold, of the first of these groups that has one.
// Tables that Sallyport made say nothing of the others.
func (c *timeColumn) like(all []timeColumn, groups ...func(o *timeColumn) bool) schema.TimeForm {
	for _, in := range groups {
		if f := common(all, func(o *timeColumn) bool { return !o.own && !o.made && in(o) && c.holds(o.form) }); f != "" {
			return f
		}
	}
	return ""
}

// common is the form that most of these columns have; empty where none has one.
func common(columns []timeColumn, which func(*timeColumn) bool) (most schema.TimeForm) {
	seen := map[schema.TimeForm]int{}
	for i := range columns {
		if c := &columns[i]; c.form != "" && which(c) {
			seen[c.form]++
		}
	}
	for _, f := range schema.TimeForms {
		if seen[f] > seen[most] {
			most = f
		}
	}
	return most
}

// holds tells whether a column of c's type can hold that form; one that is not there yet can.
func (c *timeColumn) holds(f schema.TimeForm) bool {
	if !c.there {
		return true
	}
	ok, _ := migrations.Fits(storage.SQLite, &schema.Column{Kind: schema.Time}, f, c.typ)
	return ok
}

// ofType is the form that a type suggests: numbers are Prisma's and what Better Auth's
// generator makes for Drizzle.
func ofType(typ string) schema.TimeForm {
	switch typ {
	case "integer", "int", "bigint", "datetime":
		return schema.TimeMilliseconds
	}
	return schema.TimeText
}

// noteTimes says what was assumed, and what the forms cost.
func (p *Proposal) noteTimes(columns []timeColumn) {
	var assumed []string
	for _, c := range columns {
		if c.assumed {
			assumed = append(assumed, fmt.Sprintf("%s (%s: %s)", c.live, Quote(c.typ), c.form))
		}
	}
	has := func(is func(schema.TimeForm) bool) bool {
		return slices.ContainsFunc(columns, func(c timeColumn) bool { return is(c.form) })
	}
	if len(assumed) > 0 && has(func(f schema.TimeForm) bool { return f != schema.TimeText }) {
		p.Notes = append(p.Notes, "no value says in which form these columns hold times; it is assumed by their types: "+strings.Join(assumed, ", ")+
			". Look it up in the schema of your ORM and set database.times or database.timeOverrides")
	}
	if has(func(f schema.TimeForm) bool { return f == schema.TimeSeconds }) {
		p.Notes = append(p.Notes, "some columns hold whole seconds: times lose their milliseconds there, and what ends within a second ends at its beginning")
	}
}

// settleTimes makes the form of most columns that of the database, and says where it is
// another one.
func (p *Proposal) settleTimes(columns []timeColumn, most schema.TimeForm) {
	if most != schema.TimeText {
		p.Times = most
	}
	tables := map[string][]timeColumn{}
	for _, c := range columns {
		tables[c.table] = append(tables[c.table], c)
	}
	p.TimeOverrides = map[string]schema.TimeForm{}
	for table, list := range tables {
		if !slices.ContainsFunc(list, func(c timeColumn) bool { return c.form != list[0].form }) {
			if list[0].form != most {
				p.TimeOverrides[table] = list[0].form
			}
			continue
		}
		for _, c := range list {
			if c.form != most {
				p.TimeOverrides[c.table+"."+c.column] = c.form
			}
		}
	}
}
