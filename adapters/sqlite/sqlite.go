// Package sqlite is the embedded adapter: modernc.org/sqlite, no cgo, one file.
//
// SQLite has one writer at a time. Open therefore gives writes and transactions one
// connection, taken in turn, and reads outside transactions a few connections of their
// own; the write-ahead log lets both go on at once. A statement outside a transaction
// that would write while its own goroutine holds a transaction waits for itself: it
// fails with a Conflict after BusyTimeout.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/sallyport-auth/sallyport/adapters/internal/sqldb"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Memory is the path of a database that lives as long as its handle.
const Memory = ":memory:"

// Options are the settings of a database.
type Options struct {
	// Readers is how many connections read beside the writer. Default 4.
	Readers int `yaml:"readers"`
	// BusyTimeout is how long a write waits for another one, of this program or of
	// another. Default 5 s, at least 1 ms.
	BusyTimeout time.Duration `yaml:"busyTimeout"`
	// StatementTimeout bounds a statement whose context has no deadline. Default 10 s;
	// negative: none.
	StatementTimeout time.Duration `yaml:"statementTimeout"`
	// ReadOnly opens a file that is there without changing anything of it, its journal mode
	// included: whatever would write fails.
	ReadOnly bool `yaml:"-"`
}

const (
	defaultReaders   = 4
	defaultBusy      = 5 * time.Second
	defaultStatement = 10 * time.Second
	minVersion       = 3035000 // RETURNING
)

func (o *Options) check() error {
	if o.Readers == 0 {
		o.Readers = defaultReaders
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = defaultBusy
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = defaultStatement
	}
	if o.Readers < 1 || o.BusyTimeout < time.Millisecond {
		return errors.New("sqlite: readers must be at least 1 and busyTimeout at least 1ms")
	}
	return nil
}

// Database is the adapter.
type Database struct {
	*sqldb.DB
	write, read *sql.DB
	file        string // of the database; empty if only its handle leads to it
	temp        string // a folder that Close removes
	locks       sync.Map
}

var _ storage.Database = (*Database)(nil)

// Open opens or creates the file at path. A folder that it makes is the owner's alone
// (0700), as is the file (0600). Memory gives a database of its own that Close removes:
// it is kept in a private folder, in memory where the system has /dev/shm, because
// SQLite's own in-memory databases do not let a reader pass a transaction.
func Open(ctx context.Context, path string, o Options) (storage.Database, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if path == "" || strings.ContainsRune(path, 0) || strings.HasPrefix(path, "file:") {
		return nil, errors.New("sqlite: the path must be that of a file or the constant Memory")
	}
	d := &Database{file: path}
	if path == Memory {
		temp, err := memoryFolder()
		if err != nil {
			return nil, &storage.Error{Kind: storage.Unavailable, Err: err}
		}
		d.temp, d.file = temp, filepath.Join(temp, "memory.db")
	} else if o.ReadOnly {
		if _, err := os.Stat(path); err != nil {
			return nil, &storage.Error{Kind: storage.Unavailable, Err: err}
		}
	} else if err := makeFile(path); err != nil {
		return nil, &storage.Error{Kind: storage.Unavailable, Err: err}
	}
	writer, err := openPool(d.file, o, o.ReadOnly, 1)
	if err == nil {
		d.write = writer
		// The writer makes the write-ahead log before a reader looks for it.
		if err = ping(ctx, writer, o.BusyTimeout); err == nil {
			d.read, err = openPool(d.file, o, true, o.Readers)
		}
	}
	if err == nil {
		err = ping(ctx, d.read, o.BusyTimeout)
	}
	if err != nil {
		d.closeFiles()
		return nil, fmt.Errorf("sqlite: %w", orUnavailable(err))
	}
	d.DB = sqldb.New(sqldb.Config{
		Dialect: storage.SQLite, Write: d.write, Read: d.read, Serial: true, Wait: o.BusyTimeout,
		Timeout: o.StatementTimeout, Owned: true, Classify: classify, Stale: stale,
	})
	return d, nil
}

// From uses a handle that the app has opened with modernc.org/sqlite and goes on
// owning: Close leaves it open. Of o only StatementTimeout and BusyTimeout may be set.
// It fails if foreign keys are off, if a transaction does not take the write lock at
// once, or if a quoted name that is no column would be read as text.
func From(ctx context.Context, db *sql.DB, o Options) (storage.Database, error) {
	if db == nil {
		return nil, errors.New("sqlite: no handle")
	}
	if o.Readers != 0 {
		return nil, errors.New("sqlite: the pool's size is set on the handle itself")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if _, ok := db.Driver().(*sqlite.Driver); !ok {
		return nil, fmt.Errorf("sqlite: the handle's driver is %T, only modernc.org/sqlite's is supported", db.Driver())
	}
	d := &Database{write: db}
	d.DB = sqldb.New(sqldb.Config{
		Dialect: storage.SQLite, Write: db, Wait: o.BusyTimeout, Timeout: o.StatementTimeout,
		Serial: db.Stats().MaxOpenConnections == 1, Classify: classify, Stale: stale,
	})
	ctx, cancel := context.WithTimeout(ctx, defaultStatement)
	defer cancel()
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
		return nil, fmt.Errorf("sqlite: cannot join with a %T", db)
	}
	return d.JoinSQL(tx)
}

// Close implements storage.Database.
func (d *Database) Close() error {
	err := d.DB.Close()
	if d.temp != "" {
		err = errors.Join(err, os.RemoveAll(d.temp))
	}
	return err
}

func (d *Database) closeFiles() {
	for _, db := range []*sql.DB{d.read, d.write} {
		if db != nil {
			_ = db.Close()
		}
	}
	if d.temp != "" {
		_ = os.RemoveAll(d.temp)
	}
}

func orUnavailable(err error) error {
	if e := classify(err, nil); e != nil {
		e.Err = err
		return e
	}
	return &storage.Error{Kind: storage.Unavailable, Err: err}
}

func openPool(file string, o Options, readOnly bool, size int) (*sql.DB, error) {
	q := url.Values{}
	q.Set("_txlock", "immediate")
	q.Set("_foreign_keys", "on")
	q.Set("_busy_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	q.Set("_synchronous", "NORMAL")
	// Without this a column that is missing would be read as the text of its name.
	q.Set("_dqs", "0")
	if readOnly {
		q.Set("_query_only", "1")
	} else {
		q.Set("_journal_mode", "WAL")
	}
	connector, err := sqlite.NewConnector(fileURI(file) + "?" + q.Encode())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// ping opens a pool's first connection. While another program makes the write-ahead log of a
// new file, or takes it away as the last one, SQLite says at once that it is busy, whatever
// _busy_timeout is.
func ping(ctx context.Context, db *sql.DB, patience time.Duration) error {
	for until := time.Now().Add(patience); ; {
		err := db.PingContext(ctx)
		if e := classify(err, nil); e == nil || e.Kind != storage.Conflict || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// fileURI writes a path so that no character of it is taken for a part of the URI.
func fileURI(file string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath()
}

func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// SQLite would make the file readable for everybody whom the umask lets.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func memoryFolder() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "sallyport-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "sallyport-")
}
