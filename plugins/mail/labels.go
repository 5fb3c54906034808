package mail

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// standing are the labels that everybody may have, by role (RFC 8621 section 2), and the name
// under which one is made.
var standing = map[string]string{"drafts": "Drafts", "sent": "Sent", "archive": "Archive", "trash": "Trash", "junk": "Junk"}

// makeLabel gives the label of a role, and makes it where there is none: mail servers have an
// inbox for everybody, and the rest as they please.
func (p *Plugin) makeLabel(ctx context.Context, c *core.Call, in LabelInput) (Label, error) {
	if standing[in.Role] == "" {
		return Label{}, core.ErrValidation.WithMessage("[body.role] want drafts, sent, archive, trash or junk")
	}
	m, err := p.open(ctx, c)
	if err != nil {
		return Label{}, err
	}
	ids, err := m.withRoles(ctx, in.Role)
	if err != nil {
		return Label{}, failure(err)
	}
	list, err := m.labels(ctx)
	if err != nil {
		return Label{}, failure(err)
	}
	for _, b := range list {
		if b.ID == ids[in.Role] {
			return label(b), nil
		}
	}
	return Label{}, ErrChanged // it has gone meanwhile
}

// withRoles are the ids of labels by role; those that are missing are made.
func (m *mailbox) withRoles(ctx context.Context, roles ...string) (map[string]string, error) {
	list, err := m.labels(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	names := map[string]string{}
	for _, b := range list {
		if b.ParentID == nil {
			names[b.Name] = b.ID
		}
		ids[text(b.Role)] = b.ID
	}
	for _, role := range roles {
		if ids[role] != "" {
			continue
		}
		if ids[role] = names[standing[role]]; ids[role] != "" { // without a role, but what people take for it
			continue
		}
		var answer jmap.SetAnswer
		const method = "Mailbox/set"
		if err := m.do(ctx, jmap.Call{Method: method, Into: &answer, Args: jmap.Args{"create": map[string]any{"new": map[string]any{"name": standing[role], "role": role}}}}); err != nil {
			return nil, err
		}
		made, err := answer.Made(method, "new")
		if err != nil {
			return nil, err
		}
		ids[role] = made.ID
	}
	return ids, nil
}
