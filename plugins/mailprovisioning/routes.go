package mailprovisioning

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// The hooks of the old system, for services that make users themselves. They show the
// service key in X-Service-Key.
var (
	Created = core.NewRoute[CreatedInput, HookAnswer]("POST /api/v1/internal/mail/on-user-created", core.Public, core.Absolute)
	Deleted = core.NewRoute[DeletedInput, HookAnswer]("POST /api/v1/internal/mail/on-user-deleted", core.Public, core.Absolute)
)

// CreatedInput is the input of Created.
type CreatedInput struct {
	UserID string  `json:"userId" input:"nonempty,max=128"`
	Email  string  `json:"email" input:"email"`
	Name   *string `json:"name" input:"max=256"`
}

// DeletedInput is the input of Deleted.
type DeletedInput struct {
	UserID string `json:"userId" input:"nonempty,max=128"`
}

// HookAnswer is the answer of both. Email is the address that the user has: the mailbox
// itself is made within seconds, or when the mail server is up again.
type HookAnswer struct {
	Success bool   `json:"success"`
	Email   string `json:"email,omitempty"`
}

// service refuses who does not show the service key. Both are hashed, so that the
// comparison takes the same time whatever their lengths are.
func (p *Plugin) service(c *core.Call) error {
	if p.serviceKey == "" {
		return ErrNotConfigured
	}
	shown, want := sha256.Sum256([]byte(c.Header("X-Service-Key"))), sha256.Sum256([]byte(p.serviceKey))
	if subtle.ConstantTimeCompare(shown[:], want[:]) != 1 {
		return core.ErrUnauthorized
	}
	return nil
}

func (p *Plugin) onCreated(ctx context.Context, c *core.Call, in CreatedInput) (HookAnswer, error) {
	if err := p.service(c); err != nil {
		return HookAnswer{}, err
	}
	name := ""
	if in.Name != nil {
		name = *in.Name
	}
	m, err := p.reserve(ctx, nil, in.UserID, name, in.Email)
	if err == nil && m.State == stateDeleting {
		return HookAnswer{}, ErrBeingDeleted
	}
	return HookAnswer{err == nil, m.Email}, err
}

func (p *Plugin) onDeleted(ctx context.Context, c *core.Call, in DeletedInput) (HookAnswer, error) {
	if err := p.service(c); err != nil {
		return HookAnswer{}, err
	}
	err := p.remove(ctx, nil, in.UserID)
	return HookAnswer{Success: err == nil}, err
}

// hookFailure has what services of the old system read, success and error, beside code and
// message.
func hookFailure(f core.Failure) core.Response {
	body, err := json.Marshal(map[string]any{"success": false, "error": f.Message, "message": f.Message, "code": f.Code})
	if err != nil { // texts: it cannot fail
		body = []byte(`{"success":false}`)
	}
	return core.Response{Status: f.Status, Header: []core.Field{{Name: "Content-Type", Value: "application/json"}}, Body: body}
}
