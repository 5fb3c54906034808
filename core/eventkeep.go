package core

import (
	"context"
	"encoding/base64"
	"strings"
)

// erasedPrefix begins what takes the place of the id of a user who was deleted.
const erasedPrefix = "erased-"

// pseudonym stands for a user who was deleted. It is the same for all events of the user,
// so that the history stays one, and nobody without the secret can tell whose it was.
func (h *Host) pseudonym(userID string) string {
	return erasedPrefix + base64.RawURLEncoding.EncodeToString(h.MAC("security-event-user", []byte(userID))[:18])
}

// eraseEvents takes everything personal out of a user's events: what happened when stays.
func (h *Host) eraseEvents(ctx context.Context, tx *Tx, userID string) error {
	name := h.pseudonym(userID)
	_, err := securityEvents.Update(ctx, h.conn(tx), []Set{eventUser.Set(&name), eventIP.SetNull(), eventAgent.SetNull(),
		eventRequest.SetNull(), eventDetail.SetNull(), eventSalt.SetNull()}, eventUser.Eq(&userID))
	return err
}

func isErased(userID *string) bool { return userID != nil && strings.HasPrefix(*userID, erasedPrefix) }
