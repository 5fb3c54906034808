package core

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Auth is a compiled configuration: the handler of all endpoints, and the way in for
// the app's own Go code. It is safe for use by many goroutines.
type Auth struct{ h *Host }

// New compiles a configuration. Every fault of it is reported in one error: bad options,
// plugins that collide or lack what they need, routes and codes claimed twice. Then the
// database is compared with what the plugins want: a missing table or column stops the
// start with its plugin and name, before the first request (Config.SkipVerify leaves
// this out). Last, plugins are initialised and background work starts.
func New(ctx context.Context, cfg Config) (*Auth, error) {
	h, userFields, sessionFields, err := compile(cfg)
	defer func() {
		if err != nil {
			h.disown()
		}
	}()
	if err = errors.Join(err, h.own()); err != nil {
		return nil, err
	}
	cfg = h.cfg
	if err = h.open(ctx, userFields, sessionFields); err != nil {
		return nil, err
	}
	a := &Auth{h}
	for i, s := range h.specs {
		if s.Init == nil {
			continue
		}
		if err = s.Init(ctx, h); err != nil {
			h.closePlugins(ctx, i)
			err = fmt.Errorf("core: plugin %s: %w", s.ID, err)
			return nil, err
		}
	}
	if !cfg.NoBackground {
		if err = h.listen(); err != nil {
			h.closePlugins(ctx, len(h.specs))
			return nil, err
		}
		h.jobs.start()
	}
	return a, nil
}

// compile does what New does before the database is looked at.
func compile(cfg Config) (h *Host, userFields, sessionFields map[string]*field, err error) {
	cfg.setDefaults()
	h = &Host{cfg: cfg, db: &pool{Database: cfg.Database}, log: cfg.Logger, random: cfg.Random, hooks: map[any][]Hook{},
		routes: map[any]*endpoint{}, owners: map[string]string{}, events: map[string]EventType{}}
	if h.random == nil {
		h.random = rand.Reader
	}
	if cfg.Observer != nil {
		h.db.trips = &watched{h, cfg.Database}
	}
	b := &compiler{h: h, services: map[reflect.Type]provided{}}
	b.options()
	h.router = newRouter(strings.TrimSuffix(h.cfg.BasePath, "/"))
	h.router.slash = cfg.SkipTrailingSlashes
	h.jobs = newWorker(h)
	h.later = newEventQueue(h)
	own, userFields, sessionFields := b.ownSpec()
	b.compile(own, userFields)
	b.limits()
	return h, userFields, sessionFields, b.err()
}

// open binds the schema to the database and compares the two.
func (h *Host) open(ctx context.Context, userFields, sessionFields map[string]*field) error {
	names := h.cfg.Names
	if err := h.db.Bind(h.schema, names); err != nil {
		return fmt.Errorf("core: %w", err)
	}
	live, err := h.db.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("core: reading the database's tables: %w", err)
	}
	if h.adoptBan(live) {
		if err := h.db.Bind(h.schema, names); err != nil {
			return fmt.Errorf("core: %w", err)
		}
	}
	if !h.cfg.SkipVerify {
		if missing := schema.Missing(h.schema, names, live); len(missing) > 0 {
			return &DriftError{missing}
		}
		if open := schema.Unprotected(h.schema, names, live); len(open) > 0 {
			return fmt.Errorf("core: the database does not protect what it is to protect:\n  %s", strings.Join(open, "\n  "))
		}
		ids := h.cfg.IDs
		if h.cfg.NewID != nil {
			ids = ""
		}
		if faults := storage.KeyFaults(h.db.Dialect(), h.schema, names, live, ids); len(faults) > 0 {
			return fmt.Errorf("core: the database does not take the ids that are written:\n  %s", strings.Join(faults, "\n  "))
		}
		if faults := storage.BanFaults(h.db.Dialect(), h.schema, names, live); len(faults) > 0 {
			return fmt.Errorf("core: the database's bans are of no use:\n  %s", strings.Join(faults, "\n  "))
		}
	}
	if err := h.openSerial(live); err != nil {
		return err
	}
	h.userModel = newModel(h.schema.Table("user"), len(userColumns), userFields)
	h.sessionModel = newModel(h.schema.Table("session"), len(sessionColumns), sessionFields)
	h.userModel.fill(live.Table(names.Table("user")), names)
	h.sessionModel.fill(live.Table(names.Table("session")), names)
	switch {
	case h.cfg.Session.Store != nil:
		h.copies = h.newSessionCopies()
	case h.cfg.Session.Cache.Enabled:
		announcer, ok := h.db.Database.(storage.Announcer)
		switch {
		case h.db.Dialect() != storage.Postgres:
			return errors.New("core: session.cache.enabled: needs PostgreSQL, which tells every process of changes: SQLite is read in this process anyway, and a command of the program that changes it could tell nobody")
		case !ok:
			return errors.New("core: session.cache.enabled: this database adapter does not pass on what changes")
		}
		h.copies = newSessionCache(h, announcer)
	}
	u, s := h.userModel, h.sessionModel
	both := s.sel + ", " + u.sel
	if one := packed(s, u); one != "" && h.db.Dialect() == storage.Postgres {
		both, h.packed = one, true
	}
	h.sql = statements{
		sessionByToken: "SELECT " + both + " FROM {session=} JOIN {user=} ON {user.id} = {session.userId} WHERE {session.token} IN (?, ?)",
		sessionByID:    "SELECT " + both + " FROM {session=} JOIN {user=} ON {user.id} = {session.userId} WHERE {session.id} = ? AND {session.expiresAt} >= ?",
		sessionList:    "SELECT " + s.sel + " FROM {session=} WHERE {session.userId} = ? AND {session.expiresAt} > ? ORDER BY {session.createdAt} LIMIT ?",
		userByID:       "SELECT " + u.sel + " FROM {user=} WHERE {user.id} = ?",
		userByEmail:    "SELECT " + u.sel + " FROM {user=} WHERE {user.email} = ?",
		userCredential: "SELECT " + u.sel + ", {account.id}, {account.password} FROM {user=} LEFT JOIN {account=} ON {account.userId} = {user.id} AND {account.providerId} = 'credential' WHERE ",
	}
	h.sql.notBanned, h.banExpires = notBanned(h.schema.Table("user"))
	return nil
}

