package magiclink

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/base64"

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
	language := c.Language(pageLanguages...)
	err := page.Execute(&b, map[string]any{"Lang": language, "T": pageTexts[language], "App": p.host.AppName(), "Action": p.host.URL(Confirm.Path()), "Fields": []struct{ Name, Value string }{
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
