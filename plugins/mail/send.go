package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
	"github.com/sallyport-auth/sallyport/plugins/mail/submit"
)

// maxSent is the largest message that goes to the relay, in bytes: with a file of maxFile in base64.
const maxSent = 2 * maxFile

func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil { // a text: it cannot fail
		return `""`
	}
	return string(raw)
}

// send stores a message among the drafts, hands it over, and moves it to the sent mails.
func (p *Plugin) send(ctx context.Context, c *core.Call, in SendInput) (Sent, error) {
	d, err := in.check()
	if err != nil {
		return Sent{}, err
	}
	m, err := p.open(ctx, c)
	if err != nil {
		return Sent{}, err
	}
	if p.relay == nil && !m.session.Submits {
		return Sent{}, ErrNoSending.Because(errors.New("mail: the mail server offers no submission by JMAP, and smtp is not set"))
	}
	_, u := c.Session()
	s, err := p.own(ctx, u.ID)
	if err != nil {
		return Sent{}, err
	}
	n := len(d.recipients())
	if err := p.reserve(ctx, u.ID, n); err != nil {
		return Sent{}, err
	}
	id, err := p.deliver(ctx, c, m, d, account(u.ID, m.cred, s).DisplayName)
	if err != nil && !errors.Is(err, ErrUncertain) {
		err = errors.Join(err, p.release(context.WithoutCancel(ctx), u.ID, n))
	}
	return Sent{id}, err
}

// deliver does the three steps. What fails before the second has ended is not sent, and its
// draft is taken away again; of what may have been sent the draft stays, and is told so.
func (p *Plugin) deliver(ctx context.Context, c *core.Call, m *mailbox, d *draft, name string) (string, error) {
	drafts, sent, err := m.folders(ctx)
	if err != nil {
		return "", failure(err)
	}
	identity := ""
	if p.relay == nil {
		if identity, err = m.identity(ctx); err != nil {
			return "", failure(err)
		}
	}
	// It matters more to end properly than whether the client still listens.
	after := context.WithoutCancel(ctx)
	stored, err := p.store(ctx, m, d, name, drafts)
	var set *jmap.SetError
	if errors.As(err, &set) {
		err = errors.Join(err, m.sweep(after, drafts, d.id))
	}
	if err != nil {
		return "", failure(err)
	}
	uncertain, err := p.hand(ctx, m, d, stored, identity)
	switch {
	case err != nil && uncertain:
		return "", ErrUncertain.Because(err)
	case err != nil:
		if err := m.discard(after, stored.ID); err != nil {
			c.Log().WarnContext(ctx, "mail: the draft of a message that was not sent cannot be deleted", "error", err)
		}
		return "", sending(err)
	}
	patch := map[string]any{"mailboxIds": map[string]bool{sent: true}, "keywords/" + drafting: nil, "keywords/" + seen: true}
	if err := m.update(after, stored.ID, patch); err != nil {
		c.Log().WarnContext(ctx, "mail: a message that was sent stays among the drafts", "error", err)
	}
	return stored.ID, nil
}

// store makes the draft, with an id of ours.
func (p *Plugin) store(ctx context.Context, m *mailbox, d *draft, name, drafts string) (jmap.Made, error) {
	random, err := p.host.RandomString(core.Alphanumeric, 32)
	if err != nil {
		return jmap.Made{}, err
	}
	_, domain, _ := strings.Cut(m.cred.Address, "@")
	d.id = random + "@" + domain
	name = line(name, maxName)
	var answer jmap.SetAnswer
	const method = "Email/set"
	err = m.do(ctx, jmap.Call{Method: method, Into: &answer, Args: jmap.Args{"create": map[string]any{
		"draft": d.email(jmap.Address{Name: &name, Email: m.cred.Address}, drafts)}}})
	if err != nil {
		return jmap.Made{}, err
	}
	made, err := answer.Made(method, "draft")
	if err == nil && p.relay != nil && made.BlobID == "" {
		err = jmap.ErrProtocol
	}
	return made, err
}

// hand gives a stored message to who delivers it. uncertain tells of an error that the message
// may have been taken all the same.
func (p *Plugin) hand(ctx context.Context, m *mailbox, d *draft, stored jmap.Made, identity string) (uncertain bool, err error) {
	if p.relay != nil {
		raw, err := p.client.Download(ctx, m.login, m.session, stored.BlobID, maxSent)
		if err != nil {
			m.noted(err)
			if errors.Is(err, jmap.ErrTooLarge) { // it is the user's own message
				err = ErrTooLarge.Because(err)
			}
			return false, err
		}
		err = p.relay.Send(ctx, submit.Mail{From: m.cred.Address, To: d.recipients(), Data: withoutBcc(raw),
			Username: m.cred.Name, Password: m.cred.Password})
		return submit.Uncertain(err), err
	}
	var answer jmap.SetAnswer
	const method = "EmailSubmission/set"
	to := []any{}
	for _, r := range d.recipients() {
		to = append(to, map[string]any{"email": r})
	}
	err = m.do(ctx, jmap.Call{Method: method, Into: &answer, Args: jmap.Args{"create": map[string]any{"sending": map[string]any{
		"emailId": stored.ID, "identityId": identity, "envelope": map[string]any{"mailFrom": map[string]any{"email": m.cred.Address}, "rcptTo": to}}}}})
	if err == nil {
		_, err = answer.Made(method, "sending")
	}
	return unclear(err), err
}

