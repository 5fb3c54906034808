package organization

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
)

// membershipKey is Better Auth's: base64url of SHA-256 over ["team","user"] as JSON.
func membershipKey(teamID, userID string) (string, error) {
	raw, err := json.Marshal([]string{teamID, userID})
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:]), err
}

// inTeam tells whether a user is in a team.
func (p *Plugin) inTeam(ctx context.Context, q storage.Conn, t *Team, userID string) (bool, error) {
	_, found, err := teamMembers.Get(ctx, q, inTeam.Eq(t.ID), inTeamUser.Eq(userID))
	return found, err
}

// putIntoTeam puts a member into a team, around TeamMemberAdd; who is in it already stays
// as they are. The organization's row is locked, so that the seats can be counted.
func (p *Plugin) putIntoTeam(ctx context.Context, a orghook.Act, t *Team, u *core.User) (m TeamMember, err error) {
	if m, found, err := teamMembers.Get(ctx, a.Tx, inTeam.Eq(t.ID), inTeamUser.Eq(u.ID)); err != nil || found {
		return m, err
	}
	limit, err := p.seats(ctx, a.Organization, t)
	if err != nil {
		return m, err
	}
	n, err := teamMembers.Count(ctx, a.Tx, inTeam.Eq(t.ID))
	if err != nil {
		return m, err
	}
	if limit > 0 && n >= int64(limit) {
		return m, ErrTooManyTeamMembers
	}
	key, err := membershipKey(t.ID, u.ID)
	if err != nil {
		return m, err
	}
	now := p.host.Now()
	m = TeamMember{TeamID: t.ID, UserID: u.ID, MembershipKey: &key, CreatedAt: &now}
	if m.ID, err = p.host.NewID(ctx, "teamMember"); err != nil {
		return m, err
	}
	e := &orghook.TeamMemberEvent{Act: a, Team: t, TeamMember: &m, User: u}
	err = orghook.TeamMemberAdd.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
		if err := teamMembers.Insert(ctx, a.Tx, &m); err != nil {
			return err
		}
		// Better Auth reads the count from the team: it is set to what was counted.
		_, err := teams.Update(ctx, a.Tx, []core.Set{teamCount.Set(int(n) + 1)}, teamID.Eq(t.ID), teamOrg.Eq(a.Organization.ID))
		return err
	})
	if err != nil {
		return m, err
	}
	return m, p.record(ctx, &a, eventTeamMemberAdded, u.ID, map[string]string{"team": t.ID, "teamMember": m.ID})
}

// seats is how many members a team may have; 0 for no limit.
func (p *Plugin) seats(ctx context.Context, o *Organization, t *Team) (int, error) {
	if p.o.Teams.MaximumMembersOf != nil {
		return p.o.Teams.MaximumMembersOf(ctx, o, t)
	}
	return p.o.Teams.MaximumMembersPerTeam, nil
}

// leaveTeams takes a member out of all teams of the organization.
func (p *Plugin) leaveTeams(ctx context.Context, tx *core.Tx, m *Member) error {
	const mine = "IN (SELECT {teamMember.teamId} FROM {teamMember=} WHERE {teamMember.userId} = ?)"
	if _, err := tx.Exec(ctx, "UPDATE {team=} SET {team:memberCount} = CASE WHEN {team.memberCount} > 0 THEN {team.memberCount} - 1 ELSE 0 END "+
		"WHERE {team.organizationId} = ? AND {team.id} "+mine, m.OrganizationID, m.UserID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM {teamMember=} WHERE {teamMember.userId} = ? AND {teamMember.teamId} IN "+
		"(SELECT {team.id} FROM {team=} WHERE {team.organizationId} = ?)", m.UserID, m.OrganizationID)
	return err
}

// roomInTeams checks the teams of an invitation: all are of the organization, and none is
// full now. What counts is how it is when the invitation is accepted.
func (p *Plugin) roomInTeams(ctx context.Context, a act, ids []string) error {
	for _, id := range ids {
		if strings.Contains(id, ",") {
			return ErrInvalidTeamID
		}
	}
	all := make([]*Team, len(ids))
	for i, id := range ids {
		var err error
		if all[i], err = p.team(ctx, a.Tx, a.Organization.ID, id); err != nil {
			return err
		}
	}
	for _, t := range all {
		limit, err := p.seats(ctx, a.Organization, t)
		if err != nil {
			return err
		}
		if limit <= 0 {
			continue
		}
		if n, err := teamMembers.Count(ctx, a.Tx, inTeam.Eq(t.ID)); err != nil {
			return err
		} else if n >= int64(limit) {
			return ErrTooManyTeamMembers
		}
	}
	return nil
}

