package organization

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

func number(name string, n int) core.Member {
	return core.Member{Name: name, Raw: []byte(strconv.Itoa(n))}
}

// firstTeam makes the team that an organization begins with, and puts its creator in.
func (p *Plugin) firstTeam(ctx context.Context, a orghook.Act, u *core.User, m *made) error {
	t := Team{Name: a.Organization.Name, Extras: core.Extras{Extra: p.teamFields.Defaults()}}
	if err := p.insertTeam(ctx, a, &t); err != nil {
		return err
	}
	m.team = &t
	_, err := p.putIntoTeam(ctx, a, &t, u)
	return err
}

// insertTeam stores a team, around TeamCreate.
func (p *Plugin) insertTeam(ctx context.Context, a orghook.Act, t *Team) (err error) {
	if t.ID, err = p.host.NewID(ctx, "team"); err != nil {
		return err
	}
	t.OrganizationID, t.CreatedAt = a.Organization.ID, p.host.Now()
	err = orghook.TeamCreate.Run(ctx, p.host, a.Tx, &orghook.TeamEvent{Act: a, Team: t}, func(ctx context.Context) error {
		t.OrganizationID = a.Organization.ID
		return p.teams.Insert(ctx, a.Tx, t)
	})
	if err != nil {
		return err
	}
	return p.record(ctx, &a, eventTeamCreated, "", map[string]string{"team": t.ID})
}

func (p *Plugin) createTeam(ctx context.Context, c *core.Call, in CreateTeamInput) (Team, error) {
	var t Team
	extra, err := p.teamFields.Read("body", in.Fields, true)
	if err != nil {
		return t, err
	}
	id := target(c, in.OrganizationID)
	if id == "" {
		return t, ErrNoActive
	}
	notMember := core.NewError(ErrMayNotInvite.Code, 403, ErrMayNotInvite.Message)
	return t, p.change(ctx, c, id, notMember, func(ctx context.Context, a act) (err error) {
		if !a.me.may("team", "create") {
			return ErrMayNotCreateTeam
		}
		limit := p.o.Teams.MaximumTeams
		if p.o.Teams.MaximumTeamsOf != nil {
			if limit, err = p.o.Teams.MaximumTeamsOf(ctx, a.Organization); err != nil {
				return err
			}
		}
		if limit > 0 {
			n, err := teams.Count(ctx, a.Tx, teamOrg.Eq(id))
			if err != nil {
				return err
			}
			if n >= int64(limit) {
				return ErrTooManyTeams
			}
		}
		now := c.Now()
		t = Team{Name: in.Name, UpdatedAt: &now, Extras: core.Extras{Extra: extra}}
		return p.insertTeam(ctx, a.Act, &t)
	})
}

func (p *Plugin) updateTeam(ctx context.Context, c *core.Call, in UpdateTeamInput) (Team, error) {
	var t Team
	extra, err := p.teamFields.Read("body.data", in.Data.Fields, false)
	if err != nil {
		return t, err
	}
	id := target(c, in.Data.OrganizationID)
	if id == "" {
		return t, ErrNoActive
	}
	return t, p.change(ctx, c, id, ErrMayNotUpdateTeam, func(ctx context.Context, a act) error {
		if !a.me.may("team", "update") {
			return ErrMayNotUpdateTeam
		}
		old, err := p.team(ctx, a.Tx, id, in.TeamID)
		if err != nil {
			return err
		}
		now := c.Now()
		t = *old
		t.Extra, t.UpdatedAt = maps.Clone(old.Extra), &now
		assign(&t.Name, in.Data.Name)
		maps.Copy(t.Extra, extra)
		e := &orghook.TeamEvent{Act: a.Act, Team: &t, Old: old}
		return orghook.TeamUpdate.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
			set := append([]core.Set{teamName.Set(t.Name), teamUpdated.Set(t.UpdatedAt)}, p.teamFields.Sets("team", t.Extra)...)
			_, err := p.teams.Update(ctx, a.Tx, set, teamID.Eq(old.ID), teamOrg.Eq(id))
			return err
		})
	})
}

// team reads a team of an organization.
func (p *Plugin) team(ctx context.Context, q storage.Conn, organizationID, id string) (*Team, error) {
	t, found, err := p.teams.Get(ctx, q, teamID.Eq(id), teamOrg.Eq(organizationID))
	if err == nil && !found {
		err = ErrTeamNotFound
	}
	return &t, err
}

func (p *Plugin) removeTeam(ctx context.Context, c *core.Call, in RemoveTeamInput) (Message, error) {
	id := target(c, in.OrganizationID)
	if id == "" {
		return Message{}, ErrNoActive
	}
	return Message{"Team removed successfully."}, p.change(ctx, c, id, ErrMayNotDeleteTeam, func(ctx context.Context, a act) error {
		s, _ := c.Session()
		if s.Extra[activeTeam] == in.TeamID {
			return ErrMayNotDeleteTeam
		}
		if !a.me.may("team", "delete") {
			return ErrMayNotDeleteTeams
		}
		t, err := p.team(ctx, a.Tx, id, in.TeamID)
		if err != nil {
			return err
		}
		if !p.o.Teams.AllowRemovingAllTeams {
			if n, err := teams.Count(ctx, a.Tx, teamOrg.Eq(id)); err != nil {
				return err
			} else if n <= 1 {
				return ErrLastTeam
			}
		}
		err = orghook.TeamDelete.Run(ctx, p.host, a.Tx, &orghook.TeamEvent{Act: a.Act, Team: t}, func(ctx context.Context) error {
			return p.dropTeam(ctx, a.Tx, t)
		})
		if err != nil {
			return err
		}
		return p.record(ctx, &a.Act, eventTeamDeleted, a.Actor.ID, map[string]string{"team": t.ID})
	})
}

