package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
)

// maxReplies bounds what the server may send in one connection, in bytes, TLS included.
// A polite session takes a few KiB; the library would buffer a line of any length.
const maxReplies = 256 << 10

// errReplies is what a read returns past maxReplies.
var errReplies = errors.New("the server sent too much")

// link is the connection of one Send. The library neither closes a connection whose
// greeting fails nor looks at the context once connected: the link does both.
type link struct {
	ctx      context.Context // of the Send; it outlives the library's dial context
	implicit bool
	tls      *tls.Config
	host     string
	port     int

	conn *conn
	stop func() bool
}

// dial connects to host and port; the address that the library puts together is not
// used, as it is wrong for IPv6.
func (l *link) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(l.host, strconv.Itoa(l.port)))
	if err != nil {
		return nil, err
	}
	l.conn = &conn{Conn: raw, left: maxReplies}
	l.stop = context.AfterFunc(l.ctx, func() { raw.Close() })
	if !l.implicit {
		return l.conn, nil
	}
	encrypted := tls.Client(l.conn, l.tls)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return encrypted, nil
}

func (l *link) close() {
	if l.conn == nil {
		return
	}
	l.stop()
	l.conn.Close()
}

// conn is a connection that ends when the server has sent too much.
type conn struct {
	net.Conn
	left int
}

func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errReplies
	}
	if len(p) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	return n, err
}
