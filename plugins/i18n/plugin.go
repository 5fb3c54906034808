package i18n

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// ID is the plugin's name in the config file.
const ID = "i18n"

// Options configure the plugin. The zero value is a good one.
type Options struct {
	// DefaultLocale is the language for those who ask for none that there is. Default: en.
	DefaultLocale string `yaml:"defaultLocale"`
	// Detection lists the ways to find the language, the first that finds one counts:
	// "header", "cookie", "session". The last finds the user's own choice, at routes that
	// need a session. Default: header.
	Detection []string `yaml:"detection"`
	// LocaleCookie is the cookie's name. Default: locale.
	LocaleCookie string `yaml:"localeCookie"`
	// UserLocaleField is the user's field that holds their language. Messages go by "locale"
	// alone. Default: locale.
	UserLocaleField string `yaml:"userLocaleField"`
	// Translations are texts by language and code, beside ours and before them.
	Translations map[string]map[string]string `yaml:"translations"`
	// OwnOnly leaves our texts out: translations are all that there is.
	OwnOnly bool `yaml:"ownOnly"`
	// RememberAtSignUp keeps the browser's first language as that of a new user who has not
	// chosen one.
	RememberAtSignUp bool `yaml:"rememberAtSignUp"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct {
	o      Options
	texts  map[string]map[string]string // by language and code
	faults []error
}

// New makes the plugin. Faults of the options keep it from starting.
func New(o Options) *Plugin {
	p := &Plugin{o: o, texts: map[string]map[string]string{}}
	or := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	or(&p.o.DefaultLocale, "en")
	or(&p.o.LocaleCookie, "locale")
	or(&p.o.UserLocaleField, "locale")
	if len(o.Detection) == 0 {
		p.o.Detection = []string{"header"}
	}
	for _, way := range o.Detection {
		if !slices.Contains([]string{"header", "cookie", "session"}, way) {
			p.fault("detection: %q: want header, cookie or session", way)
		}
	}
	if o.OwnOnly && len(o.Translations) == 0 {
		p.fault("ownOnly: there are no translations")
	}
	if !o.OwnOnly {
		p.texts = ours()
	}
	for locale, texts := range o.Translations {
		if !tagForm.MatchString(locale) {
			p.fault("translations: %q is no language tag (like de or pt-BR)", locale)
		}
		if p.texts[locale] == nil {
			p.texts[locale] = map[string]string{}
		}
		maps.Copy(p.texts[locale], texts)
	}
	if p.texts[p.o.DefaultLocale] == nil && !o.OwnOnly {
		p.fault("defaultLocale: there are no texts in %q", p.o.DefaultLocale)
	}
	return p
}

func (p *Plugin) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	s := core.Spec{
		ID:     ID,
		Faults: p.faults,
		UserFields: []core.UserField{{
			Extra: core.Extra{Name: p.o.UserLocaleField, Type: "string"}, Check: checkTag,
		}},
		Features: map[string]any{"locales": slices.Sorted(maps.Keys(p.texts)), "userLocaleField": p.o.UserLocaleField},
		Provides: []core.Service{core.Provide[contract.Translator](p)},
	}
	if p.o.RememberAtSignUp {
		s.Hooks = append(s.Hooks, core.UserCreate.After(p.remember))
	}
	return s
}

// tagForm is the form of a language tag (RFC 5646, section 2.1), without its registry.
var tagForm = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

const maxTag = 35 // characters: RFC 5646, section 4.4.1

// checkTag says what is wrong with a user's choice.
func checkTag(tag string) error {
	if len(tag) > maxTag || !tagForm.MatchString(tag) {
		return fmt.Errorf("expected a language tag of at most %d characters", maxTag)
	}
	return nil
}

// remember writes the browser's first language into the new user's row, and leaves the user
// that is answered alone: a sign-up with a known address could be told by it.
func (p *Plugin) remember(ctx context.Context, e *core.UserCreateEvent) error {
	field := p.o.UserLocaleField
	if e.Call == nil || e.User.Extra[field] != nil {
		return nil
	}
	for _, tag := range contract.LanguageTags(e.Call.AcceptLanguage()) {
		if checkTag(tag) == nil {
			_, err := e.Tx.Exec(ctx, "UPDATE {user=} SET {user:"+field+"} = ? WHERE {user:id} = ?", tag, e.User.ID)
			return err
		}
	}
	return nil
}
