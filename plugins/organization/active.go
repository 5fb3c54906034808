package organization

import (
	"context"

	"github.com/sallyport-auth/sallyport/core"
)

func (p *Plugin) setActive(ctx context.Context, c *core.Call, in SetActiveInput) (*Organization, error) {
	s, u := c.Session()
	current, _ := s.Extra[activeOrganization].(string)
	if in.OrganizationID.Null {
		if current == "" {
			return nil, nil
		}
		return nil, p.activate(ctx, c, map[string]any{activeOrganization: nil})
	}
	id, slug := in.OrganizationID.Value, deref(in.OrganizationSlug)
	if id == "" && slug == "" {
		if id = current; id == "" {
			return nil, nil
		}
	}
	o, err := p.find(ctx, id, slug)
	if err != nil {
		return nil, err
	}
	if o == nil && id == "" {
		return nil, ErrNotFound
	}
	var me *standing
	if o != nil {
		if me, err = p.standing(ctx, p.host.DB(), o.ID, u.ID); err != nil {
			return nil, err
		}
	}
	if me == nil {
		if _, err := p.host.SetSessionExtra(ctx, nil, s, map[string]any{activeOrganization: nil}); err != nil {
			return nil, err
		}
		return nil, errNotMemberHere
	}
	return o, p.activate(ctx, c, map[string]any{activeOrganization: o.ID})
}

// activate writes what the session works with, and its cookies anew. A session that has
// gone stays gone.
func (p *Plugin) activate(ctx context.Context, c *core.Call, set map[string]any) error {
	s, u := c.Session()
	s, err := p.host.SetSessionExtra(ctx, nil, s, set)
	if err != nil {
		return err
	}
	if s == nil {
		c.ExpireSessionCookies()
		return core.ErrUnauthorized
	}
	return c.RefreshCookies(s, u)
}

// forget takes an organization out of the session, where it is the active one.
func (p *Plugin) forget(ctx context.Context, tx *core.Tx, c *core.Call, organizationID string) error {
	s, _ := c.Session()
	if id, _ := s.Extra[activeOrganization].(string); id != organizationID {
		return nil
	}
	_, err := p.host.SetSessionExtra(ctx, tx, s, map[string]any{activeOrganization: nil})
	return err
}