var (
	banned     = schema.Column{Name: "banned", Kind: schema.Bool, Nullable: true, Hidden: true, Owner: "core"}
	banExpires = schema.Column{Name: "banExpires", Kind: schema.Time, Nullable: true, Hidden: true, Owner: "core"}
)

// adoptBan adds the ban columns of Better Auth's admin plugin where the database has
// them and no plugin of ours does: a ban must hold, whoever wrote it.
func (h *Host) adoptBan(live *schema.Live) bool {
	t := h.schema.Table("user")
	lt := live.Table(h.cfg.Names.Table("user"))
	if lt == nil || t.Column("banned") != nil || lt.Column(h.cfg.Names.Column("user", "banned")) == nil {
		return false
	}
	t.Columns = append(t.Columns, banned)
	if t.Column("banExpires") == nil && lt.Column(h.cfg.Names.Column("user", "banExpires")) != nil {
		t.Columns = append(t.Columns, banExpires)
	}
	return true
}

// DriftError says what the database lacks, by plugin, table and column.
type DriftError struct{ Missing []schema.MissingColumn }

func (e *DriftError) Error() string {
	lines := make([]string, len(e.Missing))
	for i, m := range e.Missing {
		lines[i] = "  " + m.String()
	}
	return "core: the database lacks what is configured; run the migrations (the command migrate apply, or migrations.Apply):\n" + strings.Join(lines, "\n")
}

// Close ends background work, letting jobs that run finish until ctx ends, and closes
// the plugins in reverse order. The database stays open: whoever opened it closes it.
func (a *Auth) Close(ctx context.Context) (err error) {
	a.h.closing.Do(func() {
		if a.h.deaf != nil {
			a.h.deaf()
		}
		err = errors.Join(a.h.jobs.close(ctx), a.h.closePlugins(ctx, len(a.h.specs)))
		a.h.later.close(ctx)
		a.h.disown()
	})
	return err
}

func (h *Host) closePlugins(ctx context.Context, n int) error {
	var errs []error
	for i := n - 1; i >= 0; i-- {
		if c := h.specs[i].Close; c != nil {
			errs = append(errs, c(ctx))
		}
	}
	return errors.Join(errs...)
}

// Host returns the Auth as plugins see it.
func (a *Auth) Host() *Host { return a.h }

// Schema returns everything that core, plugins and app want of the database, the names
// it has there, and the steps of the plugins: the input of the migrations.
func (a *Auth) Schema() (*schema.Schema, schema.Names, []storage.Step) {
	return a.h.schema, a.h.cfg.Names, a.h.steps
}

// Database returns the adapter.
func (a *Auth) Database() storage.Database { return a.h.db.Database }

var _ contract.Passwords = passwords{}
