package core

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// A security event says what of note happened to whom. One that tells of a change is
// written in the transaction of the change, most of the time in the same statement: there
// is neither a change without its event nor the other way round. One that tells of a
// failure is written after the request, and survives that its transaction was undone
// (recordFailure). It holds no secret, and no address that somebody typed.

// EventType is a type of security event that a plugin records.
type EventType struct {
	// Name is "subject.what-happened", in lower case. It is stored, and must not change.
	Name string
	// Description is a sentence for operators.
	Description string
	// Legacy is what the /api/v1 facade calls it, for instance "LOGIN_SUCCESS". Empty: the
	// old interface has no such event.
	Legacy string
}

// Event is something of note that happened. It holds no secret.
type Event struct {
	Type string
	// UserID is whom it is about; empty if nobody is known.
	UserID string
	// Actor is who did it where it was not the user: "operator" for commands.
	Actor string
	// Reason is why it failed; empty for what succeeded. It is a Class, which says no more
	// than the answer did.
	Reason string
	// Call is the request. It gives address, user agent and time. Nil for what happens
	// without one, and for failures, which are recorded when it is over.
	Call *Call
	Tx   *Tx
	// Detail is what else is to be known: ids, names of methods and fields. Values are
	// cut to 256 bytes.
	Detail map[string]string

	// Record fills these in where they are empty.
	ID        string
	At        time.Time
	IP        string // as in Call.ClientIP
	UserAgent string
	RequestID string
}

// Operator is the Actor of commands.
const Operator = "operator"

// EventRecorded runs around every security event, in the transaction that it belongs to:
// here other systems (a SIEM, a webhook) hear of it. A hook that must not lose one
// enqueues a Job through Tx, which is never nil in Before and After hooks.
var EventRecorded = NewPoint[Event]("event-recorded")

// eventRow is a stored event. userId is no foreign key: the history stays when the user
// is deleted, without what is personal in it.
type eventRow struct {
	ID         string    `db:"id" schema:"key"`
	Type       string    `db:"type"`
	UserID     *string   `db:"userId"`
	Actor      *string   `db:"actor"`
	Reason     *string   `db:"reason"`
	IPAddress  *string   `db:"ipAddress"`
	UserAgent  *string   `db:"userAgent"`
	RequestID  *string   `db:"requestId"`
	Detail     *string   `db:"detail"` // a JSON object of texts
	CreatedAt  time.Time `db:"createdAt" schema:"index"`
	Seq        *int64    `db:"seq" schema:"unique"` // place in the chain
	Hash       *string   `db:"hash"`
	Commitment *string   `db:"commitment"`           // salted hash of what is personal
	Salt       *string   `db:"salt" schema:"hidden"` // deleted with it
}

var (
	securityEvents = TableOf[eventRow]("securityEvent", schema.Index{Columns: []string{"userId", "createdAt"}})

	eventID       = Column(securityEvents, func(e *eventRow) *string { return &e.ID })
	eventTypeName = Column(securityEvents, func(e *eventRow) *string { return &e.Type })
	eventUser     = Column(securityEvents, func(e *eventRow) **string { return &e.UserID })
	eventReason   = Column(securityEvents, func(e *eventRow) **string { return &e.Reason })
	eventIP       = Column(securityEvents, func(e *eventRow) **string { return &e.IPAddress })
	eventAgent    = Column(securityEvents, func(e *eventRow) **string { return &e.UserAgent })
	eventRequest  = Column(securityEvents, func(e *eventRow) **string { return &e.RequestID })
	eventDetail   = Column(securityEvents, func(e *eventRow) **string { return &e.Detail })
	eventAt       = Column(securityEvents, func(e *eventRow) *time.Time { return &e.CreatedAt })
	eventSeq      = Column(securityEvents, func(e *eventRow) **int64 { return &e.Seq })
	eventSalt     = Column(securityEvents, func(e *eventRow) **string { return &e.Salt })
)

// Record records a security event around EventRecorded, in e.Tx or on its own. with are
// statements of the act itself: they go in one batch with the event's. The type must be
// declared by a plugin (Spec.Events).
func (h *Host) Record(ctx context.Context, e *Event, with ...storage.Statement) error {
	_, err := h.record(ctx, e, with...)
	return err
}

