package adopt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

// Look reads the tables of a schema and makes a proposal. names are as they are configured;
// where nothing is, not even a schema, it takes the one that has the tables, "public" first;
// where several have them it fails and names them. It binds db to no table and that schema.
func Look(ctx context.Context, db storage.Database, from string, names schema.Names) (*Proposal, error) {
	p, err := lookAt(ctx, db, from, names)
	if names.Schema != "" || said(names) || db.Dialect() != storage.Postgres || !errors.Is(err, ErrNoTables) {
		return p, err
	}
	all, err := schemas(ctx, db)
	if err != nil {
		return nil, err
	}
	var found []*Proposal
	var called []string
	for _, s := range all {
		p, err := lookAt(ctx, db, from, schema.Names{Schema: s})
		switch {
		case err == nil:
			found, called = append(found, p), append(called, Quote(s))
		case !errors.Is(err, ErrNoTables):
			return nil, err
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w; no other schema has such tables", ErrNoTables)
	case 1:
		return lookAt(ctx, db, from, schema.Names{Schema: found[0].Schema})
	}
	return nil, fmt.Errorf("the schemas %s all have such tables: name one with --schema", strings.Join(called, ", "))
}

func lookAt(ctx context.Context, db storage.Database, from string, names schema.Names) (*Proposal, error) {
	if err := db.Bind(&schema.Schema{}, schema.Names{Schema: names.Schema}); err != nil {
		return nil, err
	}
	live, err := db.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	return Propose(db.Dialect(), live, from, names)
}

// schemas lists those that have a table. A quotation mark in a name is no name that a
// mapping takes.
func schemas(ctx context.Context, db storage.Database) (out []string, err error) {
	rows, err := db.Query(ctx, `SELECT DISTINCT n.nspname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('public', 'information_schema') AND n.nspname NOT LIKE 'pg\_%' AND position('"' IN n.nspname) = 0
ORDER BY 1 LIMIT 1000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(storage.Dest(&s)); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Report compares what is there with what is wanted, and adds what the proposal knows. ids
// is how ids will be made.
func (p *Proposal) Report(want *schema.Schema, names schema.Names, plan *migrations.Plan, ids string) *Report {
	r := NewReport(p.Dialect, p.live, want, names, plan)
	r.From = p.From
	p.missing = plan.Missing
	r.Faults = append(r.Faults, storage.KeyFaults(p.Dialect, want, names, p.live, ids)...)
	for _, f := range storage.BanFaults(p.Dialect, want, names, p.live) {
		if want.Table("user").Column("banned") == nil { // or the plan says it
			r.Faults = append(r.Faults, f)
		}
	}
	for _, m := range p.m.matches {
		t := want.Table(m.name)
		if t == nil {
			continue
		}
		if name := names.Table(m.name); name != m.live.Name && p.live.Table(name) == nil {
			r.Notes = append(r.Notes, fmt.Sprintf("table %s looks like Better Auth's %s, which the names that are configured look for in %s", Quote(m.live.Name), m.name, Quote(name)))
		}
	}
	u := p.m.find("user")
	if live := u.cols["banned"]; live != "" && names.Table("user") == u.live.Name && names.Column("user", "banned") != live {
		r.Faults = append(r.Faults, fmt.Sprintf("bans are in the column %s, where they would not be seen: set database.overrides \"user.banned\"", Quote(live)))
	}
	return r
}

// Inspect adds the losses, and looks at values where the catalogue does not say enough: rows
// that cannot be read or would be there twice, and SQLite's dates. It wants Report before.
// enabled are the ids of the plugins that will run.
func (p *Proposal) Inspect(ctx context.Context, db storage.Database, r *Report, want *schema.Schema, names schema.Names, enabled []string) (err error) {
	if r.Losses, err = p.Count(ctx, db, want, enabled, CountTimeout); err != nil {
		return err
	}
	for _, look := range []func(context.Context, storage.Database, *Report, *schema.Schema, schema.Names) error{p.nulls, p.hidden, p.twice} {
		if err := look(ctx, db, r, want, names); err != nil {
			return err
		}
	}
	p.prepare(r, want, names)
	p.mana(r, enabled)
	if p.Dialect != storage.SQLite {
		return nil
	}
	for _, c := range p.timeColumns(want, names) {
		if !c.there {
			continue
		}
		if err := c.strays(ctx, db, r); err != nil {
			return err
		}
	}
	return nil
}

// SealedText is something that the app encrypted with its secret.
type SealedText struct{ Where, Text string }

// Sealed reads one secret of each table that has some, to try the configured secret on.
func (p *Proposal) Sealed(ctx context.Context, db storage.Database) (out []SealedText, err error) {
	for _, c := range []struct{ table, column string }{{"jwks", "privateKey"}, {"twoFactor", "secret"}} {
		m := p.m.find(c.table)
		if !m.has(c.column) {
			continue
		}
		text := ""
		col := m.col("t", c.column)
		unknown, err := read(ctx, db, CountTimeout, "SELECT "+col+" FROM "+p.from(m, "t")+" WHERE "+col+" IS NOT NULL LIMIT 1", func(rows storage.Rows) error {
			return rows.Scan(storage.Dest(&text))
		})
		if err != nil {
			return nil, err
		}
		if unknown != "" || text == "" || strings.HasPrefix(text, "{") { // a key that is not encrypted
			continue
		}
		if strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &text) != nil {
			continue
		}
		out = append(out, SealedText{Quote(m.live.Name), text})
	}
	return out, nil
}