// unclear tells whether an error leaves open what the server did: of one that it says itself
// it does not (RFC 8620 section 3.6.2), but for serverPartialFail.
func unclear(err error) bool {
	var set *jmap.SetError
	var method *jmap.MethodError
	var status *jmap.StatusError
	var transport *jmap.TransportError
	switch {
	case err == nil, errors.As(err, &set), errors.Is(err, jmap.ErrUnauthorized):
		return false
	case errors.As(err, &method):
		return method.Type == "serverPartialFail"
	case errors.As(err, &status):
		return status.Status >= 500
	case errors.As(err, &transport):
		return transport.Sent
	}
	return true
}

// sending is what a client hears of a message that was not sent.
func sending(err error) error {
	var refused *submit.Refused
	if !errors.As(err, &refused) {
		return failure(err)
	}
	switch {
	case refused.Recipient != "" && refused.Permanent():
		return ErrRecipients.WithMessage("The mail server does not take the recipient " + refused.Recipient).Because(err)
	case refused.Permanent() && refused.OfMail:
		return ErrRejected.Because(err)
	}
	return core.ErrServiceUnavailable.Because(err)
}

// folders are the ids of drafts and sent mails, which are made where they are missing.
func (m *mailbox) folders(ctx context.Context) (drafts, sent string, err error) {
	ids, err := m.withRoles(ctx, "drafts", "sent")
	if err != nil {
		return "", "", err
	}
	return ids["drafts"], ids["sent"], nil
}

var errNoIdentity = errors.New("mail: the mail server has no identity for the user's own address")

// identity is the server's identity of the user's own address, and of no other.
func (m *mailbox) identity(ctx context.Context) (string, error) {
	var got jmap.Got[jmap.Identity]
	if err := m.do(ctx, jmap.Call{Method: "Identity/get", Args: jmap.Args{"ids": nil}, Into: &got}); err != nil {
		return "", err
	}
	for _, i := range got.List {
		if strings.EqualFold(i.Email, m.cred.Address) && i.ID != "" {
			return i.ID, nil
		}
	}
	return "", errNoIdentity
}

// sweep deletes what a server has stored of a message although it says that it has not: Cyrus
// 3.6 does so where an attachment is unknown.
func (m *mailbox) sweep(ctx context.Context, drafts, id string) error {
	var found jmap.Queried
	var got jmap.Got[jmap.Email]
	err := m.do(ctx,
		jmap.Call{Method: "Email/query", Into: &found, Args: jmap.Args{"filter": map[string]any{"inMailbox": drafts}, "limit": 20, "position": 0,
			"sort": []any{map[string]any{"property": "receivedAt", "isAscending": false}}}},
		jmap.Call{Method: "Email/get", Into: &got, Args: jmap.Args{"#ids": jmap.Ref{Call: 0, Name: "Email/query", Path: "/ids"}, "properties": []string{"id", "messageId"}}})
	for _, e := range got.List {
		if err == nil && slices.Contains(e.MessageID, id) {
			err = m.discard(ctx, e.ID)
		}
	}
	return err
}

func (m *mailbox) discard(ctx context.Context, id string) error {
	var answer jmap.SetAnswer
	return m.do(ctx, jmap.Call{Method: "Email/set", Args: jmap.Args{"destroy": []string{id}}, Into: &answer})
}

// withoutBcc takes the field Bcc out of a mail's head, in place: it stays in the sender's own
// copy (RFC 5322 section 3.6.3).
func withoutBcc(raw []byte) []byte {
	out, rest, skip := raw[:0], raw, false
	for len(rest) > 0 {
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			n = len(rest)
		}
		l := rest[:n]
		if len(bytes.TrimRight(l, "\r\n")) == 0 { // the head is over
			break
		}
		if l[0] != ' ' && l[0] != '\t' { // else a field goes on
			name, _, _ := bytes.Cut(l, []byte(":"))
			skip = bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("Bcc"))
		}
		if rest = rest[n:]; !skip {
			out = append(out, l...)
		}
	}
	return append(out, rest...)
}
