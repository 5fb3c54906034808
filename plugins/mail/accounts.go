package mail

import (
	"cmp"
	"context"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

const maxLabels = 1000

func (p *Plugin) labels(ctx context.Context, c *core.Call, _ core.None) ([]Label, error) {
	m, err := p.open(ctx, c)
	if err != nil {
		return nil, err
	}
	list, err := m.labels(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out := []Label{}
	for _, b := range list[:min(len(list), maxLabels)] {
		out = append(out, label(b))
	}
	slices.SortStableFunc(out, func(a, b Label) int {
		return cmp.Or(cmp.Compare(a.SortOrder, b.SortOrder), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

func label(b jmap.Mailbox) Label {
	return Label{ID: b.ID, Name: line(b.Name, maxName), Role: b.Role, TotalEmails: size(b.TotalEmails),
		UnreadEmails: size(b.UnreadEmails), ParentID: b.ParentID, SortOrder: size(b.SortOrder)}
}

func (m *mailbox) labels(ctx context.Context) ([]jmap.Mailbox, error) {
	var got jmap.Got[jmap.Mailbox]
	err := m.do(ctx, jmap.Call{Method: "Mailbox/get", Into: &got, Args: jmap.Args{"ids": nil,
		"properties": []string{"id", "name", "parentId", "role", "sortOrder", "totalEmails", "unreadEmails"}}})
	return got.List, err
}

// account is a user's account with what they have chosen. Its id is the user's: they have one.
func account(userID string, cred contract.MailCredentials, s Settings) Account {
	name := cred.DisplayName
	if s.DisplayName != nil {
		name = *s.DisplayName
	}
	return Account{ID: userID, UserID: userID, Email: cred.Address, DisplayName: name, Signature: text(s.Signature), Provider: "jmap", IsDefault: true}
}

func (p *Plugin) accounts(ctx context.Context, c *core.Call, _ core.None) ([]Account, error) {
	c.SetHeader("Cache-Control", "no-store")
	_, u := c.Session()
	cred, err := p.mailboxes.Credentials(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	s, err := p.own(ctx, u.ID)
	return []Account{account(u.ID, cred, s)}, err
}

func (p *Plugin) updateAccount(ctx context.Context, c *core.Call, in AccountInput) (Account, error) {
	c.SetHeader("Cache-Control", "no-store")
	_, u := c.Session()
	cred, err := p.mailboxes.Credentials(ctx, u.ID)
	if err != nil {
		return Account{}, err
	}
	if in.ID != u.ID {
		return Account{}, ErrAccountNotFound
	}
	var change []core.Set
	put := func(col core.Col[*string], o core.Opt[string]) {
		switch {
		case o.Null:
			change = append(change, col.SetNull())
		case o.Set:
			change = append(change, col.Set(&o.Value))
		}
	}
	put(colName, in.DisplayName)
	put(colSignature, in.Signature)
	switch {
	case len(change) == 0:
		return Account{}, core.ErrValidation.WithMessage("[body] want displayName or signature")
	case !oneLine(in.DisplayName.Value):
		return Account{}, core.ErrValidation.WithMessage("[body.displayName] want one line of visible text")
	}
	var s Settings
	err = p.host.Tx(ctx, nil, func(ctx context.Context, tx *core.Tx) (err error) {
		if err := p.row(ctx, tx, u.ID); err != nil {
			return err
		}
		s, _, err = settings.UpdateGet(ctx, tx, change, colUser.Eq(u.ID))
		return err
	})
	return account(u.ID, cred, s), err
}
