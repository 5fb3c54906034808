package v1

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// Event is a security event by the names of the earlier system.
type Event struct {
	ID        string            `json:"id"`
	UserID    string            `json:"userId"`
	Type      string            `json:"eventType"`
	IPAddress *string           `json:"ipAddress"`
	UserAgent *string           `json:"userAgent"`
	Metadata  map[string]string `json:"metadata"`
	CreatedAt string            `json:"createdAt"`
}

// eventLimit takes more than a page holds for a whole page.
func eventLimit(_ *core.Call, in *core.AliasInput) error {
	if n, err := strconv.Atoi(in.Query.Get("limit")); err == nil && n > 100 {
		in.Query.Set("limit", "100")
	}
	return nil
}

// events answers with a list, newest first, as it was before there were pages.
func (p *Plugin) events(_ context.Context, c *core.Call, res core.Response) (core.Response, error) {
	var in struct {
		Events []struct {
			ID, Type, CreatedAt  string
			IPAddress, UserAgent *string
			Detail               map[string]string
		}
	}
	if err := json.Unmarshal(res.Body, &in); err != nil {
		return res, err
	}
	_, u := c.Session()
	out := make([]Event, len(in.Events))
	for i, e := range in.Events {
		out[i] = Event{e.ID, u.ID, p.legacy(e.Type, e.Detail["methods"]), e.IPAddress, e.UserAgent, e.Detail, e.CreatedAt}
	}
	res.Body = encode(out)
	return res, nil
}

// passkeySignIn is a name that the earlier system had for some of what is EventSignIn here.
const passkeySignIn = "PASSKEY_LOGIN_SUCCESS"

// legacy is what the earlier system called a type of event, and methods tell a passkey from
// a password. An event that it did not have has its own name in that form.
func (p *Plugin) legacy(name, methods string) string {
	// RFC 8176: a key in hardware or in software. Only passkeys are such a proof.
	if first, _, _ := strings.Cut(methods, ","); name == core.EventSignIn && (first == "hwk" || first == "swk") {
		return passkeySignIn
	}
	if t, _ := p.host.EventType(name); t.Legacy != "" {
		return t.Legacy
	}
	return strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(name))
}
