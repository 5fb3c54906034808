package i18n_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/i18n"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type request struct{ language, cookie, field string }

func (r request) Header(name string) string {
	return map[string]string{"Accept-Language": r.language, "Cookie": r.cookie}[name]
}
func (r request) UserField(string) string { return r.field }

func TestLanguage(t *testing.T) {
	texts := map[string]map[string]string{"en": {"C": "en"}, "de": {"C": "de"}, "fr": {"C": "fr"}, "pt-BR": {"C": "pt-BR"}}
	ways := func(list ...string) i18n.Options {
		return i18n.Options{OwnOnly: true, Translations: texts, Detection: list}
	}
	for _, tt := range []struct {
		o    i18n.Options
		r    request
		want string
	}{
		{ways(), request{}, "en"},
		{ways(), request{language: "de-CH, fr;q=0.9"}, "de"},
		{ways(), request{language: "fr;q=0.2, it, de;q=0.8"}, "de"},
		{ways(), request{language: "DE"}, "de"},
		{ways(), request{language: "pt-br"}, "pt-BR"},
		{ways(), request{language: "pt"}, "en"},
		{ways(), request{language: "de;q=0, fr;q=0.1"}, "fr"},
		{ways(), request{language: "de;q=NaN, de;q=2, de;q=-1, de;q=x"}, "en"},
		{ways(), request{language: strings.Repeat("xx,", 100) + "de"}, "en"}, // beyond what is read
		{ways(), request{language: "\x00\xff, <script>, de_DE"}, "en"},
		{ways(), request{cookie: "locale=de", field: "fr"}, "en"}, // not asked
		{ways("cookie"), request{language: "fr", cookie: "a=b; locale=de; c"}, "de"},
		{ways("cookie"), request{cookie: "xlocale=de"}, "en"},
		{ways("cookie"), request{cookie: `locale="de"`}, "de"},
		{ways("cookie"), request{cookie: "locale=%64e"}, "de"},
		{ways("cookie"), request{cookie: "locale=" + strings.Repeat("x", 20<<10)}, "en"},
		{ways("session", "cookie", "header"), request{"fr", "locale=de", "pt-BR"}, "pt-BR"},
		{ways("session", "cookie", "header"), request{"fr", "locale=de", "it"}, "de"},
		{ways("session", "cookie", "header"), request{"fr", "locale=it", ""}, "fr"},
		{i18n.Options{OwnOnly: true, Translations: texts, DefaultLocale: "fr"}, request{language: "it"}, "fr"},
	} {
		if got := i18n.New(tt.o).Translate("C", tt.r); got != tt.want {
			t.Errorf("%v %.80q gives %q, want %q", tt.o.Detection, tt.r, got, tt.want)
		}
	}
}

func TestTexts(t *testing.T) {
	const code = "INVALID_PASSWORD"
	de := request{language: "de"}
	ours := i18n.New(i18n.Options{})
	if got := ours.Translate(code, de); got != "Das Passwort stimmt nicht." {
		t.Errorf("ours: %q", got)
	}
	if got := ours.Translate(code, request{}) + ours.Translate("NOBODYS", de); got != "" {
		t.Errorf("no text, and yet %q", got)
	}
	more := i18n.New(i18n.Options{Translations: map[string]map[string]string{"de": {code: "Nein."}, "nl": {code: "Nee."}}})
	if got := more.Translate(code, de) + more.Translate(code, request{language: "nl"}) + more.Translate("INVALID_EMAIL", de); got != "Nein.Nee.Das ist keine gültige E-Mail-Adresse." {
		t.Errorf("ours and theirs: %q", got)
	}
	if got := ours.Translate(code, de); got != "Das Passwort stimmt nicht." {
		t.Errorf("one plugin's options are another's: %q", got)
	}
	only := i18n.New(i18n.Options{OwnOnly: true, Translations: map[string]map[string]string{"de": {code: "Nein."}}})
	if got := only.Translate("INVALID_EMAIL", de); got != "" {
		t.Errorf("theirs alone: %q", got)
	}
}

