// Package postgres is the adapter for PostgreSQL 13 and later, and for databases that
// speak its protocol.
//
// Open makes a pool of its own (lib/pq). From takes a *sql.DB that the app has, of
// lib/pq or of pgx's database/sql driver, and Join lets a transaction of the app's take
// part. A statement is prepared once per connection and is one round trip afterwards.
//
// A pooler between the program and the server must keep a connection for a session:
// PgBouncer's transaction mode loses prepared statements.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/sallyport-auth/sallyport/adapters/internal/sqldb"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Options are the settings of a pool.
type Options struct {
	// MaxOpen is how many connections there may be. Default 20, at least 2: migrations
	// hold one while they use another.
	MaxOpen int `yaml:"maxOpen"`
	// MaxIdle is how many of them stay open unused. Default MaxOpen.
	MaxIdle int `yaml:"maxIdle"`
	// ConnMaxLifetime is how long a connection is used, so that a pool moves on after
	// a failover. Default 30 minutes; negative: for ever.
	ConnMaxLifetime time.Duration `yaml:"connMaxLifetime"`
	// StatementTimeout bounds one statement. Open has the server keep it, unless the
	// connection string sets statement_timeout, and gives a connection up 3 s later if the
	// server is silent; beyond that it bounds every call whose context has no deadline,
	// waiting for a connection included. Default 10 s; negative: none.
	StatementTimeout time.Duration `yaml:"statementTimeout"`
	// ListenURL is the connection string of the same database for the one connection that
	// From cannot take from the app's pool: that on which the session cache hears of changes.
	// Open takes its own dsn unless this is set.
	ListenURL string `yaml:"-"`
}

const (
	defaultMaxOpen   = 20
	defaultLifetime  = 30 * time.Minute
	defaultStatement = 10 * time.Second
	// defaultConnect bounds connecting, and the asking for a statement's end, unless the
	// connection string sets connect_timeout: a server that was stopped takes connections
	// and says nothing, and the driver would wait for ever, whatever the context says.
	defaultConnect = 3 * time.Second
	minVersion     = 130000
)

// Database is the adapter.
type Database struct {
	*sqldb.DB
	db    *sqlx.DB
	dsn   string // of the listener; empty: there is none
	place string // "ctid", or empty
}

var (
	_ storage.Database = (*Database)(nil)
	_ storage.Placer   = (*Database)(nil)
)

// Place implements storage.Placer. Databases that speak the protocol and are not
// PostgreSQL have no ctid, or another.
func (d *Database) Place() string { return d.place }

// Open connects to a database. dsn is a URL (postgres://user:password@host/name) or a
// list of keyword=value; what it leaves out comes from the PG* environment variables.
// It fails if the server does not answer or is older than 13.
func Open(ctx context.Context, dsn string, o Options) (storage.Database, error) {
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		// The driver's text may quote the connection string, password and all.
		return nil, errors.New("postgres: the connection string cannot be read")
	}
	if o.MaxOpen == 0 {
		o.MaxOpen = defaultMaxOpen
	}
	if o.MaxOpen < 2 {
		return nil, fmt.Errorf("postgres: maxOpen is %d, at least 2 are needed", o.MaxOpen)
	}
	if o.MaxIdle == 0 || o.MaxIdle > o.MaxOpen {
		o.MaxIdle = o.MaxOpen
	}
	if o.ConnMaxLifetime == 0 {
		o.ConnMaxLifetime = defaultLifetime
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = defaultStatement
	}
	bound := cfg.Runtime["statement_timeout"] == "" && o.StatementTimeout > 0
	if bound {
		if cfg.Runtime == nil {
			cfg.Runtime = map[string]string{}
		}
		cfg.Runtime["statement_timeout"] = strconv.FormatInt(max(1, o.StatementTimeout.Milliseconds()), 10)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = defaultConnect
	}
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, errors.New("postgres: the connection string cannot be used")
	}
	if bound {
		connector.Dialer(&dialer{limit: o.StatementTimeout + boundGrace})
	}
	db := sql.OpenDB(userConnector{connector})
	db.SetMaxOpenConns(o.MaxOpen)
	db.SetMaxIdleConns(o.MaxIdle)
	db.SetConnMaxLifetime(max(0, o.ConnMaxLifetime))
	own := sqldb.Config{Owned: true, Timeout: o.StatementTimeout, UserContext: withUser, Connections: o.MaxOpen}
	if bound {
		// Each host of the connection string may take its time; preparing is a wait like another.
		own.Bound = time.Duration(1+len(cfg.Multi))*cfg.ConnectTimeout + 2*(o.StatementTimeout+boundGrace)
	}
	d := newDatabase(db, own)
	d.dsn = cmp.Or(o.ListenURL, dsn)
	if err := d.probe(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return d, nil
}

