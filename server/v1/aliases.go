package v1

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core"
)

// aliases are the endpoints that others serve.
func (p *Plugin) aliases() []core.Alias {
	own := []core.Alias{
		{Path: "POST /register", Target: "POST /sign-up/email", Request: register},
		{Path: "POST /login", Target: "POST /sign-in/email", Request: sourceApp, Response: p.withTokens},
		{Path: "POST /logout", Target: "POST /sign-out"},
		{Path: "GET /session", Target: "GET /get-session"},
		{Path: "GET /profile", Target: "GET /get-session"},
		{Path: "POST /profile", Target: "POST /update-user"},
		{Path: "POST /change-email", Target: "POST /change-email", Response: done("A confirmation was sent by mail")},
		{Path: "POST /change-password", Target: "POST /change-password", Response: p.changedPassword},
		{Path: "POST /forgot-password", Target: "POST /request-password-reset", Response: done(""), Failure: silent},
		{Path: "POST /reset-password", Target: "POST /reset-password", Response: done("")},
		{Path: "POST /resend-verification", Target: "POST /send-verification-email", Request: sourceApp, Response: done("")},
		{Path: "DELETE /sessions/:id", Target: "POST /revoke-session", Response: done(""), Request: func(_ *core.Call, in *core.AliasInput) error {
			in.Set("token", core.SessionHandle(in.Path["id"]))
			return nil
		}},
		{Path: "GET /security-events", Target: "GET /security-events", Request: eventLimit, Response: p.events},
		{Path: "GET /jwks", Target: "GET /jwks"},
	}
	passkeys := []core.Alias{
		{Path: "GET /capability", Target: "GET /passkey/capability", Response: capability},
		{Path: "POST /register/options", Target: "GET /passkey/generate-register-options"},
		{Path: "POST /register/verify", Target: "POST /passkey/verify-registration", Request: friendlyName},
		{Path: "POST /authenticate/options", Target: "GET /passkey/generate-authenticate-options"},
		{Path: "POST /authenticate/verify", Target: "POST /passkey/verify-authentication", Request: bareCredential, Response: p.withTokens},
		{Path: "GET ", Target: "GET /passkey/list-user-passkeys"},
		{Path: "DELETE /:id", Target: "POST /passkey/delete-passkey", Request: pathID},
		{Path: "PATCH /:id", Target: "POST /passkey/update-passkey", Request: pathID},
	}
	for _, a := range passkeys {
		a.Path, a.Absent = strings.Replace(a.Path, " ", " /passkeys", 1), ErrPasskeyNotEnabled
		own = append(own, a)
	}
	for i := range own {
		method, path, _ := strings.Cut(own[i].Path, " ")
		own[i].Method, own[i].Path = method, auth+path
	}
	return append(own, core.Alias{Method: "PATCH", Path: me + "/profile", Target: "POST /update-user", Request: profile, Response: p.profiled})
}

// register names who did not say a name by their address.
func register(c *core.Call, in *core.AliasInput) error {
	if _, given := in.Body["name"]; !given {
		email, _ := in.Text("email")
		local, _, _ := strings.Cut(email, "@")
		in.Set("name", local)
	}
	return sourceApp(c, in)
}

// sourceApp is where mailed links lead in the end. Its name here is what has it checked.
func sourceApp(_ *core.Call, in *core.AliasInput) error {
	if to, given := in.Body["sourceAppUrl"]; given && string(to) != "null" {
		in.Body["callbackURL"] = to
	}
	return nil
}

func pathID(c *core.Call, in *core.AliasInput) error {
	in.Set("id", in.Path["id"])
	return friendlyName(c, in)
}

// friendlyName is what clients call a passkey's name.
func friendlyName(_ *core.Call, in *core.AliasInput) error {
	if name, given := in.Body["friendlyName"]; given && in.Body["name"] == nil {
		in.Body["name"] = name
	}
	return nil
}

// bareCredential takes a credential that is the body itself. It has a member "response" as
// well, but one without an id.
func bareCredential(_ *core.Call, in *core.AliasInput) error {
	var inner map[string]json.RawMessage
	_ = json.Unmarshal(in.Body["response"], &inner) // what is no object is refused by the endpoint
	if in.Body["id"] != nil && inner["id"] == nil {
		in.Body = map[string]json.RawMessage{"response": encode(in.Body)}
	}
	return nil
}

// profile holds a name to the limits of this API: 1 to 80 characters, without white space
// around them.
func profile(_ *core.Call, in *core.AliasInput) error {
	name, given := in.Text("name")
	if !given {
		return nil
	}
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 80 {
		return core.ErrValidation.WithMessage("[body.name] Invalid input: expected 1 to 80 characters")
	}
	in.Set("name", name)
	return nil
}

// done answers with nothing but success.
func done(message string) func(context.Context, *core.Call, core.Response) (core.Response, error) {
	body := encode(Success{true, message})
	return func(_ context.Context, _ *core.Call, res core.Response) (core.Response, error) {
		res.Body = body
		return res, nil
	}
}

// changedPassword gives new tokens where the session was replaced by another.
func (p *Plugin) changedPassword(ctx context.Context, c *core.Call, res core.Response) (core.Response, error) {
	res.Body = encode(Success{Success: true})
	return p.withTokens(ctx, c, res)
}

func capability(_ context.Context, _ *core.Call, res core.Response) (core.Response, error) {
	var in struct {
		Available, Conditional bool
		RPID                   string `json:"rpId"`
	}
	if err := json.Unmarshal(res.Body, &in); err != nil {
		return res, err
	}
	res.Body = encode(struct {
		Enabled     bool   `json:"enabled"`
		Conditional bool   `json:"conditionalUIAvailable"`
		RPID        string `json:"rpId"`
	}{in.Available, in.Conditional, in.RPID})
	return res, nil
}

// Profile is the answer of PATCH /api/v1/me/profile.
type Profile struct {
	Name     string  `json:"name"`
	Image    *string `json:"image"`
	RealName bool    `json:"feedbackShowRealName"`
}

func (p *Plugin) profiled(ctx context.Context, c *core.Call, res core.Response) (core.Response, error) {
	_, u := c.Session()
	now, err := p.host.UserByID(ctx, p.host.DB(), u.ID)
	if err != nil {
		return res, err
	}
	if now == nil {
		return res, core.ErrUnauthorized
	}
	shown, _ := now.Extra["feedbackShowRealName"].(bool)
	res.Body = encode(Profile{now.Name, now.Image, shown})
	return res, nil
}