func TestFaults(t *testing.T) {
	for want, o := range map[string]i18n.Options{
		`detection: "callback"`:      {Detection: []string{"callback"}},
		"ownOnly":                    {OwnOnly: true},
		`no texts in "nl"`:           {DefaultLocale: "nl"},
		`"de_DE" is no language tag`: {Translations: map[string]map[string]string{"de_DE": {}}},
	} {
		if list := i18n.New(o).Spec().Faults; len(list) != 1 || !strings.Contains(list[0].Error(), want) {
			t.Errorf("faults %v, want %q", list, want)
		}
	}
}

// door makes users and says no, for tests.
type door struct{}

type person struct {
	Name string `json:"name"`
}

var (
	join   = core.NewRoute[person, *core.User]("POST /join", core.Public)
	refuse = core.NewRoute[core.None, core.None]("GET /refuse", core.Public)
	errNo  = core.NewError("INVALID_PASSWORD", 403, "No")
)

func (door) Spec() core.Spec {
	var h *core.Host
	return core.Spec{ID: "door", Init: func(_ context.Context, host *core.Host) error { h = host; return nil },
		Endpoints: []core.Endpoint{
			join.Handle(func(ctx context.Context, c *core.Call, in person) (*core.User, error) {
				u, err := h.NewUser(in.Name, in.Name+"@example.com", nil)
				if err != nil {
					return nil, err
				}
				return u, h.CreateUser(ctx, nil, c, u, "test", "")
			}),
			refuse.Handle(func(context.Context, *core.Call, core.None) (core.None, error) {
				return core.None{}, errNo.WithMember("tries", []byte("3")).WithHeader("Retry-After", "9")
			}),
		}}
}

func harness(t testing.TB, config func(*core.Config), plugins ...core.Plugin) *plugintest.Harness {
	t.Helper()
	return plugintest.New(t, plugintest.Options{Plugins: append([]core.Plugin{door{}}, plugins...), Config: config})
}

func ask(c *plugintest.Client, method, path, language string, body any) *plugintest.Answer {
	return c.Do(plugintest.Request{Method: method, Path: path, Body: body, Header: map[string]string{"accept-language": language}})
}

func TestAnswer(t *testing.T) {
	h := harness(t, nil, i18n.New(i18n.Options{}))
	a := ask(h.Client(), "GET", "/refuse", "de", nil).WantCode(403, "INVALID_PASSWORD")
	if got := string(a.Body); got != `{"message":"Das Passwort stimmt nicht.","code":"INVALID_PASSWORD","originalMessage":"No","tries":3}` || a.Value("Retry-After") != "9" {
		t.Errorf("%s %v", got, a.Header)
	}
	if got := string(ask(h.Client(), "GET", "/refuse", "en", nil).Body); got != `{"message":"No","code":"INVALID_PASSWORD","tries":3}` {
		t.Error(got)
	}
	if log := h.Logs.String(); strings.Contains(log, "Passwort") {
		t.Errorf("the log speaks German: %s", log)
	}
}

// library has an API of another form.
type library struct{}

func (library) Spec() core.Spec {
	return core.Spec{ID: "library",
		Envelopes: []core.Envelope{{Prefix: "/v1/", Owns: true, Write: func(f core.Failure) core.Response {
			return core.Response{Status: f.Status, Body: []byte(f.Code + ": " + f.Message)}
		}}},
		Aliases: []core.Alias{{Method: "GET", Path: "/v1/refuse", Target: "GET /refuse"}}}
}

