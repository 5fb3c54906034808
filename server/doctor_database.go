package server

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

const (
	oldestPostgres = 13
	skewWarning    = 5 * time.Second
	skewFault      = 30 * time.Second // as long as a code of an authenticator lasts
	manyExpired    = 10_000
)

// database looks at the database and what is in it.
func (d *doctor) database(ctx context.Context, auth *core.Auth) {
	c := d.cfg
	if path := c.Database.Path; path != "" && c.Database.URL == "" && c.Core.Database == nil {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			d.add(d.careful(), "database", "sallyport migrate apply", "there is no file %s yet", path)
			return
		}
	}
	began := time.Now()
	db, err := c.open(ctx)
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		d.add(Broken, "database", "start it, or mend database.url", "does not answer: %v", err)
		return
	}
	if c.Core.Database == nil {
		defer db.Close()
	}
	x := &patient{doctor: d, db: db, took: time.Since(began)}
	x.want, x.names, x.steps = auth.Schema()
	x.version(ctx)
	if !x.schema(ctx) {
		return
	}
	x.role(ctx)
	x.clock(ctx)
	x.jobs(ctx)
	x.expired(ctx)
}

// patient is a database that answers.
type patient struct {
	*doctor
	db    storage.Database
	took  time.Duration
	want  *schema.Schema
	names schema.Names
	steps []storage.Step
}

// one reads the only row of a query.
func (x *patient) one(ctx context.Context, sql string, args []any, dest ...any) error {
	rows, err := x.db.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(rows.Err(), errors.New("no row"))
	}
	if err := rows.Scan(storage.Dests(dest)...); err != nil {
		return err
	}
	return rows.Close()
}

func (x *patient) version(ctx context.Context) {
	sql := "SELECT sqlite_version()"
	if x.db.Dialect() == storage.Postgres {
		sql = "SELECT current_setting('server_version')"
	}
	var version string
	if err := x.one(ctx, sql, nil, &version); err != nil {
		x.add(Broken, "database", "see docs/operations.md, The database is down", "its version cannot be read: %v", err)
		return
	}
	version, _, _ = strings.Cut(version, " ")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && x.db.Dialect() == storage.Postgres && n < oldestPostgres {
		x.add(Warning, "database", "upgrade it", "PostgreSQL %s is older than %d, which is the oldest that is tested", version, oldestPostgres)
		return
	}
	x.add(Fine, "database", "", "%s %s answered after %d ms", x.db.Dialect(), version, x.took.Milliseconds())
}

// schema compares the tables with what the plugins want. false: nothing more can be asked.
func (x *patient) schema(ctx context.Context) bool {
	plan, err := migrations.Read(ctx, x.db, x.want, x.names, x.steps)
	if err != nil {
		x.add(Broken, "schema", "see the cause; the role must be able to read the catalogue and the ledger", "cannot be read: %v", err)
		return false
	}
	for _, f := range plan.Faults {
		x.add(Broken, "schema", "change the table or database.overrides by hand: a migration only adds", "%v", f)
	}
	for _, m := range plan.Missing {
		x.add(Broken, "schema", "sallyport migrate plan, then sallyport migrate apply", "%s", m.String())
	}
	if n := len(plan.Pending); n > 0 {
		x.add(Broken, "schema", "sallyport migrate plan, then sallyport migrate apply", "%d steps of plugins did not run", n)
	}
	if len(plan.Faults)+len(plan.Missing)+len(plan.Pending) > 0 {
		return false
	}
	if n := len(plan.Statements); n > 0 {
		x.add(Warning, "schema", "sallyport migrate plan, then sallyport migrate apply", "%d statements would complete it (indexes, constraints)", n)
		return true
	}
	x.add(Fine, "schema", "", "%d tables as the plugins want them", len(x.want.Tables))
	return true
}