// record is Record, and says how many rows each statement of with touched.
func (h *Host) record(ctx context.Context, e *Event, with ...storage.Statement) (touched []int64, err error) {
	if err := h.fillEvent(ctx, e); err != nil {
		return nil, err
	}
	told, err := h.passwordNotice(ctx, e)
	if err != nil {
		return nil, err
	}
	if len(told) > 0 {
		with = append(with[:len(with):len(with)], told...)
		defer func() {
			if err == nil {
				h.WakeJobs(e.Tx)
			}
		}()
	}
	outer := e.Tx
	defer func() { e.Tx = outer }()
	err = h.txIf(ctx, e.Tx, EventRecorded.has(h, before, after), func(ctx context.Context, tx *Tx) error {
		e.Tx = tx
		return EventRecorded.Run(ctx, h, tx, e, func(ctx context.Context) error {
			s, err := h.eventStatement(e)
			if err != nil {
				return err
			}
			if len(with) == 0 {
				_, err = h.conn(tx).Exec(ctx, s.SQL, s.Args...)
				return err
			}
			touched, err = h.conn(tx).Batch(ctx, append(with[:len(with):len(with)], s)...)
			return err
		})
	})
	return touched, err
}

// fillEvent checks the type and takes from the call what the event does not say itself.
func (h *Host) fillEvent(ctx context.Context, e *Event) error {
	if _, ok := h.events[e.Type]; !ok {
		return NewError("UNKNOWN_EVENT", 500, "Internal Server Error").Because(errUnknownEvent(e.Type))
	}
	if e.ID == "" {
		id, err := h.NewID(ctx, securityEvents.Name())
		if err != nil {
			return err
		}
		e.ID = id
		if o := h.cfg.Observer; o != nil { // once: what waited comes by again with its id
			o.Event(ctx, e.Type)
		}
	}
	if e.At.IsZero() {
		e.At = h.Now()
	}
	if c := e.Call; c != nil {
		e.At = c.now
		def(&e.IP, c.ClientIP())
		def(&e.UserAgent, c.UserAgent())
		def(&e.RequestID, c.requestID())
	}
	return nil
}

type errUnknownEvent string

func (e errUnknownEvent) Error() string {
	return "core: event type " + string(e) + " is declared by no plugin"
}

// eventStatement inserts an event.
func (h *Host) eventStatement(e *Event) (storage.Statement, error) {
	row := &eventRow{ID: e.ID, Type: e.Type, UserID: optional(e.UserID), Actor: optional(e.Actor), Reason: optional(e.Reason),
		IPAddress: optional(e.IP), UserAgent: optional(e.UserAgent), RequestID: optional(e.RequestID), CreatedAt: e.At}
	if len(e.Detail) > 0 {
		raw, err := encodeDetail(e.Detail)
		if err != nil {
			return storage.Statement{}, err
		}
		row.Detail = &raw
	}
	return securityEvents.InsertStatement(row), nil
}

const maxDetail = 256 // bytes of a value

func encodeDetail(detail map[string]string) (string, error) {
	kept := make(map[string]string, len(detail))
	for k, v := range detail {
		kept[k] = storable(v, maxDetail)
	}
	raw, err := json.Marshal(kept)
	return string(raw), err
}

// decodeDetail reads a stored detail. One that somebody has spoiled is none: it must not
// hide the event, and the chain tells.
func decodeDetail(raw *string) map[string]string {
	var detail map[string]string
	if raw == nil || json.Unmarshal([]byte(*raw), &detail) != nil {
		return nil
	}
	return detail
}

// actorOf is who acts without a request: commands and the app's own code.
func actorOf(c *Call) string {
	if c == nil {
		return Operator
	}
	return ""
}

// optional is nil for the empty text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// requestID is the id that the client or a proxy gave the request, at most 128 bytes.
func (c *Call) requestID() string { return storable(strings.Clone(c.ex.Header("X-Request-Id")), 128) }
