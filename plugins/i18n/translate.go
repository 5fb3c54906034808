package i18n

import (
	"embed"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/contract"
)

//go:embed texts
var files embed.FS

// ours are our own texts. The English ones are those of the errors themselves.
func ours() map[string]map[string]string {
	out := map[string]map[string]string{"en": {}}
	for _, locale := range []string{"de", "fr", "it", "es"} {
		raw, err := files.ReadFile("texts/" + locale + ".json")
		if err == nil {
			texts := map[string]string{}
			err = json.Unmarshal(raw, &texts)
			out[locale] = texts
		}
		if err != nil {
			panic("i18n: " + err.Error()) // the tests have read it
		}
	}
	return out
}

// Translate implements contract.Translator.
func (p *Plugin) Translate(code string, r contract.Reader) string {
	return p.texts[p.locale(r)][code]
}

// locale is the language that an answer has.
func (p *Plugin) locale(r contract.Reader) string {
	for _, way := range p.o.Detection {
		found := ""
		switch way {
		case "header":
			found = p.match(contract.LanguageTags(r.Header("Accept-Language"))...)
		case "cookie":
			found = p.match(cookie(r.Header("Cookie"), p.o.LocaleCookie))
		case "session":
			found = p.match(r.UserField(p.o.UserLocaleField))
		}
		if found != "" {
			return found
		}
	}
	return p.o.DefaultLocale
}

// match is the first of the tags that there are texts for, as it is or by its primary
// subtag (RFC 4647, section 3.4).
func (p *Plugin) match(tags ...string) string {
	for _, tag := range tags {
		primary, _, _ := strings.Cut(tag, "-")
		for _, t := range [...]string{tag, primary} {
			if p.texts[t] != nil {
				return t
			}
			for have := range p.texts {
				if strings.EqualFold(have, t) {
					return have
				}
			}
		}
	}
	return ""
}

// maxCookie bounds, in bytes, the header that is read.
const maxCookie = 16 << 10

// cookie is the decoded value of a cookie; empty if there is none.
func cookie(header, name string) string {
	if len(header) > maxCookie {
		return ""
	}
	r := http.Request{Header: http.Header{"Cookie": {header}}}
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	if v, err := url.PathUnescape(c.Value); err == nil {
		return v
	}
	return c.Value
}

// Codes lists every code that has a text in some language.
func (p *Plugin) Codes() []string {
	all := map[string]bool{}
	for _, texts := range p.texts {
		for code := range texts {
			all[code] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
