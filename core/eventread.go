package core

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// SecurityEvents lists the caller's own events, newest first, page by page.
var SecurityEvents = NewRoute[SecurityEventsInput, SecurityEventsAnswer]("GET /security-events")

// SecurityEventsInput is the input of SecurityEvents.
type SecurityEventsInput struct {
	Limit  *string `query:"limit"`  // 1 to 100; default 50
	Cursor *string `query:"cursor"` // nextCursor of the page before
}

// SecurityEventsAnswer is the answer of SecurityEvents.
type SecurityEventsAnswer struct {
	Events     []SecurityEvent `json:"events"`
	NextCursor *string         `json:"nextCursor"` // null on the last page
}

// SecurityEvent is an event as the user sees it whom it is about.
type SecurityEvent struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Actor     *string           `json:"actor"`  // null: the user
	Reason    *string           `json:"reason"` // null: it succeeded
	IPAddress *string           `json:"ipAddress"`
	UserAgent *string           `json:"userAgent"`
	Detail    map[string]string `json:"detail"`
	CreatedAt Time              `json:"createdAt"`
}

// ErrInvalidPage answers a cursor that no page has given out.
var ErrInvalidPage = NewError("INVALID_CURSOR", 400, "Invalid cursor")

var errEventLimit = ErrValidation.WithMessage("[query.limit] Invalid input: expected a whole number from 1 to 100")

const eventPage, eventPageMost = 50, 100

func (h *Host) securityEvents(ctx context.Context, c *Call, in SecurityEventsInput) (SecurityEventsAnswer, error) {
	c.SetHeader("Cache-Control", "no-store")
	q := EventQuery{UserID: c.user.ID, After: deref(in.Cursor)}
	if in.Limit != nil {
		n, err := strconv.Atoi(*in.Limit)
		if err != nil || n < 1 || n > eventPageMost {
			return SecurityEventsAnswer{}, errEventLimit
		}
		q.Limit = n
	}
	page, err := h.Events(ctx, q)
	out := SecurityEventsAnswer{Events: make([]SecurityEvent, len(page.Events)), NextCursor: optional(page.Next)}
	for i, e := range page.Events {
		out.Events[i] = e.answer()
	}
	return out, err
}

// EventQuery says which events are wanted. Empty fields want all.
type EventQuery struct {
	// UserID finds the events of a user who was deleted as well, without what was personal.
	UserID string
	Types  []string
	// From and To bound the time: from From on, and before To.
	From, To time.Time
	// Failed wants failures alone.
	Failed bool
	// Limit is the size of a page, at most 100. Default 50.
	Limit int
	// After is the Next of the page before.
	After string
}

// EventRecord is a stored event. Texts that it does not have are empty.
type EventRecord struct {
	ID, Type, UserID, Actor, Reason string
	IP, UserAgent, RequestID        string
	Detail                          map[string]string
	CreatedAt                       time.Time
	// Seq is the event's place in the chain, and Hash its link; 0 and empty without one.
	Seq  int64
	Hash string
}

// EventPage is one page of events.
type EventPage struct {
	Events []EventRecord
	Next   string // for EventQuery.After; empty on the last page
}

// Events reads events, newest first. It is for administrators: it asks for no session,
// and shows those of everybody. A cursor that is none is ErrInvalidPage.
func (h *Host) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	return h.EventsFrom(ctx, h.db, q)
}

// EventsFrom is Events through a connection, for hooks that may be in a transaction.
func (h *Host) EventsFrom(ctx context.Context, conn storage.Conn, q EventQuery) (EventPage, error) {
	where, err := h.eventConds(q)
	if err != nil {
		return EventPage{}, err
	}
	n := q.Limit
	if n < 1 || n > eventPageMost {
		n = eventPage
	}
	rows, err := securityEvents.List(ctx, conn, ListOptions{Order: []Order{eventAt.Desc(), eventID.Desc()}, Limit: n + 1}, where...)
	if err != nil {
		return EventPage{}, err
	}
	page := EventPage{Events: make([]EventRecord, 0, min(n, len(rows)))}
	for i := range rows[:min(n, len(rows))] {
		page.Events = append(page.Events, rows[i].record())
	}
	if len(rows) > n {
		page.Next = eventCursor(&rows[n-1])
	}
	return page, nil
}

func (h *Host) eventConds(q EventQuery) (where []Cond, err error) {
	if q.UserID != "" {
		name := h.pseudonym(q.UserID)
		where = append(where, eventUser.In(&q.UserID, &name))
	}
	if len(q.Types) > 0 {
		where = append(where, eventTypeName.In(q.Types...))
	}
	if !q.From.IsZero() {
		where = append(where, eventAt.Ge(q.From))
	}
	if !q.To.IsZero() {
		where = append(where, eventAt.Lt(q.To))
	}
	if q.Failed {
		where = append(where, eventReason.NotNull())
	}
	if q.After != "" {
		at, id, ok := parseEventCursor(q.After)
		if !ok {
			return nil, ErrInvalidPage
		}
		where = append(where, Cond{"({securityEvent.createdAt} < ? OR {securityEvent.createdAt} = ? AND {securityEvent.id} < ?)", []any{at, at, id}})
	}
	return where, nil
}

// eventCursor names the last row of a page: its time in milliseconds and its id.
func eventCursor(e *eventRow) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(e.CreatedAt.UnixMilli(), 10) + "." + e.ID))
}

func parseEventCursor(s string) (at time.Time, id string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) > 100 || !validPlain(string(raw)) {
		return at, "", false
	}
	ms, id, ok := strings.Cut(string(raw), ".")
	n, err := strconv.ParseInt(ms, 10, 64)
	// What no database could hold as a time is no cursor of ours.
	if !ok || err != nil || id == "" || n < 0 || n > 1<<47 {
		return at, "", false
	}
	return time.UnixMilli(n).UTC(), id, true
}

// validPlain tells whether a text is printable ASCII, as cursors are.
func validPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (e *eventRow) record() EventRecord {
	r := EventRecord{ID: e.ID, Type: e.Type, UserID: deref(e.UserID), Actor: deref(e.Actor), Reason: deref(e.Reason), IP: deref(e.IPAddress),
		UserAgent: deref(e.UserAgent), RequestID: deref(e.RequestID), Detail: decodeDetail(e.Detail), CreatedAt: e.CreatedAt, Hash: deref(e.Hash)}
	if e.Seq != nil {
		r.Seq = *e.Seq
	}
	return r
}

func (e *EventRecord) answer() SecurityEvent {
	detail := e.Detail
	if detail == nil {
		detail = map[string]string{}
	}
	return SecurityEvent{ID: e.ID, Type: e.Type, Actor: optional(e.Actor), Reason: optional(e.Reason), IPAddress: optional(e.IP),
		UserAgent: optional(e.UserAgent), Detail: detail, CreatedAt: Time(e.CreatedAt)}
}

// exportEvents is the data set of a user's events: all of them, oldest first.
func (h *Host) exportEvents(ctx context.Context, q storage.Conn, userID string) (any, error) {
	rows, err := securityEvents.List(ctx, q, ListOptions{Order: []Order{eventAt.Asc(), eventID.Asc()}}, eventUser.Eq(&userID))
	out := make([]SecurityEvent, 0, len(rows))
	for i := range rows {
		e := rows[i].record()
		out = append(out, e.answer())
	}
	return out, err
}
