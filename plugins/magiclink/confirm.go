package magiclink

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"html/template"

	"github.com/sallyport-auth/sallyport/core"
)

// Confirm is the form of the page that ConfirmOnPost shows.
var Confirm = core.NewRoute[ConfirmInput, VerifyAnswer]("POST /magic-link/verify", core.Public, core.Form, core.Login,
	core.Callback("callbackURL", "newUserCallbackURL", "errorCallbackURL"))

// ConfirmInput is the input of Confirm.
type ConfirmInput struct {
	Token              string  `json:"token"`
	CallbackURL        *string `json:"callbackURL"`
	ErrorCallbackURL   *string `json:"errorCallbackURL"`
	NewUserCallbackURL *string `json:"newUserCallbackURL"`
	Confirmation       string  `json:"confirmation"`
}

// showPage answers with the page, and binds its form to the browser by a cookie.
func (p *Plugin) showPage(ctx context.Context, c *core.Call, in VerifyInput) error {
	valid := len(in.Token) <= maxToken
	if valid {
		identifier, err := p.identifier(in.Token)
		if err != nil {
			return err
		}
		if _, valid, err = p.host.PeekVerification(ctx, p.host.DB(), identifier); err != nil {
			return err
		}
	}
	if !valid {
		p.refuse(c, in, core.ErrInvalidToken, false)
		return nil
	}
	cookie := p.host.Cookie("magic_link", p.life())
	nonce, ok := c.Signed(cookie) // kept, so that two open pages both work
	if !ok {
		var err error
		if nonce, err = p.host.RandomString(core.Alphanumeric, 32); err != nil {
			return err
		}
	}
	c.SetSigned(cookie, nonce, false)
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{"App": p.host.AppName(), "Action": p.host.URL(Confirm.Path()), "Fields": []struct{ Name, Value string }{
		{"token", in.Token}, {"callbackURL", or(in.CallbackURL, "")}, {"errorCallbackURL", or(in.ErrorCallbackURL, "")},
		{"newUserCallbackURL", or(in.NewUserCallbackURL, "")}, {"confirmation", p.confirmation(nonce, in.Token)},
	}})
	if err != nil {
		return err
	}
	c.SetHeader("Cache-Control", "no-store")
	c.AnswerHTML(200, b.Bytes(), p.target(in, false), p.target(in, true), or(in.ErrorCallbackURL, ""))
	return nil
}

func (p *Plugin) confirm(ctx context.Context, c *core.Call, in ConfirmInput) (VerifyAnswer, error) {
	link := VerifyInput{in.Token, in.CallbackURL, in.ErrorCallbackURL, in.NewUserCallbackURL}
	cookie := p.host.Cookie("magic_link", p.life())
	nonce, ok := c.Signed(cookie)
	if !ok || !hmac.Equal([]byte(p.confirmation(nonce, in.Token)), []byte(in.Confirmation)) {
		p.refuse(c, link, ErrConfirmationFailed, false)
		return VerifyAnswer{}, nil
	}
	return p.follow(ctx, c, link)
}

// confirmation ties a page's form to one browser and one link.
func (p *Plugin) confirmation(nonce, token string) string {
	return base64.RawURLEncoding.EncodeToString(p.host.MAC("magic-link confirmation", []byte(nonce), []byte(token)))
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Sign in · {{.App}}</title>
<style>:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}body{max-width:24rem;margin:15vh auto 0;padding:0 1.5rem}
h1{font-size:1.5rem}:focus-visible{outline:3px solid;outline-offset:2px}button{font:inherit;padding:.6rem 1.2rem;width:100%;cursor:pointer}</style></head>
<body><main><h1>Sign in to {{.App}}</h1><p>You followed a link that signs you in. It works once.</p>
<form method="post" action="{{.Action}}">{{range .Fields}}{{if .Value}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}{{end}}
<button>Sign in</button></form></main></body></html>
`))
