package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/sallyport-auth/sallyport/core/storage"
)

var _ storage.Announcer = (*Database)(nil)

// A listener proves to itself that it hears: it sends a beat on a channel of its own, over
// the connection on which it listens, and waits for it. PostgreSQL has one queue of
// notifications for a database, in the order of commits, so a beat that has come back says
// that everything that was committed before it was sent has been heard.
const (
	beatEvery = 250 * time.Millisecond
	beatLost  = 2 * time.Second // without one the connection is given up: the network may be silent
	retryMin  = 100 * time.Millisecond
	retryMax  = 2 * time.Second
	beatsKept = 8 // that many may be under way
)

var errSilent = errors.New("postgres: the listener's connection is silent")

// Announcement implements storage.Announcer.
func (d *Database) Announcement(channel, text string) storage.Statement {
	return storage.Statement{SQL: "SELECT pg_catalog.pg_notify(?, ?)", Args: []any{channel, text}}
}

// Listen implements storage.Announcer. A database made by From needs Options.ListenURL.
func (d *Database) Listen(channel string, l storage.Listener) (stop func(), err error) {
	if d.dsn == "" {
		return nil, errors.New("postgres: to listen takes a connection of its own: set Options.ListenURL")
	}
	dsn, err := listenDSN(d.dsn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &listening{dsn: dsn, channel: channel, own: "sallyport_beat_" + strings.ToLower(rand.Text()), to: l}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.run(ctx)
	}()
	return func() { cancel(); <-ended }, nil
}

// listenDSN bounds connecting, as Open does: the driver's listener takes nothing but text.
func listenDSN(dsn string) (string, error) {
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		return "", errors.New("postgres: the connection string cannot be read")
	}
	if cfg.ConnectTimeout != 0 {
		return dsn, nil
	}
	limit := strconv.Itoa(int(defaultConnect / time.Second))
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn + " connect_timeout=" + limit, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("postgres: the connection string cannot be read")
	}
	q := u.Query()
	q.Set("connect_timeout", limit)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

type listening struct {
	dsn, channel, own string
	to                storage.Listener
	beats             int // that came back over this connection
}

func (s *listening) run(ctx context.Context) {
	for wait := retryMin; ctx.Err() == nil; wait = min(2*wait, retryMax) {
		s.beats = 0
		err := s.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		s.to.Reset(err)
		if s.beats > 0 {
			wait = retryMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// connect listens until the connection breaks or ctx ends.
func (s *listening) connect(ctx context.Context) error {
	heard := make(chan *pq.Notification, 64)
	var conn *pq.ListenerConn
	made := make(chan error, 1)
	go func() {
		var err error
		conn, err = pq.NewListenerConn(s.dsn, heard)
		made <- err
	}()
	select {
	case err := <-made:
		if err != nil {
			return err
		}
	case <-ctx.Done(): // nobody waits for the end of connect_timeout
		go func() {
			if <-made == nil {
				hangUp(conn, heard)
			}
		}()
		return ctx.Err()
	}
	defer hangUp(conn, heard) // the sender may be waiting for an answer
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sender := &beater{listening: s, conn: conn, ready: make(chan struct{}), failed: make(chan error, 1), sent: make(chan beat, beatsKept)}
	go sender.run(ctx)
	return s.receive(ctx, sender, heard)
}

// hangUp closes a connection and lets its own goroutine end, which may be waiting to be heard.
func hangUp(conn *pq.ListenerConn, heard <-chan *pq.Notification) {
	_ = conn.Close()
	for range heard {
		continue
	}
}

func (s *listening) receive(ctx context.Context, sender *beater, heard <-chan *pq.Notification) error {
	silent := time.NewTimer(beatLost)
	defer silent.Stop()
	ready := sender.ready
	var under []beat
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-sender.failed:
			return err
		case <-silent.C:
			return errSilent
		case <-ready:
			ready = nil
			s.to.Reset(nil)
		case n, ok := <-heard:
			switch {
			case !ok:
				return sender.conn.Err()
			case n.Channel == s.channel:
				s.to.Heard(n.Extra)
			case n.Channel == s.own && ready == nil:
				var sent *beat
				if sent, under = sender.take(under, n.Extra); sent != nil {
					s.beats++
					silent.Reset(beatLost)
					s.to.Current(sent.at)
				}
			}
		}
	}
}

type beat struct {
	name string
	at   time.Time
}

// beater is who sends on the connection.
type beater struct {
	*listening
	conn   *pq.ListenerConn
	ready  chan struct{} // closed when it listens
	failed chan error
	sent   chan beat
}

func (b *beater) run(ctx context.Context) {
	// One at a time: the driver's listener takes no lists.
	for _, sql := range []string{"SET application_name = 'sallyport listener'", "LISTEN " + b.channel, "LISTEN " + b.own} {
		if err := b.exec(sql); err != nil {
			b.failed <- err
			return
		}
	}
	close(b.ready)
	every := time.NewTicker(beatEvery)
	defer every.Stop()
	for i := 1; ; i++ {
		next := beat{strconv.Itoa(i), time.Now()}
		select {
		case b.sent <- next:
		default: // as many as may be are under way
			b.failed <- errSilent
			return
		}
		if err := b.exec("NOTIFY " + b.own + ", '" + next.name + "'"); err != nil {
			b.failed <- err
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (b *beater) exec(sql string) error {
	_, err := b.conn.ExecSimpleQuery(sql)
	return err
}

// take finds a beat that has come back, and what is still under way behind it. under is what
// the receiver knows of.
func (b *beater) take(under []beat, name string) (sent *beat, left []beat) {
	for {
		for i := range under {
			if under[i].name == name {
				return &under[i], under[i+1:]
			}
		}
		select {
		case next := <-b.sent:
			under = append(under, next)
		default:
			return nil, under
		}
	}
}
