package core

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/internal/input"
)

// Alias is a second way to an endpoint, for clients of another API. Only the forms of
// request and answer are other ones: origin check, limits, hooks, access, lockout and the
// kinds of failure are the endpoint's own, so that it is no weaker way in.
type Alias struct {
	Method string // one method
	// Path is absolute, for instance "/api/v1/auth/login". ":name" is a parameter, which
	// Request may use.
	Path string
	// Target names the endpoint as it was declared, "METHOD /path", whichever plugin serves
	// it. Endpoint.Alias sets it.
	Target string
	// Absent is the answer where no plugin serves Target. nil: then nothing starts.
	Absent *Error
	// Request changes what was sent before it is validated. nil keeps it.
	Request func(*Call, *AliasInput) error
	// Response changes the answer, before the call's headers and cookies are added to it: what
	// it does with these has effect. Failures do not get here, challenges do. Its error is
	// the answer, in the place of one that has already done its work. nil keeps it.
	Response func(context.Context, *Call, Response) (Response, error)
	// Failure writes failures in a form of the alias's own. nil: that of the path's Envelope,
	// or core's. The failure's headers are added.
	Failure func(Failure) Response
}

// AliasInput is what came in by an alias.
type AliasInput struct {
	Body  map[string]json.RawMessage // members of the body, which is JSON or not there
	Query url.Values
	Path  map[string]string // parameters of Alias.Path
}

// Set sets a member of the body to a text.
func (in *AliasInput) Set(member, text string) {
	raw, err := json.Marshal(text)
	if err != nil {
		panic("core: a text has no JSON: " + err.Error())
	}
	in.Body[member] = raw
}

// Text returns a member of the body that is a text; ok is false for any other.
func (in *AliasInput) Text(member string) (text string, ok bool) {
	raw := in.Body[member]
	return text, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil
}

// Envelope is the form of every failure at and below a prefix, for an API of another form:
// those of aliases, of absolute endpoints, and of paths that are none.
type Envelope struct {
	// Prefix is absolute and ends in a slash. Of several that fit, the longest counts.
	Prefix string
	// Owns answers every unknown path below Prefix with NOT_FOUND. Without it, they are the
	// app's.
	Owns bool
	// Write makes the answer. The failure's headers (Retry-After) are added to it.
	Write func(Failure) Response
}

func (b *compiler) envelopes() {
	r := b.h.router
	for _, s := range b.h.specs {
		for _, e := range s.Envelopes {
			switch {
			case !strings.HasPrefix(e.Prefix, "/") || !strings.HasSuffix(e.Prefix, "/") || len(e.Prefix) < 2 || e.Write == nil:
				b.fault("plugin %s: envelope %q: want a prefix with a slash at both ends, and Write", s.ID, e.Prefix)
			case slices.ContainsFunc(r.envelope, func(o *Envelope) bool { return o.Prefix == e.Prefix }):
				b.fault("plugin %s: envelope %s: there is one already", s.ID, e.Prefix)
			case r.prefix != "" && (r.below(e.Prefix) || strings.HasPrefix(r.prefix+"/", e.Prefix)):
				b.fault("plugin %s: envelope %s: it holds the base path, or is below it", s.ID, e.Prefix)
			}
			r.envelope = append(r.envelope, &e)
		}
	}
	slices.SortFunc(r.envelope, func(x, y *Envelope) int { return len(y.Prefix) - len(x.Prefix) })
	for _, ep := range b.h.list {
		ep.envelope = r.envelopeOf(ep.pattern)
	}
}

// aliases are added when every hook is in place. One of an endpoint that is switched off is
// not served either.
func (b *compiler) aliases() {
	for _, ep := range b.h.list {
		if ep.access == ServerOnly && len(ep.aliases) > 0 {
			b.fault("plugin %s: %s has an alias, and is for calls from Go alone", ep.owner, ep.path)
			continue
		}
		for i := range ep.aliases {
			b.alias(ep.owner, ep, &ep.aliases[i])
		}
	}
	for _, s := range b.h.specs {
		for _, a := range s.Aliases {
			ep := b.target(a.Target)
			switch {
			case ep == nil && a.Absent == nil:
				b.fault("plugin %s: alias %s %s leads to %q, which no plugin serves", s.ID, a.Method, a.Path, a.Target)
				continue
			case ep == nil:
				ep = absentEndpoint(s.ID, a.Absent)
			default:
				ep.aliases = append(slices.Clone(ep.aliases), a)
			}
			b.alias(s.ID, ep, &a)
		}
	}
}