// role asks whether who is connected may do what the server does, and not much more.
func (x *patient) role(ctx context.Context) {
	if x.db.Dialect() != storage.Postgres {
		return
	}
	var name string
	var super bool
	if err := x.one(ctx, "SELECT CURRENT_USER::text, rolsuper FROM pg_roles WHERE rolname = CURRENT_USER", nil, &name, &super); err != nil {
		x.add(Warning, "role", "", "cannot be looked at: %v", err)
		return
	}
	expander := storage.Expander{Dialect: x.db.Dialect(), Names: x.names}
	lacks := 0
	for _, t := range x.want.Tables {
		rights := []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
		for _, right := range rights {
			var has bool
			table := expander.Qualify(x.names.Table(t.Name))
			if err := x.one(ctx, "SELECT has_table_privilege(CURRENT_USER, ?::text, ?::text)", []any{table, right}, &has); err != nil {
				x.add(Warning, "role", "", "the rights on %s cannot be read: %v", table, err)
			} else if !has && !(t.AppendOnly && right == "DELETE") {
				lacks++
				x.add(Broken, "role", "as the owner: GRANT "+right+" ON "+table+" TO "+strconv.Quote(name), "%q may not %s %s", name, right, table)
			}
		}
	}
	switch {
	case super:
		x.add(Warning, "role", "let the server use a role that may only read and write rows, and migrate with another", "%q is a superuser", name)
	case lacks == 0:
		x.add(Fine, "role", "", "%q may read and write every table", name)
	}
}

// clock compares the machine's clock with the database's, halfway between question and answer.
func (x *patient) clock(ctx context.Context) {
	if x.db.Dialect() != storage.Postgres {
		return // it has the machine's own
	}
	now := time.Now
	if x.cfg.Core.Clock != nil {
		now = x.cfg.Core.Clock
	}
	var theirs time.Time
	before := now()
	if err := x.one(ctx, "SELECT clock_timestamp()", nil, &theirs); err != nil {
		x.add(Warning, "clock", "", "the database's cannot be read: %v", err)
		return
	}
	after := now()
	skew := before.Add(after.Sub(before) / 2).Sub(theirs).Round(time.Millisecond)
	const do = "run a time service (chrony, systemd-timesyncd) on both machines"
	switch off := skew.Abs(); {
	case off > skewFault:
		x.add(Broken, "clock", do, "this machine's differs from the database's by %v: codes of authenticators are refused, and what expires does so at the wrong time", skew)
	case off > skewWarning:
		x.add(Warning, "clock", do, "this machine's differs from the database's by %v", skew)
	default:
		x.add(Fine, "clock", "", "differs from the database's by %v", skew)
	}
}

func (x *patient) now() time.Time {
	if x.cfg.Core.Clock != nil {
		return x.cfg.Core.Clock().UTC()
	}
	return time.Now().UTC()
}

// jobs counts what waits and what was given up.
func (x *patient) jobs(ctx context.Context) {
	var due, long, failed int64
	if err := x.one(ctx, "SELECT COUNT(CASE WHEN {job:failedAt} IS NULL AND {job:runAt} <= ? THEN 1 END), "+
		"COUNT(CASE WHEN {job:failedAt} IS NULL AND {job:createdAt} <= ? THEN 1 END), COUNT({job:failedAt}) FROM {job}",
		[]any{x.now().Add(-oldJob), x.now().Add(-longJob)}, &due, &long, &failed); err != nil {
		x.add(Warning, "jobs", "", "cannot be counted: %v", err)
		return
	}
	if failed > 0 {
		x.add(Warning, "jobs", "docs/operations.md, Jobs pile up", "%d were given up", failed)
	}
	if due > 0 {
		x.add(Warning, "jobs", "is the server running? docs/operations.md, Jobs pile up", "%d are due for more than %v", due, oldJob)
	}
	if long > 0 {
		x.add(Warning, "jobs", "docs/operations.md, Jobs pile up", "%d wait for more than %v", long, longJob)
	}
	if due+long+failed == 0 {
		x.add(Fine, "jobs", "", "none waits for long, none was given up")
	}
}

// expired counts rows that the clean-up should have deleted hours ago.
func (x *patient) expired(ctx context.Context) {
	var total int64
	for _, table := range []string{"session", "verification", "attempt"} {
		if x.want.Table(table) == nil {
			continue
		}
		var n int64
		if err := x.one(ctx, "SELECT COUNT(*) FROM {"+table+"} WHERE {"+table+":expiresAt} < ?", []any{x.now().Add(-24 * time.Hour)}, &n); err != nil {
			x.add(Warning, "rows", "", "those of %s cannot be counted: %v", table, err)
			return
		}
		total += n
	}
	if total > manyExpired {
		x.add(Warning, "rows", "look for clean-up failed in the server's log", "%d have been expired for more than a day: the clean-up does not run", total)
		return
	}
	x.add(Fine, "rows", "", "%d have been expired for more than a day", total)
}