// dropTeam deletes a team, and takes it out of open invitations.
func (p *Plugin) dropTeam(ctx context.Context, tx *core.Tx, t *Team) error {
	if _, err := teamMembers.Delete(ctx, tx, inTeam.Eq(t.ID)); err != nil {
		return err
	}
	if _, err := teams.Delete(ctx, tx, teamID.Eq(t.ID), teamOrg.Eq(t.OrganizationID)); err != nil {
		return err
	}
	open, err := p.invitations.List(ctx, tx, core.ListOptions{}, inviteOrg.Eq(t.OrganizationID), inviteStatus.Eq("pending"), inviteTeam.NotNull())
	if err != nil {
		return err
	}
	for _, i := range open {
		ids := strings.Split(*i.TeamID, ",")
		rest := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == t.ID })
		if len(rest) == len(ids) {
			continue
		}
		set := inviteTeam.SetNull()
		if len(rest) > 0 {
			left := strings.Join(rest, ",")
			set = inviteTeam.Set(&left)
		}
		if _, err := p.invitations.Update(ctx, tx, []core.Set{set}, inviteID.Eq(i.ID), inviteOrg.Eq(t.OrganizationID)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plugin) listTeams(ctx context.Context, c *core.Call, in OrganizationInput) ([]Team, error) {
	id := target(c, in.OrganizationID)
	if id == "" {
		return nil, ErrNoActive
	}
	_, u := c.Session()
	me, err := p.standing(ctx, p.host.DB(), id, u.ID)
	if err != nil {
		return nil, err
	}
	if me == nil {
		return nil, ErrMayNotListTeams
	}
	return p.teamsOf(ctx, p.host.DB(), id)
}

// teamsOf lists the teams of an organization, oldest first.
func (p *Plugin) teamsOf(ctx context.Context, q storage.Conn, organizationID string) ([]Team, error) {
	return p.teams.List(ctx, q, core.ListOptions{Order: []core.Order{teamCreated.Asc(), teamID.Asc()}, Limit: maxList}, teamOrg.Eq(organizationID))
}

func (p *Plugin) setActiveTeam(ctx context.Context, c *core.Call, in SetActiveTeamInput) (*Team, error) {
	s, u := c.Session()
	current, _ := s.Extra[activeTeam].(string)
	if in.TeamID.Null {
		if current == "" {
			return nil, nil
		}
		return nil, p.activate(ctx, c, map[string]any{activeTeam: nil})
	}
	id := in.TeamID.Value
	if id == "" {
		if id = current; id == "" {
			return nil, nil
		}
	}
	organization := target(c, nil)
	if organization == "" {
		return nil, ErrNoActive
	}
	t, err := p.team(ctx, p.host.DB(), organization, id)
	if err != nil {
		return nil, err
	}
	if in, err := p.inTeam(ctx, p.host.DB(), t, u.ID); err != nil {
		return nil, err
	} else if !in {
		return nil, core.NewError(ErrNotInTeam.Code, 403, ErrNotInTeam.Message)
	}
	return t, p.activate(ctx, c, map[string]any{activeTeam: t.ID})
}

func (p *Plugin) listUserTeams(ctx context.Context, c *core.Call, in ListUserTeamsInput) ([]Team, error) {
	_, u := c.Session()
	user, organization := u.ID, deref(in.OrganizationID)
	if id := deref(in.UserID); id != "" && id != u.ID {
		if user, organization = id, target(c, in.OrganizationID); organization == "" {
			return nil, ErrNoActive
		}
	}
	if organization == "" {
		return p.teamsOfUser(ctx, user, "")
	}
	me, err := p.standing(ctx, p.host.DB(), organization, u.ID)
	if err != nil {
		return nil, err
	}
	if me == nil {
		return nil, ErrNotMember
	}
	if user != u.ID {
		if !me.may("member", "update") {
			return nil, ErrMayNotUpdateMember
		}
		if _, found, err := p.members.Get(ctx, p.host.DB(), memberOrg.Eq(organization), memberUser.Eq(user)); err != nil {
			return nil, err
		} else if !found {
			return nil, ErrUserNotMember
		}
	}
	return p.teamsOfUser(ctx, user, organization)
}

// teamsOfUser lists the teams that a user is in, of one organization or of all in which
// they are a member.
func (p *Plugin) teamsOfUser(ctx context.Context, userID, organizationID string) ([]Team, error) {
	sql, args := "SELECT "+p.teams.Select()+" FROM {teamMember=} JOIN {team=} ON {team.id} = {teamMember.teamId} WHERE {teamMember.userId} = ? "+
		"AND EXISTS (SELECT 1 FROM {member=} WHERE {member.organizationId} = {team.organizationId} AND {member.userId} = {teamMember.userId})", []any{userID}
	if organizationID != "" {
		sql, args = sql+" AND {team.organizationId} = ?", append(args, organizationID)
	}
	rows, err := p.host.DB().Query(ctx, sql+" ORDER BY {teamMember.createdAt}, {teamMember.id} LIMIT ?", append(args, int64(maxPage))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Team{}
	for rows.Next() {
		var t Team
		if err := p.teams.Scan(rows, &t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}
