package postgres

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// The server ends a statement that takes too long, and the driver asks it to where a
// context ends. A server that is stopped, or that the network has swallowed, hears neither,
// and the driver goes on waiting for its answer. So every wait for the server ends by
// itself, a moment after the server should have ended the statement; the connection is of no
// more use then. Transactions that set statement_timeout to 0 are marked patient.
const boundGrace = 3 * time.Second

// bounded is a connection whose every read and write takes at most limit.
type bounded struct {
	net.Conn
	limit   time.Duration
	patient atomic.Bool // until the connection is taken from the pool again
	fixed   atomic.Bool // the driver has set a deadline of its own: while connecting
}

func (c *bounded) deadline() (at time.Time, own bool) {
	if c.fixed.Load() {
		return at, false
	}
	if !c.patient.Load() {
		at = time.Now().Add(c.limit)
	}
	return at, true
}

// Read implements net.Conn.
func (c *bounded) Read(b []byte) (int, error) {
	if at, own := c.deadline(); own {
		if err := c.SetReadDeadline(at); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(b)
}

// Write implements net.Conn.
func (c *bounded) Write(b []byte) (int, error) {
	if at, own := c.deadline(); own {
		if err := c.SetWriteDeadline(at); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// SetDeadline implements net.Conn. The zero time gives the connection back to its limit.
func (c *bounded) SetDeadline(at time.Time) error {
	c.fixed.Store(!at.IsZero())
	return c.Conn.SetDeadline(at)
}

// dialer is pq.Dialer. It leaves the connection where the context has a place for it.
type dialer struct {
	net.Dialer
	limit time.Duration
}

type dialedKey struct{}

// DialContext implements pq.DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &bounded{Conn: conn, limit: d.limit}
	if place, ok := ctx.Value(dialedKey{}).(**bounded); ok {
		*place = c
	}
	return c, nil
}

// DialTimeout implements pq.Dialer.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

type patientKey struct{}

// patiently marks the context of a transaction whose statements may take any time.
func patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, true)
}
