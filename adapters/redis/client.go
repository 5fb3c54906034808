package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// ErrDown answers at once while Redis is left alone after it has not answered.
var ErrDown = errors.New("redis: is down, and left alone for a while")

// failuresInRow open the circuit: one lost packet is no reason to leave Redis alone.
const failuresInRow = 3

// Client is a connection to Redis with a circuit breaker. It is safe for use by many
// goroutines, and for several Auths with prefixes of their own.
type Client struct {
	options rueidis.ClientOption
	prefix  string
	timeout time.Duration
	pause   time.Duration
	now     func() time.Time

	mu       sync.Mutex
	conn     rueidis.Client // nil: down
	failures int            // in a row
	since    time.Time      // of the state: up or down
	retryAt  time.Time      // when down
	probing  bool
	cause    error // of being down
	closed   bool
	work     sync.WaitGroup // probes, and connections that are closing

	calls, failed, skipped atomic.Int64
}

// New checks the options and reports every fault of them. It does not connect: until
// Connect, or the first call, Redis is down.
func New(o Options) (*Client, error) {
	options, err := o.check()
	if err != nil {
		return nil, err
	}
	return &Client{options: options, prefix: o.Prefix, timeout: o.Timeout, pause: o.Pause, now: o.Clock, since: o.Clock(), cause: errNotYet}, nil
}

var errNotYet = errors.New("redis: not connected yet")

// Connect connects to Redis. One that does not answer is no error: it is tried again
// later. A user or password that Redis refuses is. Call Close.
func (c *Client) Connect(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if refused(err) {
		return fmt.Errorf("redis: %w", err)
	}
	c.settle(conn, err)
	return nil
}

// refused tells that Redis is there and does not want us.
func refused(err error) bool {
	r, ok := rueidis.IsRedisErr(err)
	return ok && (strings.HasPrefix(r.Error(), "NOAUTH") || strings.HasPrefix(r.Error(), "WRONGPASS") || strings.HasPrefix(r.Error(), "NOPERM"))
}

// Close closes the connections. Stores of a closed Client answer ErrDown.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.drop(errors.New("redis: closed"))
	c.mu.Unlock()
	c.work.Wait()
}

// dial makes connections and asks whether somebody answers.
func (c *Client) dial(ctx context.Context) (rueidis.Client, error) {
	conn, err := rueidis.NewClient(c.options)
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := conn.Do(ctx, conn.B().Ping().Build()).Error(); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// run executes a script, or answers ErrDown. What has been sent is waited for although the
// caller's client has gone, but never longer than the timeout.
func (c *Client) run(ctx context.Context, s *rueidis.Lua, keys, args []string) (rueidis.RedisResult, error) {
	c.calls.Add(1)
	conn := c.current()
	if conn == nil {
		c.skipped.Add(1)
		return rueidis.RedisResult{}, ErrDown
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	defer cancel()
	res := s.Exec(ctx, conn, keys, args)
	err := res.Error()
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	if err != nil {
		c.failed.Add(1)
		err = fmt.Errorf("redis: %w", err)
	}
	c.mark(conn, err)
	return res, err
}

// current returns the connection, or nil while Redis is down. When it has been left alone
// for long enough, somebody else than the caller looks whether it is back.
func (c *Client) current() rueidis.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil && !c.probing && !c.closed && !c.now().Before(c.retryAt) {
		c.probing = true
		c.work.Go(func() {
			conn, err := c.dial(context.Background())
			c.settle(conn, err)
		})
	}
	return c.conn
}

// settle ends a probe.
func (c *Client) settle(conn rueidis.Client, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
	switch {
	case c.closed || c.conn != nil:
		if conn != nil {
			conn.Close()
		}
	case err != nil:
		c.cause, c.retryAt = err, c.now().Add(c.pause)
	default:
		c.conn, c.failures, c.cause, c.since = conn, 0, nil, c.now()
	}
}

// mark counts what became of a call on conn.
func (c *Client) mark(conn rueidis.Client, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.conn != conn: // the news is old
	case err == nil:
		c.failures = 0
	default:
		if c.failures++; c.failures >= failuresInRow {
			c.drop(err)
		}
	}
}

// drop leaves Redis alone. The next connection is a new one: behind the name there may be
// another server by then. c.mu is held.
func (c *Client) drop(cause error) {
	conn := c.conn
	if conn == nil {
		return
	}
	c.conn, c.cause, c.since, c.retryAt = nil, cause, c.now(), c.now().Add(c.pause)
	c.work.Go(conn.Close) // it waits for what is under way
}
