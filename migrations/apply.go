package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

const lockName = "sallyport-migrate"

// FaultError says what a plan cannot put right.
type FaultError struct{ Faults []string }

func (e *FaultError) Error() string {
	return "migrations: the database cannot be adopted as it is:\n\t" + strings.Join(e.Faults, "\n\t")
}

// DriftError says what a database lacks.
type DriftError struct {
	Missing []Missing
	Pending []Step   // steps that did not run
	Faults  []string // see Plan.Faults
}

func (e *DriftError) Error() string {
	var lines []string
	for _, m := range e.Missing {
		lines = append(lines, m.String())
	}
	for _, s := range e.Pending {
		lines = append(lines, fmt.Sprintf("plugin %s: step %d (%s) did not run", s.Plugin, s.Number, s.Name))
	}
	return "migrations: the database is not what the plugins need:\n\t" + strings.Join(append(lines, e.Faults...), "\n\t")
}

// Read makes the plan for a database as it is. It binds db to want and names.
func Read(ctx context.Context, db storage.Database, want *schema.Schema, names schema.Names, steps []Step) (*Plan, error) {
	if err := db.Bind(want, names); err != nil {
		return nil, err
	}
	return read(ctx, db, want, names, steps)
}

func read(ctx context.Context, db storage.Database, want *schema.Schema, names schema.Names, steps []Step) (*Plan, error) {
	live, err := db.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	done := map[string]string{}
	if live.Table(Ledger) != nil {
		if done, err = ran(ctx, db, names); err != nil {
			return nil, err
		}
	}
	return New(db.Dialect(), live, want, names, steps, done)
}

// ran reads the ledger.
func ran(ctx context.Context, db storage.Database, names schema.Names) (map[string]string, error) {
	x := storage.Expander{Dialect: db.Dialect(), Names: names}
	rows, err := db.Query(ctx, `SELECT "plugin", "number", "checksum" FROM `+x.Qualify(Ledger))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	done := map[string]string{}
	for rows.Next() {
		var plugin, sum string
		var number int
		if err := rows.Scan(&plugin, &number, &sum); err != nil {
			return nil, err
		}
		done[StepKey(plugin, number)] = sum
	}
	return done, rows.Err()
}

// Apply brings a database to what is wanted, and returns what it did. Any number of
// programs may call it at once: it holds a lock of the database, plans inside of it, and
// runs the plan as one transaction. It binds db to want and names. A plan with faults is
// a *FaultError and changes nothing.
func Apply(ctx context.Context, db storage.Database, want *schema.Schema, names schema.Names, steps []Step) (*Plan, error) {
	if err := db.Bind(want, names); err != nil {
		return nil, err
	}
	var plan *Plan
	err := db.Lock(ctx, lockName, func(ctx context.Context) (err error) {
		if plan, err = read(ctx, db, want, names, steps); err != nil {
			return err
		}
		if len(plan.Faults) > 0 {
			return &FaultError{plan.Faults}
		}
		return db.DDL(ctx, plan.SQL()...)
	})
	return plan, err
}

// Verify tells whether a database is what is wanted: nil, a *DriftError, or what kept it
// from finding out. It only reads, also under a role that may neither create nor alter;
// the ledger it reads only when there are steps. Indexes that only make queries faster
// may be missing, or not be finished. It binds db to want and names.
func Verify(ctx context.Context, db storage.Database, want *schema.Schema, names schema.Names, steps []Step) error {
	if err := db.Bind(want, names); err != nil {
		return err
	}
	live, err := db.Inspect(ctx)
	if err != nil {
		return err
	}
	done := map[string]string{}
	if len(steps) > 0 && live.Table(Ledger) != nil {
		if done, err = ran(ctx, db, names); err != nil {
			return err
		}
	}
	plan, err := New(db.Dialect(), live, want, names, steps, done)
	if err != nil {
		return err
	}
	faults := slices.DeleteFunc(plan.Faults, func(f string) bool { return slices.Contains(plan.slow, f) })
	if len(plan.Missing)+len(plan.Pending)+len(faults) > 0 {
		return &DriftError{Missing: plan.Missing, Pending: plan.Pending, Faults: faults}
	}
	return nil
}
