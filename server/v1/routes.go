package v1

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// The paths below which the facade is.
const (
	auth = "/api/v1/auth"
	me   = "/api/v1/me"
)

// Endpoints of the facade that are no aliases.
var (
	// SessionToToken gives tokens for the session of a cookie.
	SessionToToken = core.NewRoute[core.None, Tokens]("POST "+auth+"/session-to-token", core.Absolute)
	// Refresh gives tokens for a refresh token, or for the session of a cookie.
	Refresh = core.NewRoute[RefreshInput, Tokens]("POST "+auth+"/refresh", core.Public, core.Absolute)
	// Validate tells whether an access token is good, and its session still there.
	Validate = core.NewRoute[ValidateInput, Validation]("POST "+auth+"/validate", core.Public, core.Absolute)
	// SignUpStatus tells whether anybody may sign up today.
	SignUpStatus = core.NewRoute[core.None, SignUps]("GET "+auth+"/signup-status", core.Public, core.Absolute)
	// Sessions lists the caller's sessions, without anything that could be presented.
	Sessions = core.NewRoute[core.None, []Device]("GET "+auth+"/sessions", core.Absolute)
	// DeleteAccount erases the caller.
	DeleteAccount = core.NewRoute[EraseInput, Success]("DELETE "+auth+"/account", core.Absolute)
	// Data says what is kept about the caller, in numbers.
	Data = core.NewRoute[core.None, Summary]("GET "+me+"/data", core.Absolute)
	// ExportData is all of it, as a file.
	ExportData = core.NewRoute[core.None, Export]("GET "+me+"/data/export", core.Absolute)
	// DeleteData is DeleteAccount with a report.
	DeleteData = core.NewRoute[EraseInput, Report]("DELETE "+me+"/data", core.Absolute)
)

// Success is the answer of what only did something.
type Success struct {
	Success bool   `json:"success"`
	Message string `json:"message,omitempty"`
}

// Device is a session as its owner sees it.
type Device struct {
	ID             string    `json:"id"`
	CreatedAt      core.Time `json:"createdAt"`
	LastActivityAt core.Time `json:"lastActivityAt"`
	ExpiresAt      core.Time `json:"expiresAt"`
	IPAddress      *string   `json:"ipAddress"`
	UserAgent      *string   `json:"userAgent"`
	Current        bool      `json:"current"`
}

func (p *Plugin) sessions(ctx context.Context, c *core.Call, _ core.None) ([]Device, error) {
	c.SetHeader("Cache-Control", "no-store")
	own, u := c.Session()
	list, err := p.host.Sessions(ctx, u.ID)
	out := make([]Device, len(list))
	for i, s := range list {
		out[i] = Device{s.ID, core.Time(s.CreatedAt), core.Time(s.UpdatedAt), core.Time(s.ExpiresAt), s.IPAddress, s.UserAgent, s.ID == own.ID}
	}
	return out, err
}

// SignUps is the answer of SignUpStatus.
type SignUps struct {
	Open   bool   `json:"registrationOpen"`
	Left   *int   `json:"spotsRemaining"` // nil without a limit
	Today  int    `json:"totalToday"`
	Limit  int    `json:"limit"`
	Resets string `json:"resetsAt"` // the next midnight, UTC; empty without a limit
}

func (p *Plugin) signUpStatus(ctx context.Context, c *core.Call, _ core.None) (SignUps, error) {
	limit := p.o.MaxDailySignUps
	if limit == 0 {
		return SignUps{Open: true}, nil
	}
	n, err := p.signUpsOf(ctx, p.host.DB(), c.Now())
	left := max(0, limit-n)
	return SignUps{left > 0, &left, n, limit, nextDay(c.Now()).Format("2006-01-02T15:04:05.000Z")}, err
}

func nextDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour) }