// TestEnvelope: answers of another form are translated, and those to unknown paths.
func TestEnvelope(t *testing.T) {
	h := harness(t, nil, library{}, i18n.New(i18n.Options{}))
	for path, want := range map[string]string{
		"/v1/refuse": "INVALID_PASSWORD: Das Passwort stimmt nicht.", "/v1/nowhere": "NOT_FOUND: Das wurde nicht gefunden.",
	} {
		if got := string(ask(h.Client(), "GET", path, "de", nil).Body); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// broken is a translator that panics.
type broken struct{}

func (broken) Translate(string, contract.Reader) string { panic("no words") }
func (b broken) Spec() core.Spec {
	return core.Spec{ID: "broken", Provides: []core.Service{core.Provide[contract.Translator](b)}}
}

func TestTranslatorThatPanics(t *testing.T) {
	h := harness(t, nil, broken{})
	if got := ask(h.Client(), "GET", "/refuse", "de", nil).WantCode(403, "INVALID_PASSWORD").Text("message"); got != "No" {
		t.Error(got)
	}
	if !strings.Contains(h.Logs.String(), "translating an error failed") {
		t.Error("nobody hears of it")
	}
}

func TestField(t *testing.T) {
	h := harness(t, nil, i18n.New(i18n.Options{}))
	c := h.SignUp("alice@example.com")
	set := func(v any) *plugintest.Answer { return c.Post("/update-user", plugintest.M{"locale": v}) }
	for _, tag := range []string{"de", "de-CH-1996", "zh-Hant-TW", strings.Repeat("abcdefgh-", 3) + "abcdefgh"} {
		set(tag).Want(200)
		if got := c.Get("/get-session").Text("user.locale"); got != tag {
			t.Errorf("%q is read as %q", tag, got)
		}
	}
	for _, bad := range []any{"", "d", "de_DE", "de,fr", "de;q=1", "de-", "<de>", "de\n", strings.Repeat("abcdefgh-", 4) + "a", 7, []string{"de"}} {
		set(bad).WantCode(400, "VALIDATION_ERROR")
	}
	set(nil).Want(200)
	if got := c.Get("/get-session").Get("user.locale"); got != nil {
		t.Errorf("unset, and yet %v", got)
	}
}

// TestFieldOfTheApp: a field of that name that the app has stays the app's.
func TestFieldOfTheApp(t *testing.T) {
	no := false
	h := harness(t, func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "locale", Type: "string", Returned: &no}}
	}, i18n.New(i18n.Options{}))
	c := h.SignUp("alice@example.com")
	c.Post("/update-user", plugintest.M{"locale": "de_DE"}).Want(200)
	var answer struct{ User map[string]json.RawMessage }
	c.Get("/get-session").Into(&answer)
	if _, shown := answer.User["locale"]; shown || len(answer.User) == 0 {
		t.Errorf("the app hides it: %v", answer.User)
	}
}

func TestRememberAtSignUp(t *testing.T) {
	for _, on := range []bool{false, true} {
		h := harness(t, nil, i18n.New(i18n.Options{RememberAtSignUp: on}))
		for name, header := range map[string]string{"ada": "*, fr;q=0.4, de-CH;q=0.9", "bob": "d_e, *", "eve": ""} {
			a := ask(h.Client(), "POST", "/join", header, plugintest.M{"name": name}).Want(200)
			if a.Get("locale") != nil {
				t.Errorf("the answer shows it: a sign-up with a known address would not: %s", a.Body)
			}
		}
		for _, row := range h.Rows("user") {
			want := h.Rows("user")[0]["image"] // what NULL is written as
			if on && row["name"] == "ada" {
				want = "de-CH"
			}
			if row["locale"] != want {
				t.Errorf("%v: %s has %q, want %q", on, row["name"], row["locale"], want)
			}
		}
	}
}

func TestRules(t *testing.T) {
	plugintest.Check(t, func() core.Plugin { return i18n.New(i18n.Options{RememberAtSignUp: true}) }, plugintest.Options{})
}

func FuzzTranslate(f *testing.F) {
	f.Add("fr-CH, fr;q=0.9, en;q=0.8", "locale=de", "it")
	p := i18n.New(i18n.Options{Detection: []string{"session", "cookie", "header"}})
	f.Fuzz(func(t *testing.T, language, cookie, field string) {
		p.Translate("INVALID_PASSWORD", request{language, cookie, field})
	})
}
