package webhooks

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// hooks are those of the events that some endpoint wants: what nobody wants costs nothing.
func (p *Plugin) hooks() (out []core.Hook) {
	add := func(hook core.Hook, types ...string) {
		for _, typ := range types {
			if len(p.wanting(typ)) > 0 {
				out = append(out, hook)
				return
			}
		}
	}
	add(core.UserCreate.After(func(ctx context.Context, e *core.UserCreateEvent) error {
		return p.publish(ctx, e.Tx, UserCreated, userOf(e.User))
	}), UserCreated)
	add(core.UserUpdate.After(p.userUpdated), UserUpdated, UserEmailVerified)
	add(core.UserDelete.After(func(ctx context.Context, e *core.UserDeleteEvent) error {
		return p.publish(ctx, e.Tx, UserDeleted, userOf(e.User))
	}), UserDeleted)
	add(core.SessionCreate.After(func(ctx context.Context, e *core.SessionEvent) error {
		s := e.Session
		return p.publish(ctx, e.Tx, SessionCreated, sessionData{s.ID, s.UserID, iso(s.ExpiresAt)})
	}), SessionCreated)
	add(core.SessionRevoke.After(p.sessionsRevoked), SessionRevoked)

	organization := func(point *core.Point[orghook.OrganizationEvent], typ string) {
		add(point.After(func(ctx context.Context, e *orghook.OrganizationEvent) error {
			return p.publish(ctx, e.Tx, typ, organizationOf(e.Organization))
		}), typ)
	}
	organization(orghook.OrganizationCreate, OrganizationCreated)
	organization(orghook.OrganizationUpdate, OrganizationUpdated)
	organization(orghook.OrganizationDelete, OrganizationDeleted)
	member := func(point *core.Point[orghook.MemberEvent], typ string) {
		add(point.After(func(ctx context.Context, e *orghook.MemberEvent) error {
			return p.publish(ctx, e.Tx, typ, memberOf(e.Member))
		}), typ)
	}
	member(orghook.MemberAdd, MemberAdded)
	member(orghook.MemberRemove, MemberRemoved)
	member(orghook.MemberUpdate, MemberRoleChanged)
	invitation := func(point *core.Point[orghook.InvitationEvent], typ string) {
		add(point.After(func(ctx context.Context, e *orghook.InvitationEvent) error {
			return p.publish(ctx, e.Tx, typ, invitationOf(e.Invitation))
		}), typ)
	}
	invitation(orghook.InvitationCreate, InvitationSent)
	invitation(orghook.InvitationAccept, InvitationAccepted)
	invitation(orghook.InvitationReject, InvitationRejected)
	invitation(orghook.InvitationCancel, InvitationCanceled)
	return out
}

// userUpdated tells of every change of the row, and of a proved address besides.
func (p *Plugin) userUpdated(ctx context.Context, e *core.UserUpdateEvent) error {
	if err := p.publish(ctx, e.Tx, UserUpdated, userOf(e.User)); err != nil {
		return err
	}
	if e.Change.EmailVerified == nil || !e.User.EmailVerified {
		return nil
	}
	return p.publish(ctx, e.Tx, UserEmailVerified, userOf(e.User))
}

// sessionsRevoked tells of each session that was still alive.
func (p *Plugin) sessionsRevoked(ctx context.Context, e *core.RevokeEvent) error {
	now := p.host.Now()
	var ended []any
	for _, s := range e.Revoked {
		if s.ExpiresAt.After(now) {
			ended = append(ended, sessionData{s.ID, s.UserID, iso(s.ExpiresAt)})
		}
	}
	return p.publish(ctx, e.Tx, SessionRevoked, ended...)
}

func (p *Plugin) wanting(typ string) (out []*endpoint) {
	for _, e := range p.endpoints {
		if e.types[typ] {
			out = append(out, e)
		}
	}
	return out
}

// publish writes a job for each event and each endpoint that wants it, in the transaction
// of the events.
func (p *Plugin) publish(ctx context.Context, tx *core.Tx, typ string, events ...any) error {
	endpoints := p.wanting(typ)
	if len(endpoints) == 0 || len(events) == 0 {
		return nil
	}
	var jobs []storage.Statement
	for _, data := range events {
		d, err := p.newParcel(typ, data)
		if err != nil {
			return err
		}
		for _, e := range endpoints {
			d.URL = e.url
			job, err := delivery.Statement(p.host, d)
			if err != nil {
				return err
			}
			jobs = append(jobs, job)
		}
	}
	for part := range slices.Chunk(jobs, 100) {
		if _, err := tx.Batch(ctx, part...); err != nil {
			return err
		}
	}
	p.host.WakeJobs(tx)
	return nil
}

// newParcel makes a delivery without a URL. Its id belongs to the event: all endpoints and
// all attempts have the same.
func (p *Plugin) newParcel(typ string, data any) (parcel, error) {
	id, err := p.host.RandomString(core.Alphanumeric, 24)
	if err != nil {
		return parcel{}, err
	}
	body, err := json.Marshal(message{typ, iso(p.host.Now()), data})
	return parcel{ID: "msg_" + id, Type: typ, Body: string(body)}, err
}
