package core

import (
	"context"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// AccountAnswer is an account as its owner sees it.
type AccountAnswer struct {
	AccountID  string   `json:"accountId"`
	ProviderID string   `json:"providerId"`
	UserID     string   `json:"userId"`
	CreatedAt  Time     `json:"createdAt"`
	UpdatedAt  Time     `json:"updatedAt"`
	ID         string   `json:"id"`
	Scopes     []string `json:"scopes"`
}

// UnlinkAccountInput is the input of UnlinkAccount.
type UnlinkAccountInput struct {
	AccountID string `json:"accountId"`
}

func (h *Host) listAccounts(ctx context.Context, c *Call, _ None) ([]AccountAnswer, error) {
	return h.accountList(ctx, h.db, c.user.ID)
}

func (h *Host) accountList(ctx context.Context, q storage.Conn, userID string) ([]AccountAnswer, error) {
	list, err := accounts.List(ctx, q, ListOptions{Order: []Order{accountCreated.Asc()}, Limit: 100}, accountUser.Eq(userID))
	out := make([]AccountAnswer, len(list))
	for i, a := range list {
		out[i] = AccountAnswer{AccountID: a.AccountID, ProviderID: a.ProviderID, UserID: a.UserID, CreatedAt: Time(a.CreatedAt),
			UpdatedAt: Time(a.UpdatedAt), ID: a.ID, Scopes: []string{}}
		if a.Scope != nil {
			out[i].Scopes = append(out[i].Scopes, splitComma(*a.Scope)...)
		}
	}
	return out, err
}

func (h *Host) unlinkAccount(ctx context.Context, c *Call, in UnlinkAccountInput) (Status, error) {
	err := h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		// The user's row is the lock: two devices that unlink the last two accounts at once
		// must not both find that one is left.
		if err := h.LockUser(ctx, tx, c.user.ID); err != nil {
			return err
		}
		list, err := accounts.List(ctx, tx, ListOptions{}, accountUser.Eq(c.user.ID))
		if err != nil {
			return err
		}
		if len(list) == 1 && !h.cfg.Account.AllowUnlinkingAll {
			return ErrFailedToUnlinkLast
		}
		for _, a := range list {
			if a.ID == in.AccountID {
				if _, err := accounts.Delete(ctx, tx, accountID.Eq(a.ID)); err != nil {
					return err
				}
				return h.Record(ctx, &Event{Type: EventAccountUnlinked, UserID: c.user.ID, Call: c, Tx: tx, Detail: map[string]string{"provider": a.ProviderID}})
			}
		}
		return ErrAccountNotFound
	})
	return Status{err == nil}, err
}
