package core

import (
	"context"
	"strings"
)

// What operators do to a user, without a session of the user's: the events say so.

// FindUser reads a user by address or id; nil if nobody has it.
func (h *Host) FindUser(ctx context.Context, name string) (*User, error) {
	if strings.Contains(name, "@") {
		return h.UserByEmail(ctx, h.db, strings.TrimSpace(name))
	}
	return h.UserByID(ctx, h.db, name)
}

// EndSessions ends all sessions of a user.
func (h *Host) EndSessions(ctx context.Context, userID string) error {
	return h.revokeAll(ctx, nil, userID, "", &Event{Type: EventSessionRevoked, UserID: userID, Actor: Operator, Detail: map[string]string{"scope": "all"}})
}

// VouchEmail marks a user's address as proved, on the operator's word, around
// EmailVerified, whose Call is nil then. It leaves passwords and sessions as they are:
// who vouches knows that they are the owner's. false means that it was proved already.
func (h *Host) VouchEmail(ctx context.Context, userID string) (done bool, err error) {
	yes := true
	err = h.Tx(ctx, nil, func(ctx context.Context, tx *Tx) error {
		u, err := h.UpdateUser(ctx, tx, nil, userID, UserChange{EmailVerified: &yes}, EmailUnverified)
		if err != nil || u == nil {
			return err
		}
		done = true
		return h.emailVerified(ctx, tx, nil, u)
	})
	return done && err == nil, err
}

// UserStatus is what an operator wants to know of a user.
type UserStatus struct {
	User      *User
	Providers []string // of the accounts: "credential" is a password
	Sessions  int      // that are alive, at most 100
}

// UserStatus reads it; nil if there is no such user.
func (h *Host) UserStatus(ctx context.Context, userID string) (*UserStatus, error) {
	u, err := h.UserByID(ctx, h.db, userID)
	if err != nil || u == nil {
		return nil, err
	}
	s := &UserStatus{User: u}
	list, err := h.accountList(ctx, h.db, userID)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		s.Providers = append(s.Providers, a.ProviderID)
	}
	sessions, err := h.Sessions(ctx, userID)
	s.Sessions = len(sessions)
	return s, err
}
