package core

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
)

// Copies of sessions outside of the database (Session.Store). They answer where the cookie
// cache may; everything else asks the database. A change of the rows wins every race:
// around its commit their copies are blocked, see contract.SessionStore.

const (
	copyPurpose = "session-copy"
	// copyBlock is how long copies are blocked where nobody lifts it: the process has died
	// between block and commit, or the app has not said that its own transaction is over.
	copyBlock = time.Minute
	// copySkew is how far the clocks of replicas may be apart.
	copySkew = time.Minute
)

// sessionKeeper is what has copies: a store that replicas share, or the memory of each.
type sessionKeeper interface {
	// find reads a session: from its copy, or from the database, leaving a copy. ends is zero
	// for what the database said, else until when the copy may be believed.
	find(ctx context.Context, now time.Time, token string) (s *Session, u *User, ends time.Time, err error)
	// block voids copies and lets none be made until release is called.
	block(ctx context.Context, subjects []string) (release func())
	// announces tells whether a change has to say so in its own transaction, by announce.
	announces() bool
	announce(ctx context.Context, tx *Tx, subjects []string) error
}

type sessionCopies struct {
	h     *Host
	store contract.SessionStore
	life  time.Duration
	form  string // of the columns: another version of the program may have others
	watch *storeWatch
}

func (h *Host) newSessionCopies() *sessionCopies {
	c := &sessionCopies{h: h, store: h.cfg.Session.Store, life: time.Duration(h.cfg.Session.StorageMaxAge) * time.Second, watch: &h.watch.sessions}
	c.watch.name, c.watch.meanwhile, c.watch.log = "sessions", "the database answers", h.log
	sum := sha256.New()
	for _, m := range []*model{h.sessionModel, h.userModel} {
		for _, col := range m.cols {
			sum.Write([]byte(col.Name + " " + strconv.Itoa(int(col.Kind)) + "\n"))
		}
	}
	c.form = "." + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9])
	return c
}

// copyKey is where the copy of a token's session is: nobody learns the token from it.
func copyKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// subjectLength is that of every subject in bytes.
const subjectLength = 1 + 22

func userSubject(id string) string    { return subject("u", id) }
func sessionSubject(id string) string { return subject("s", id) }

// subject is the same under every secret: replicas may be about to rotate it.
func subject(kind, id string) string {
	sum := sha256.Sum256([]byte(id))
	return kind + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// sessionCopy is what is sealed. At is when the database said so.
type sessionCopy struct {
	At            int64           `json:"at"`
	Session       json.RawMessage `json:"session"`
	User          json.RawMessage `json:"user"`
	SessionHidden json.RawMessage `json:"sessionHidden"`
	UserHidden    json.RawMessage `json:"userHidden"`
}

func (c *sessionCopies) announces() bool                               { return false }
func (c *sessionCopies) announce(context.Context, *Tx, []string) error { return nil }

func (c *sessionCopies) find(ctx context.Context, now time.Time, token string) (s *Session, u *User, ends time.Time, err error) {
	key := copyKey(token)
	data, version, failed := c.store.Read(ctx, key)
	c.watch.saw(ctx, failed)
	if failed == nil && data != nil {
		if s, u, ends = c.open(data, key, now); s != nil {
			c.watch.hits.Add(1)
			s.Token = token
			return s, u, ends, nil
		}
	}
	s, u, err = c.h.findSession(ctx, c.h.db, token)
	if err != nil || s == nil || failed != nil || version == 0 {
		return s, u, time.Time{}, err
	}
	if life := min(c.life, s.ExpiresAt.Sub(now)); life > 0 {
		c.keep(ctx, key, s, u, now, life, version)
	}
	return s, u, time.Time{}, nil
}

// keep leaves a copy. If it cannot, the next one asks the database again.
func (c *sessionCopies) keep(ctx context.Context, key string, s *Session, u *User, now time.Time, life time.Duration, version int64) {
	bare := *s
	bare.Token = ""
	plain, err := json.Marshal(sessionCopy{At: now.UnixMilli(), Session: bare.appendJSON(nil), User: u.appendJSON(nil),
		SessionHidden: s.model.hiddenJSON(s.Extra), UserHidden: u.model.hiddenJSON(u.Extra)})
	if err != nil {
		return
	}
	sealed, err := c.h.Seal(copyPurpose, plain, []byte(key+c.form))
	if err != nil {
		return // too long to be sealed: the database answers for it
	}
	_, err = c.store.Write(ctx, key, contract.SessionCopy{Data: []byte(sealed), Life: life,
		Subjects: []string{sessionSubject(s.ID), userSubject(u.ID)}}, version)
	c.watch.saw(ctx, err)
}

// open reads a copy; nil for one that is not what keep would have written, whoever wrote
// it: who can write to the store can make no session, and bring back none that is older
// than a copy may be.
func (c *sessionCopies) open(data []byte, key string, now time.Time) (*Session, *User, time.Time) {
	plain, err := c.h.Open(copyPurpose, string(data), []byte(key+c.form))
	if err != nil {
		return nil, nil, time.Time{}
	}
	var j sessionCopy
	s, u := &Session{model: c.h.sessionModel}, &User{model: c.h.userModel}
	if json.Unmarshal(plain, &j) != nil || s.fromJSON(j.Session) != nil || u.fromJSON(j.User) != nil ||
		s.model.readHidden(s.Extra, j.SessionHidden) != nil || u.model.readHidden(u.Extra, j.UserHidden) != nil {
		return nil, nil, time.Time{}
	}
	at := time.UnixMilli(j.At)
	ends := at.Add(c.life)
	if at.After(now.Add(copySkew)) || !ends.After(now) || s.ExpiresAt.Before(now) || s.ID == "" || s.UserID != u.ID {
		return nil, nil, time.Time{}
	}
	return s, u, ends
}

// hiddenJSON writes the added columns that clients never see. A copy has them, so that
// hooks find the same session wherever it was read; it is sealed.
func (m *model) hiddenJSON(extra map[string]any) json.RawMessage {
	b := []byte{'{'}
	for _, col := range m.cols[m.core:] {
		if !col.Hidden || extra[col.Name] == nil {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(appendString(b, col.Name), ':')
		b = appendValue(b, extra[col.Name])
	}
	return append(b, '}')
}

func (m *model) readHidden(extra map[string]any, raw json.RawMessage) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return err
	}
	for _, col := range m.cols[m.core:] {
		if r, ok := given[col.Name]; ok && col.Hidden {
			v, err := readJSONValue(col.Kind, r)
			if err != nil {
				return err
			}
			extra[col.Name] = v
		}
	}
	return nil
}

