package adopt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// nulls counts rows that cannot be read: a column that may be NULL elsewhere, and not here.
func (p *Proposal) nulls(ctx context.Context, db storage.Database, r *Report, want *schema.Schema, names schema.Names) error {
	x := storage.Expander{Dialect: p.Dialect, Names: names}
	for i := range want.Tables {
		t := &want.Tables[i]
		lt := p.live.Table(names.Table(t.Name))
		if lt == nil || !plainSQL(lt.Name) {
			continue
		}
		var logical, null []string
		for _, c := range t.Columns {
			name := names.Column(t.Name, c.Name)
			if lc := lt.Column(name); lc != nil && lc.Nullable && !c.Nullable && !c.PrimaryKey && plainSQL(name) {
				logical, null = append(logical, c.Name), append(null, storage.Quote(name)+" IS NULL")
			}
		}
		if len(null) == 0 {
			continue
		}
		l, err := count(ctx, db, question{"null", fmt.Sprintf("rows of %s without a value where one is wanted (%s): they cannot be read, and whoever needs one gets an error; fill them first", called(lt.Name), strings.Join(logical, ", ")),
			"SELECT 1 FROM " + x.Qualify(lt.Name) + " WHERE " + strings.Join(null, " OR ")}, CountTimeout)
		if err != nil {
			return err
		}
		if l.Count > 0 || l.Unknown != "" {
			r.Losses = append(r.Losses, l)
		}
	}
	return nil
}

// hidden tells that row-level security keeps rows from this role: what is counted is what it
// may see.
func (p *Proposal) hidden(ctx context.Context, db storage.Database, r *Report, want *schema.Schema, names schema.Names) error {
	if p.Dialect != storage.Postgres {
		return nil
	}
	ours := map[string]bool{}
	for i := range want.Tables {
		if t := &want.Tables[i]; t.RowSecurity == "" {
			ours[names.Table(t.Name)] = true
		}
	}
	rows, err := db.Query(ctx, `SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ? AND c.relkind IN ('r', 'p') AND pg_catalog.row_security_active(c.oid) ORDER BY 1`, names.SchemaName())
	if err != nil {
		return err
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(storage.Dest(&name)); err != nil {
			return err
		}
		if ours[name] {
			tables = append(tables, called(name))
		}
	}
	if len(tables) > 0 {
		r.Losses = append(r.Losses, Loss{Code: "row-security", Unknown: "row-level security hides them", Text: "rows of " + strings.Join(tables, ", ") +
			", which nothing above counts: a server under this role finds no user whom it may not see, and writes no row that no policy allows. It wants the tables' owner, a role with BYPASSRLS, or policies that allow everything"})
	}
	return rows.Err()
}

// twice finds values that the plan wants to be unique and that are not: it would fail.
func (p *Proposal) twice(ctx context.Context, db storage.Database, r *Report, want *schema.Schema, names schema.Names) error {
	x := storage.Expander{Dialect: p.Dialect, Names: names}
	for _, m := range p.missing {
		t, lt := want.Table(m.Table), p.live.Table(m.LiveTable)
		if m.Unique == "" || t == nil || lt == nil || !plainSQL(lt.Name) {
			continue
		}
		lists := [][]string{}
		for _, c := range t.Columns {
			lists = append(lists, []string{c.Name})
		}
		for _, ix := range t.Indexes {
			lists = append(lists, ix.Columns)
		}
		for _, list := range lists {
			var live, quoted []string
			for _, c := range list {
				name := names.Column(t.Name, c)
				live, quoted = append(live, name), append(quoted, storage.Quote(name))
			}
			if schema.IndexName(lt.Name, live, true) != m.Unique || slices.ContainsFunc(live, func(c string) bool { return lt.Column(c) == nil || !plainSQL(c) }) {
				continue
			}
			all := strings.Join(quoted, ", ")
			l, err := count(ctx, db, question{rows: "SELECT 1 FROM " + x.Qualify(lt.Name) + " WHERE " + strings.Join(quoted, " IS NOT NULL AND ") + " IS NOT NULL GROUP BY " + all + " HAVING count(*) > 1"}, CountTimeout)
			switch {
			case err != nil:
				return err
			case l.Unknown != "":
				r.Notes = append(r.Notes, fmt.Sprintf("%s of %s has to be unique; whether it is could not be found out: %s", strings.Join(list, ", "), called(lt.Name), l.Unknown))
			case l.Count > 0:
				r.Faults = append(r.Faults, fmt.Sprintf("%s of %s has to be unique, and %d values are there more than once", strings.Join(list, ", "), called(lt.Name), l.Count))
			}
		}
	}
	return nil
}