func (b *compiler) alias(owner string, ep *endpoint, a *Alias) {
	if !methodForm.MatchString(a.Method) || !strings.HasPrefix(a.Path, "/") || strings.ContainsAny(a.Path, "?#% \\") || strings.Contains(a.Path, "//") {
		b.fault("plugin %s: alias %s %s: want an upper-case method and a plain absolute path", owner, a.Method, a.Path)
		return
	}
	if ep.disabled {
		return
	}
	c := *ep // with its hooks
	c.alias, c.pattern, c.envelope = a, a.Path, b.h.router.envelopeOf(a.Path)
	if a.Failure != nil {
		c.envelope = &Envelope{Write: a.Failure}
	}
	if old := b.h.router.add(&c); old != nil {
		b.fault("plugin %s: alias %s is taken by %s", owner, a.Path, old.owner)
	}
}

// target finds an endpoint that has an HTTP route.
func (b *compiler) target(name string) *endpoint {
	method, path, _ := strings.Cut(name, " ")
	for _, ep := range b.h.list {
		if ep.path == path && slices.Contains(ep.methods, method) && ep.access != ServerOnly {
			return ep
		}
	}
	return nil
}

// absentEndpoint says no for an endpoint that is not there.
func absentEndpoint(owner string, e *Error) *endpoint {
	ep := NewRoute[None, None]("GET /absent", Public).Handle(func(context.Context, *Call, None) (None, error) { return None{}, e }).ep
	ep.owner = owner
	ep.decoder, _ = input.Compile(ep.in) // of a struct without fields: it cannot fail
	return ep
}

// Alias returns the path of the alias that the request came by, as declared, or "".
func (c *Call) Alias() string {
	if c.ep.alias == nil {
		return ""
	}
	return c.ep.alias.Path
}

// Below tells whether the request's own path, be it an alias, is below a prefix.
func (c *Call) Below(prefix string) bool {
	return c.http && strings.HasPrefix(c.ep.pattern, prefix)
}

// BodyText returns a member of the request's body as it was sent; ok is false where it is
// no text. It is for hooks: a handler has its input.
func (c *Call) BodyText(member string) (text string, ok bool) {
	text, ok, _ = c.values.BodyString(member)
	return text, ok
}

// mapped lets an alias change what was sent. The request has been read as one that came
// without it, so that nothing gets past that would be refused there.
func (c *Call) mapped(src input.Source) (input.Source, error) {
	if _, err := input.Parse(src); err != nil {
		return src, err
	}
	in := AliasInput{Body: map[string]json.RawMessage{}, Path: map[string]string{}}
	if src.HasBody && (json.Unmarshal(src.Body, &in.Body) != nil || in.Body == nil) {
		return src, nil // no object: the endpoint refuses it
	}
	var err error
	if in.Query, err = url.ParseQuery(strings.Clone(src.Query)); err != nil {
		return src, ErrBadRequest.WithMessage("Invalid character in query")
	}
	for part := range strings.SplitSeq(c.ep.alias.Path, "/") {
		if name, ok := strings.CutPrefix(part, ":"); ok && src.Param != nil {
			in.Path[name], _ = src.Param(name)
		}
	}
	if err := c.ep.alias.Request(c, &in); err != nil {
		return src, err
	}
	src.Query = in.Query.Encode()
	src.Param = func(name string) (string, bool) { v, ok := in.Path[name]; return v, ok }
	if src.HasBody || len(in.Body) > 0 {
		src.Body, err = json.Marshal(in.Body)
		src.HasBody, src.ContentType = true, "application/json"
	}
	return src, err
}

// refuse writes a failure; a nil envelope is core's own form.
func (e *Envelope) refuse(f Failure) Response {
	if e == nil {
		return errorResponse(f.Error)
	}
	res := e.Write(f)
	res.Header = append(res.Header, f.header...)
	return res
}
