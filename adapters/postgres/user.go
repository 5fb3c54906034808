package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/lib/pq"

	"github.com/sallyport-auth/sallyport/core/storage"
)

type userKey struct{}

func withUser(ctx context.Context, userID string) context.Context {
	return context.WithValue(ctx, userKey{}, userID)
}

// setUser returns the statement that tells row-level security who asks, until the
// transaction ends. The id is quoted in it: bound, it would cost a second trip.
func setUser(userID string) (string, error) {
	if strings.ContainsRune(userID, 0) || !utf8.ValidString(userID) {
		return "", &storage.Error{Kind: storage.Data, Err: errors.New("a user id is no text")}
	}
	return "SELECT pg_catalog.set_config('app.current_user_id', " + pq.QuoteLiteral(userID) + ", true)", nil
}

// userConnector makes connections that begin a transaction for a user in one trip.
type userConnector struct{ *pq.Connector }

// pqConn is what lib/pq's connections can do; all of it must stay visible to
// database/sql.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
	driver.Tx
}

type userConn struct {
	pqConn
	net *bounded // nil where nothing is bounded
}

// Connect implements driver.Connector.
func (c userConnector) Connect(ctx context.Context) (driver.Conn, error) {
	var dialed *bounded
	conn, err := c.Connector.Connect(context.WithValue(ctx, dialedKey{}, &dialed))
	if err != nil {
		return nil, err
	}
	full, ok := conn.(pqConn)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("postgres: the driver's connection lacks a method")
	}
	return userConn{full, dialed}, nil
}

// ResetSession implements driver.SessionResetter: a connection comes out of the pool.
func (c userConn) ResetSession(ctx context.Context) error {
	if c.net != nil {
		c.net.patient.Store(false)
	}
	return c.pqConn.ResetSession(ctx)
}

// BeginTx implements driver.ConnBeginTx. With a user both statements travel in one
// simple query; the setting ends with the transaction. lib/pq's own BeginTx is never
// used: it would watch the context a second time, beside database/sql, and its Commit
// would end that watch again in later transactions that did not start it.
func (c userConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.Isolation != 0 || o.ReadOnly {
		return nil, errors.New("postgres: transactions take no options")
	}
	if c.net != nil {
		c.net.patient.Store(ctx.Value(patientKey{}) != nil)
	}
	begin := "BEGIN"
	if userID, _ := ctx.Value(userKey{}).(string); userID != "" {
		set, err := setUser(userID)
		if err != nil {
			return nil, err
		}
		begin += "; " + set
	}
	if _, err := c.ExecContext(ctx, begin, nil); err != nil {
		// Nobody knows whether the BEGIN took effect: the connection is of no more use.
		_ = c.Close()
		return nil, err
	}
	return c.pqConn, nil
}
