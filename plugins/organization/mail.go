package organization

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// sendInvitation sends an invitation, where messages are sent, and records it.
func (p *Plugin) sendInvitation(ctx context.Context, a act, i *Invitation) error {
	if p.host.CanMail() && *p.o.SendInvitationEmail {
		to := p.o.InvitationURL
		if strings.HasPrefix(to, "/") {
			to = p.host.BaseURL() + to
		}
		err := p.host.SendMail(ctx, a.Tx, contract.Message{Template: mailName, To: i.Email, User: contract.MessageUser{Email: i.Email},
			ExpiresAt: i.ExpiresAt, URL: core.AddQuery(to, "invitationId", i.ID), Data: map[string]string{
				"id": i.ID, "role": deref(i.Role), "organization": line(a.Organization.Name), "organizationId": a.Organization.ID,
				"inviter": a.Actor.Email, "inviterName": line(a.Actor.Name), "appName": p.host.AppName(),
				"expiresIn": p.lifeText(), "expiresInSeconds": strconv.Itoa(p.o.InvitationExpiresIn)}})
		if err != nil {
			return err
		}
	}
	return p.record(ctx, &a.Act, eventInvitationSent, a.Actor.ID, map[string]string{"invitation": i.ID, "role": deref(i.Role)})
}

// maxLine is how much of a name that somebody has chosen goes into a message to others,
// in characters.
const maxLine = 100

// line makes one short line of a name.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > maxLine {
		s = string(r[:maxLine]) + "..."
	}
	return s
}

// lifeText is an invitation's life for people who read English: "2 days".
func (p *Plugin) lifeText() string {
	for _, u := range []struct {
		seconds int
		name    string
	}{{86400, "day"}, {3600, "hour"}, {60, "minute"}} {
		switch n := p.o.InvitationExpiresIn / u.seconds; {
		case p.o.InvitationExpiresIn%u.seconds != 0:
		case n == 1:
			return "1 " + u.name
		default:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return fmt.Sprintf("%d seconds", p.o.InvitationExpiresIn)
}
