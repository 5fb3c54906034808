package core

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/token"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// A lock on an account is also a weapon: whoever guesses wrong often enough keeps the
// owner out. So a browser in which the user has signed in before has a counter of its own
// beside the account's, which is asked when that one, or the network's, refuses.
//
// The browser holds a random id in a signed cookie, "device", for 400 days from its last
// sign-in. A row for each user who signed in with it holds a keyed hash of both. The
// cookie is no credential: with it and without the right password nobody gets anywhere.
// What it gives whoever steals it, or has planted it before the user signed in (from a
// sub-domain that they control), is Lockout.Max more guesses at that one user in each
// window and lock. Signing out leaves it, since that is when it is needed. Ending a user's sessions forgets their devices, and so do a reset, a
// first proof of the address and the account's deletion. A user has at most ten: the one
// used longest ago goes. The cookie is set while lockout is on, and by requests alone.
type deviceRow struct {
	ID         string    `db:"id" schema:"key"` // keyed hash of user and device
	UserID     string    `db:"userId" schema:"references=user,cascade,index"`
	CreatedAt  time.Time `db:"createdAt"`
	LastSeenAt time.Time `db:"lastSeenAt" schema:"index"`
}

var (
	devices    = TableOf[deviceRow]("knownDevice")
	deviceID   = Column(devices, func(d *deviceRow) *string { return &d.ID })
	deviceUser = Column(devices, func(d *deviceRow) *string { return &d.UserID })
	deviceSeen = Column(devices, func(d *deviceRow) *time.Time { return &d.LastSeenAt })
)

const (
	deviceLife  = 400 * 24 * time.Hour // what browsers keep a cookie for at most
	deviceMost  = 10                   // of one user
	deviceChars = 24
)

// device names the browser's row for a user; empty where the browser has no such cookie.
func (c *Call) device(userID string) string {
	id, ok := c.Signed(c.host.cookies.device)
	if !ok || len(id) != deviceChars {
		return ""
	}
	return c.host.deviceKey(userID, id)
}

func (h *Host) deviceKey(userID, id string) string {
	return base64.RawURLEncoding.EncodeToString(h.MAC("known-device", []byte(userID), []byte(id)))
}

// knownDevice tells whether the user has signed in with the browser of the request.
func (h *Host) knownDevice(ctx context.Context, c *Call, userID string) (bool, error) {
	if c == nil {
		return false, nil
	}
	key := c.device(userID)
	if key == "" {
		return false, nil
	}
	n, err := devices.Count(ctx, h.db, deviceID.Eq(key), deviceUser.Eq(userID), deviceSeen.Gt(h.Now().Add(-deviceLife)))
	return n > 0, err
}

// rememberDevice is what remembers the browser, for the batch of a new session, and the
// value of its cookie. Neither where lockout is off, where the user asked not to be
// remembered, or the call is none of a browser's.
func (h *Host) rememberDevice(c *Call, userID string, forget bool) (id string, with []storage.Statement, err error) {
	if h.cfg.Lockout.Disabled || forget || !c.http {
		return "", nil, nil
	}
	id, ok := c.Signed(h.cookies.device)
	if !ok || len(id) != deviceChars {
		if id, err = token.Random(h.random, token.Alphanumeric, deviceChars); err != nil {
			return "", nil, err
		}
	}
	key := h.deviceKey(userID, id)
	return strings.Clone(id), []storage.Statement{
		{SQL: "INSERT INTO {knownDevice=} ({knownDevice:id}, {knownDevice:userId}, {knownDevice:createdAt}, {knownDevice:lastSeenAt}) VALUES (?, ?, ?, ?) " +
			"ON CONFLICT ({knownDevice:id}) DO UPDATE SET {knownDevice:lastSeenAt} = excluded.{knownDevice:lastSeenAt}", Args: []any{key, userID, c.now, c.now}},
		{SQL: "DELETE FROM {knownDevice=} WHERE {knownDevice.userId} = ? AND {knownDevice.id} <> ? AND {knownDevice.id} NOT IN (" +
			"SELECT {knownDevice:id} FROM {knownDevice} WHERE {knownDevice:userId} = ? AND {knownDevice:id} <> ? ORDER BY {knownDevice:lastSeenAt} DESC LIMIT ?)",
			Args: []any{userID, key, userID, key, int64(deviceMost - 1)}},
	}, nil
}

// ForgetDevices makes every browser of a user a stranger to the lockout.
func (h *Host) ForgetDevices(ctx context.Context, tx *Tx, userID string) error {
	s := forgetDevices(userID)
	_, err := h.conn(tx).Exec(ctx, s.SQL, s.Args...)
	return err
}

func forgetDevices(userID string) storage.Statement {
	return storage.Statement{SQL: "DELETE FROM {knownDevice=} WHERE {knownDevice.userId} = ?", Args: []any{userID}}
}