// From uses a handle that the app has opened and goes on owning: Close leaves it open.
// The sizes of its pool are the app's, so of o only StatementTimeout and ListenURL may
// be set. It
// fails if the handle leads to anything but PostgreSQL 13 or later, or if its driver
// pastes values into the statements (pgx's simple protocol).
func From(ctx context.Context, db *sql.DB, o Options) (storage.Database, error) {
	if db == nil {
		return nil, errors.New("postgres: no handle")
	}
	if o.MaxOpen != 0 || o.MaxIdle != 0 || o.ConnMaxLifetime != 0 {
		return nil, errors.New("postgres: the pool's sizes are set on the handle itself")
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = defaultStatement
	}
	d := newDatabase(db, sqldb.Config{Timeout: o.StatementTimeout, UserSQL: setUser})
	d.dsn = o.ListenURL
	if err := d.probe(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// Join makes statements run in a transaction that the app began on the same database.
// Commit and Rollback of the result leave the decision to the app.
func Join(tx *sql.Tx, db storage.Database) (storage.Tx, error) {
	d, ok := db.(*Database)
	if !ok {
		return nil, fmt.Errorf("postgres: cannot join with a %T", db)
	}
	return d.JoinSQL(tx)
}

func newDatabase(db *sql.DB, cfg sqldb.Config) *Database {
	cfg.Dialect, cfg.Write = storage.Postgres, db
	cfg.Classify, cfg.Stale, cfg.LockKey = classify, stale, lockKey
	return &Database{DB: sqldb.New(cfg), db: sqlx.NewDb(db, "postgres")}
}

// probe asks what is at the other end, and whether values travel apart from statements.
func (d *Database) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, defaultStatement)
	defer cancel()
	var version string
	if err := d.db.GetContext(ctx, &version, "SELECT version()"); err != nil {
		if isSyntax(err) {
			return errors.New("postgres: the handle does not lead to PostgreSQL")
		}
		return fmt.Errorf("postgres: %w", d.Fail(ctx, err))
	}
	if strings.HasPrefix(version, "PostgreSQL ") && !strings.Contains(version, "-YB-") {
		d.place = "ctid"
	}
	var number int
	if err := d.db.GetContext(ctx, &number, "SELECT current_setting('server_version_num')::int"); err != nil {
		return fmt.Errorf("postgres: %w", d.Fail(ctx, err))
	}
	if number < minVersion {
		return fmt.Errorf("postgres: the server is version %d.%d, at least 13 is needed", number/10000, number%10000)
	}
	// chr(36) is the dollar sign: the text searched for must not contain itself.
	var got struct {
		Apart bool   `db:"apart"`
		Value string `db:"value"`
	}
	err := d.db.GetContext(ctx, &got, `SELECT current_query() LIKE '%' || chr(36) || '1::text%' AS apart, $1::text AS value`, "x")
	if err != nil {
		return fmt.Errorf("postgres: %w", d.Fail(ctx, err))
	}
	if !got.Apart {
		return errors.New("postgres: the handle uses the simple protocol: leave out QueryExecModeSimpleProtocol (default_query_exec_mode)")
	}
	return nil
}

func isSyntax(err error) bool {
	state := stateOf(err)
	return state == "" && strings.Contains(err.Error(), "no such function") || state == "42601" || state == "42883"
}
