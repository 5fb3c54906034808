package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// act is one action under way. Its audit row is written together with what it did, or by
// itself where it failed: also when everything else of it was undone.
type act struct {
	p         *Plugin
	userID    string
	ip, agent string // of whoever does it; empty where not known
	action    string
	failed    string     // the action's name where it failed, if another
	why       string     // context of a failure
	call      *core.Call // nil for an act of another plugin's
	user      *core.User
}

// run does an action and leaves a row if it fails. One that succeeds has written its own
// (done).
func run[O any](ctx context.Context, p *Plugin, c *core.Call, action, failed string, do func(context.Context, *act) (O, error)) (O, error) {
	_, u := c.Session()
	c.SetHeader("Cache-Control", "no-store")
	a := &act{p: p, userID: u.ID, ip: c.ClientIP(), agent: c.UserAgent(), action: action, failed: failed, call: c, user: u}
	defer a.panicked(ctx)
	out, err := do(ctx, a)
	if err == nil {
		return out, nil
	}
	var none O
	a.fails(ctx, err)
	return none, err
}

// panicked is deferred: what nobody foresaw, in a key provider of the app's for instance,
// leaves its row too, and goes on.
func (a *act) panicked(ctx context.Context) {
	if v := recover(); v != nil {
		a.why = "panic"
		a.fails(ctx, errors.New("panic")) // not the value: it may hold a key
		panic(v)
	}
}

// fails writes the row of an action that failed. If that fails too, the log has it.
func (a *act) fails(ctx context.Context, err error) {
	if e := a.recordFailure(context.WithoutCancel(ctx), err); e != nil {
		a.p.host.Log().LogAttrs(ctx, slog.LevelError, "the audit row of a failed vault action was not written",
			slog.String("action", a.action), slog.String("user_id", a.userID), slog.String("cause", e.Error()))
	}
}

func (a *act) recordFailure(ctx context.Context, err error) error {
	status, why := 500, a.why
	if e := core.AsError(err); e != nil {
		status = e.Status
		if why == "" {
			why = strings.ToLower(strings.ReplaceAll(e.Code, "_", "-"))
		}
	} else if why == "" {
		status, why = 503, "service-unavailable"
	}
	action := a.action
	if a.failed != "" {
		action = a.failed
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return a.as(ctx, func(ctx context.Context, tx *core.Tx) error { return a.insert(ctx, tx, action, status, why) })
}

// as runs fn in a transaction that sees the rows of the action's user alone.
func (a *act) as(ctx context.Context, fn func(context.Context, *core.Tx) error) error {
	return a.p.host.TxAs(ctx, a.userID, fn)
}

// held is as for what an action gives out or changes. A key provider is across the network:
// a session that was ended while it was asked gets no key, and changes nothing. The user comes
// before the vault, in the order of a deletion.
func (a *act) held(ctx context.Context, fn func(context.Context, *core.Tx) error) error {
	return a.as(ctx, func(ctx context.Context, tx *core.Tx) error {
		if a.call != nil {
			if err := a.call.HoldSession(ctx, tx); err != nil {
				return err
			}
		}
		return fn(ctx, tx)
	})
}

// done writes the row of an action that succeeds, in its transaction: without the row
// there is no success.
func (a *act) done(ctx context.Context, tx *core.Tx, status int, why string) error {
	return a.insert(ctx, tx, a.action, status, why)
}

func (a *act) insert(ctx context.Context, tx *core.Tx, action string, status int, why string) error {
	id, err := a.p.host.RandomString(core.Alphanumeric, 32)
	if err != nil {
		return err
	}
	row := AuditRow{ID: id, UserID: a.userID, Action: action, Status: status, CreatedAt: a.p.host.Now()}
	for dst, v := range map[**string]string{&row.IPAddress: a.ip, &row.UserAgent: a.agent, &row.Context: why} {
		if v != "" {
			*dst = &v
		}
	}
	return audits.Insert(ctx, tx, &row)
}

// sensitive refuses who has not proved themselves recently, or not with the second factor
// that they have.
func (a *act) sensitive() error {
	s, _ := a.call.Session()
	if !a.call.Fresh() {
		return core.ErrSessionNotFresh
	}
	if on, _ := a.user.Extra["twoFactorEnabled"].(bool); on && s.AAL() < 2 {
		return ErrSecondFactor
	}
	return nil
}

func newestFirst(limit int) core.ListOptions {
	return core.ListOptions{Order: []core.Order{auditAt.Desc(), auditID.Desc()}, Limit: limit}
}

func entries(list []AuditRow) []Entry {
	out := make([]Entry, len(list))
	for i, r := range list {
		out[i] = Entry{r.ID, r.Action, r.IPAddress, r.UserAgent, r.Context, r.Status, core.Time(r.CreatedAt)}
	}
	return out
}

const (
	auditDefault = 50
	auditMost    = 200
)

// audit lists the caller's own rows, newest first. A page ends before its last row's time
// and id, so that rows which come in between move nothing.
func (p *Plugin) audit(ctx context.Context, c *core.Call, in AuditInput) (AuditAnswer, error) {
	var out AuditAnswer
	_, u := c.Session()
	limit := auditDefault
	if in.Limit != nil {
		n, err := strconv.Atoi(*in.Limit)
		if err != nil || n < 1 || n > auditMost {
			return out, ErrBadRequest.WithMessage(fmt.Sprintf("limit must be a number from 1 to %d", auditMost))
		}
		limit = n
	}
	where := []core.Cond{auditUser.Eq(u.ID)}
	if in.Before != nil {
		at, id, err := parseCursor(*in.Before)
		if err != nil {
			return out, ErrBadRequest.WithMessage("before is no cursor of this list")
		}
		where = append(where, core.AnyOf(auditAt.Lt(at), core.AllOf(auditAt.Eq(at), auditID.Lt(id))))
	}
	c.SetHeader("Cache-Control", "no-store")
	err := p.host.TxAs(ctx, u.ID, func(ctx context.Context, tx *core.Tx) error {
		list, err := audits.List(ctx, tx, newestFirst(limit+1), where...)
		if err != nil {
			return err
		}
		if len(list) > limit {
			list = list[:limit]
			last := list[limit-1]
			out.Next = strconv.FormatInt(last.CreatedAt.UnixMilli(), 36) + "-" + last.ID
		}
		out.Entries = entries(list)
		return nil
	})
	return out, err
}

var errCursor = errors.New("no cursor")

func parseCursor(s string) (at time.Time, id string, err error) {
	ms, id, ok := strings.Cut(s, "-")
	n, e := strconv.ParseInt(ms, 36, 64)
	if !ok || e != nil || n < 0 || n > 1<<47 || len(id) > 64 {
		return at, "", errCursor
	}
	return time.UnixMilli(n).UTC(), id, nil
}