// joinTeams puts a new member into the teams of their invitation, and returns the one
// team's id if there is just one.
func (p *Plugin) joinTeams(ctx context.Context, a orghook.Act, i *Invitation) (string, error) {
	if !p.o.Teams.Enabled || deref(i.TeamID) == "" {
		return "", nil
	}
	ids := strings.Split(*i.TeamID, ",")
	for _, id := range ids {
		t, err := p.team(ctx, a.Tx, a.Organization.ID, id)
		if err != nil {
			return "", err
		}
		if _, err := p.putIntoTeam(ctx, a, t, a.Actor); err != nil {
			return "", err
		}
	}
	if len(ids) > 1 {
		return "", nil
	}
	return ids[0], nil
}

func (p *Plugin) listTeamMembers(ctx context.Context, c *core.Call, in ListTeamMembersInput) ([]TeamMember, error) {
	s, u := c.Session()
	id := deref(in.TeamID)
	if id == "" {
		id, _ = s.Extra[activeTeam].(string)
	}
	if id == "" {
		return nil, ErrNoActiveTeam
	}
	t, found, err := p.teams.Get(ctx, p.host.DB(), teamID.Eq(id))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrTeamNotFound
	}
	if me, err := p.standing(ctx, p.host.DB(), t.OrganizationID, u.ID); err != nil {
		return nil, err
	} else if me == nil {
		return nil, ErrNotInTeam
	}
	if in, err := p.inTeam(ctx, p.host.DB(), &t, u.ID); err != nil {
		return nil, err
	} else if !in {
		return nil, ErrNotInTeam
	}
	return teamMembers.List(ctx, p.host.DB(), core.ListOptions{Order: []core.Order{inTeamSince.Asc(), inTeamID.Asc()}, Limit: maxList}, inTeam.Eq(t.ID))
}

func (p *Plugin) addTeamMember(ctx context.Context, c *core.Call, in TeamMemberInput) (TeamMember, error) {
	var out TeamMember
	return out, p.inTeams(ctx, c, in, "update", ErrMayNotAddTeamMember, func(ctx context.Context, a act, t *Team, u *core.User) (err error) {
		out, err = p.putIntoTeam(ctx, a.Act, t, u)
		return err
	})
}

func (p *Plugin) removeTeamMember(ctx context.Context, c *core.Call, in TeamMemberInput) (Message, error) {
	err := p.inTeams(ctx, c, in, "delete", ErrMayNotRemoveTeamMember, func(ctx context.Context, a act, t *Team, u *core.User) error {
		m, found, err := teamMembers.Get(ctx, a.Tx, inTeam.Eq(t.ID), inTeamUser.Eq(u.ID))
		if err != nil {
			return err
		}
		if !found {
			return ErrNotInTeam
		}
		e := &orghook.TeamMemberEvent{Act: a.Act, Team: t, TeamMember: &m, User: u}
		err = orghook.TeamMemberRemove.Run(ctx, p.host, a.Tx, e, func(ctx context.Context) error {
			n, err := teamMembers.Delete(ctx, a.Tx, inTeam.Eq(t.ID), inTeamUser.Eq(u.ID))
			if err != nil {
				return err
			}
			_, err = teams.Update(ctx, a.Tx, []core.Set{teamCount.Add(-int(n))}, teamID.Eq(t.ID), teamOrg.Eq(a.Organization.ID), teamCount.Ge(int(n)))
			return err
		})
		if err != nil {
			return err
		}
		return p.record(ctx, &a.Act, eventTeamMemberRemoved, u.ID, map[string]string{"team": t.ID, "teamMember": m.ID})
	})
	return Message{"Team member removed successfully."}, err
}

// inTeams runs a change of who is in a team.
func (p *Plugin) inTeams(ctx context.Context, c *core.Call, in TeamMemberInput, action string, refusal *core.Error,
	fn func(context.Context, act, *Team, *core.User) error) error {
	id := target(c, in.OrganizationID)
	if id == "" {
		return ErrNoActive
	}
	return p.change(ctx, c, id, ErrUserNotMember, func(ctx context.Context, a act) error {
		if !a.me.may("member", action) {
			return refusal
		}
		if _, found, err := p.members.Get(ctx, a.Tx, memberOrg.Eq(id), memberUser.Eq(in.UserID)); err != nil {
			return err
		} else if !found {
			return ErrUserNotMember
		}
		t, err := p.team(ctx, a.Tx, id, in.TeamID)
		if err != nil {
			return err
		}
		u, err := p.host.UserByID(ctx, a.Tx, in.UserID)
		if err != nil {
			return err
		}
		if u == nil {
			return core.ErrUserNotFound
		}
		return fn(ctx, a, t, u)
	})
}
