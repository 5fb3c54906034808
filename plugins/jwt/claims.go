package jwt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// registered are the claims that no user, field or payload can set.
var registered = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "sid"}

func isRegistered(name string) bool { return slices.Contains(registered, name) }

// member is one member of a JSON object.
type member struct {
	name string
	raw  json.RawMessage
}

// members lists the members of an object in order.
func members(object []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("jwt: no JSON object")
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)}
		if err := d.Decode(&m.raw); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// userFields are the fields of a user that clients see.
func userFields(h *core.Host) ([]string, error) {
	u, err := h.NewUser("", "", nil)
	if err != nil {
		return nil, err
	}
	raw, err := u.MarshalJSON()
	if err != nil {
		return nil, err
	}
	list, err := members(raw)
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = m.name
	}
	return out, err
}

// appendJSON writes a value without escaping HTML, as JavaScript does.
func appendJSON(b []byte, v any) ([]byte, error) {
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), nil
}

func appendMember(b []byte, name string, value any) ([]byte, error) {
	b, err := appendJSON(append(b, ','), name)
	if err != nil {
		return nil, err
	}
	return appendJSON(append(b, ':'), value)
}

// tail is what every token ends in.
func tail(issuer string, audience []string) ([]byte, error) {
	b, err := appendMember(nil, "iss", issuer)
	if err != nil {
		return nil, err
	}
	if len(audience) == 1 {
		b, err = appendMember(b, "aud", audience[0])
	} else {
		b, err = appendMember(b, "aud", audience)
	}
	return append(b, '}'), err
}

// claims writes the claims of a session's token, in Better Auth's order: iat, the payload,
// sub, exp, iss, aud.
func (p *Plugin) claims(ctx context.Context, a *core.SessionAnswer, now time.Time) ([]byte, error) {
	user, err := a.User.MarshalJSON()
	if err != nil {
		return nil, err
	}
	iat := now.Unix()
	b := strconv.AppendInt(append(make([]byte, 0, len(user)+len(p.tail)+128), `{"iat":`...), iat, 10)
	if b, err = p.payload(ctx, b, a, user); err != nil {
		return nil, err
	}
	sub, err := p.subject(ctx, a, user)
	if err != nil {
		return nil, err
	}
	if b, err = appendMember(b, "sub", sub); err != nil {
		return nil, err
	}
	b = strconv.AppendInt(append(b, `,"exp":`...), iat+int64(p.o.ExpirationTime), 10)
	return append(b, p.tail...), nil
}

// payload writes what is configured of the user or by the app.
func (p *Plugin) payload(ctx context.Context, b []byte, a *core.SessionAnswer, user []byte) ([]byte, error) {
	switch {
	case p.o.PayloadFunc != nil:
		own, err := p.o.PayloadFunc(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("jwt: payload: %w", err)
		}
		for _, name := range slices.Sorted(maps.Keys(own)) {
			if isRegistered(name) {
				p.once(name, func() { p.host.Log().Warn("the payload sets a registered claim, which is left out", "claim", name) })
				continue
			}
			if b, err = appendMember(b, name, own[name]); err != nil {
				return nil, fmt.Errorf("jwt: payload: %w", err)
			}
		}
		return b, nil
	case p.o.Payload == nil && !p.reserved:
		return append(append(b, ','), user[1:len(user)-1]...), nil
	}
	list, err := members(user)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if isRegistered(m.name) || p.o.Payload != nil && !slices.Contains(p.o.Payload, m.name) {
			continue
		}
		if b, err = appendMember(b, m.name, m.raw); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// subject is the claim sub.
func (p *Plugin) subject(ctx context.Context, a *core.SessionAnswer, user []byte) (string, error) {
	if p.o.SubjectFunc != nil {
		sub, err := p.o.SubjectFunc(ctx, a)
		if err == nil && sub == "" {
			err = errors.New("empty")
		}
		if err != nil {
			return "", fmt.Errorf("jwt: subject: %w", err)
		}
		return sub, nil
	}
	if p.o.Subject == "id" {
		return a.User.ID, nil
	}
	list, err := members(user)
	if err != nil {
		return "", err
	}
	for _, m := range list {
		var sub string
		if m.name == p.o.Subject && json.Unmarshal(m.raw, &sub) == nil && sub != "" {
			return sub, nil
		}
	}
	return "", fmt.Errorf("jwt: subject: the user's %s holds no text", p.o.Subject)
}