// readJSONValue reads one added column from the form of an answer.
func readJSONValue(kind schema.Kind, r json.RawMessage) (any, error) {
	v := extraValue{kind: kind}
	var s string
	if kind == schema.JSON || json.Unmarshal(r, &s) != nil {
		s = string(r)
	}
	err := v.Scan(s)
	return v.v, err
}

// copiesVoid makes up for a block or release that did not reach the store.
var copiesVoid = NewJob[voidCopies]("session-copies.void")

type voidCopies struct {
	Subjects []string  `json:"subjects"`
	At       time.Time `json:"at"`
}

func (h *Host) voidCopies(ctx context.Context, v voidCopies) error {
	c, ok := h.copies.(*sessionCopies)
	if !ok || h.Now().Sub(v.At) > contract.MaxSessionCopy+copySkew {
		return nil // there are none any more
	}
	return c.store.Release(ctx, 0, v.Subjects...)
}

// changing runs a change of rows that copies may have been made of, and has them void:
// from before the commit on, for all replicas. With tx that is the transaction's own;
// without, do may be given one.
func (h *Host) changing(ctx context.Context, tx *Tx, subjects []string, do func(context.Context, *Tx) error) error {
	switch {
	case h.copies == nil || len(subjects) == 0:
		return do(ctx, tx)
	case tx == nil && h.copies.announces():
		return h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error { return h.changing(ctx, tx, subjects, do) })
	case tx == nil:
		defer h.copies.block(ctx, subjects)()
		return do(ctx, nil)
	case tx.joined: // the app commits: nobody tells before it does
		release := h.copies.block(ctx, subjects)
		tx.OnCommit(func(context.Context) { release() })
		if err := do(ctx, tx); err != nil {
			return err
		}
		return h.copies.announce(ctx, tx, subjects)
	}
	tx.changed = append(tx.changed, subjects...)
	return do(ctx, tx)
}

// block voids copies and lets none be made until release is called. What does not reach the
// store is left to a job; until that has run, a copy may live on for Session.StorageMaxAge.
func (c *sessionCopies) block(ctx context.Context, subjects []string) (release func()) {
	ctx = context.WithoutCancel(ctx)
	mark, err := c.store.Block(ctx, copyBlock, subjects...)
	c.watch.saw(ctx, err)
	return func() {
		err := c.store.Release(ctx, mark, subjects...)
		if c.watch.saw(ctx, err); err == nil {
			return
		}
		if err := copiesVoid.Enqueue(ctx, c.h, nil, voidCopies{subjects, c.h.Now()}); err != nil {
			c.h.log.ErrorContext(ctx, "copies of changed sessions may be served until they end", append([]any{"seconds", c.h.cfg.Session.StorageMaxAge}, c.h.failureArgs(err)...)...)
		}
	}
}

// SessionsChanged tells that an app or a plugin has changed rows of users or of their
// sessions by statements of its own, inside tx or, with nil, before the call: copies of
// them are void (Session.Store, Session.Cache). UpdateUser, SetSessionExtra and what revokes
// sessions do it by themselves. Without either it does nothing.
func (h *Host) SessionsChanged(ctx context.Context, tx *Tx, userIDs ...string) error {
	subjects := make([]string, len(userIDs))
	for i, id := range userIDs {
		subjects[i] = userSubject(id)
	}
	return h.changing(ctx, tx, subjects, func(context.Context, *Tx) error { return nil })
}
