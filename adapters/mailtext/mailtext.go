package mailtext

import (
	"bytes"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// ErrUnknownTemplate is wrapped by the error for a template that no source has; the
// error names it.
var ErrUnknownTemplate = errors.New("unknown template")

// maxSubject is in characters.
const maxSubject = 255

// Options choose the texts. The zero value is the built-in texts without the app's name.
type Options struct {
	// AppName is what the mails call the app, for instance "Acme Notes"; one line, at
	// most 100 characters. Default: empty, and the mails name no app.
	AppName string `yaml:"appName"`
	// Language is what recipients get of whom nothing is known, or who read none that the
	// message is written in, for instance "de". The app's own templates without a language in
	// their file's name are in it. Default "en".
	Language string `yaml:"language"`
	// Dir is a folder whose templates replace or add to the built-in ones. It is read
	// once, by New. Default: none.
	Dir string `yaml:"dir"`
	// Templates are sources of templates, for instance an app's embed.FS. They come
	// before Dir, earlier before later, and all before the built-in texts.
	Templates []fs.FS `yaml:"-"`
	// Defaults are texts like the built-in ones, behind all others: those of plugins
	// (core.Auth.MailTemplates), for who renders messages that did not come through core.
	Defaults []contract.MailTemplate `yaml:"-"`
}

// Mail is a rendered message. It holds live secrets, as [contract.Message] does.
type Mail struct {
	Subject string // one line, at most 255 characters, not encoded
	Text    string // plain text; lines end in "\n"
	HTML    string // a whole HTML document
}

// View is what a template sees. All values are single lines without control characters;
// see the package's Threats.
type View struct {
	App      string            // Options.AppName
	Language string            // of the text, for instance "de"
	Subject  string            // the rendered subject; empty within the subject itself
	To       string            // the recipient's address
	Name     string            // the user's name, or empty if there is none that is safe
	Email    string            // the user's address
	UserID   string            // the user's id
	NewEmail string            // the wanted address in "change-email"
	URL      string            // the link: absolute, http or https
	Token    string            // the secret inside URL
	OTP      string            // the code to type
	Data     map[string]string // Message.Data; naming an absent key is an error
	// User is Name, Email and UserID once more, by the names that a Message has for them.
	User contract.MessageUser
}

// Renderer renders messages. It may be used from several goroutines at once.
type Renderer struct {
	app, language, layout string
	own, built            map[string]*languages // by template
	brought               cache
}

// template is one parsed NAME.txt and NAME.html.
type template struct {
	language      string
	variables     []string
	subject, text *texttemplate.Template
	html          *htmltemplate.Template
}

// New reads and parses every template. It returns an error, naming the file, for one
// that cannot be read or parsed, that has no subject, or that has a text without its HTML
// or the other way round; and for an AppName that breaks its limits.
func New(o Options) (*Renderer, error) {
	if Line(o.AppName) != o.AppName || utf8.RuneCountInString(o.AppName) > maxName {
		return nil, fmt.Errorf("mailtext: appName must be one line of at most %d characters", maxName)
	}
	if o.Language == "" {
		o.Language = english
	}
	if (contract.MailTemplate{Name: "x", Language: o.Language}).Check() != nil {
		return nil, fmt.Errorf(`mailtext: language: %q is not a language such as "de"`, o.Language)
	}
	r := &Renderer{app: o.AppName, language: o.Language}
	if err := r.load(o); err != nil {
		return nil, fmt.Errorf("mailtext: %w", err)
	}
	return r, nil
}

// Names returns the templates that can be rendered, sorted.
func (r *Renderer) Names() []string {
	all := maps.Clone(r.built)
	maps.Copy(all, r.own)
	return slices.Sorted(maps.Keys(all))
}

// Languages returns those that a template is written in, sorted; none if there is no such template.
func (r *Renderer) Languages(name string) []string {
	return slices.Sorted(maps.Keys(r.texts(name, nil)))
}

// texts returns a template's texts by language: the app's own over those that the message
// brings over the built-in ones, or the app's alone if it replaced the template as a whole.
func (r *Renderer) texts(name string, brought map[string]*template) map[string]*template {
	own := r.own[name]
	if own != nil && own.whole {
		return own.by
	}
	all := map[string]*template{}
	if built := r.built[name]; built != nil {
		maps.Copy(all, built.by)
	}
	maps.Copy(all, brought)
	if own != nil {
		maps.Copy(all, own.by)
	}
	return all
}

// find chooses the text of a message by what its recipient reads.
func (r *Renderer) find(m contract.Message) (*template, error) {
	brought, err := r.brought.parse(m, r.layout)
	if err != nil {
		return nil, err
	}
	all := r.texts(m.Template, brought)
	if len(all) == 0 {
		// The name comes from a plugin, but %q keeps a log line one line anyway.
		return nil, fmt.Errorf("%w %q", ErrUnknownTemplate, m.Template)
	}
	have := slices.Sorted(maps.Keys(all))
	for _, language := range []string{contract.MatchLanguage(have, m.Language), r.language, english, have[0]} {
		if t := all[language]; t != nil {
			return t, nil
		}
	}
	panic("unreachable: have[0] is there")
}

// cache keeps what was parsed of the texts that messages bring. They are part of the
// program, so there are few.
type cache struct {
	mu   sync.Mutex
	list map[contract.MailTemplate]*template
}

const maxCached = 1000

// parse returns the texts that a message brings by language.
func (c *cache) parse(m contract.Message, layout string) (map[string]*template, error) {
	out := map[string]*template{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range m.Texts {
		if text.Name != m.Template {
			continue
		}
		if text.Language == "" {
			text.Language = english
		}
		t := c.list[text]
		if t == nil {
			var err error
			if t, err = parse(text, layout); err != nil {
				return nil, err
			}
			if c.list == nil || len(c.list) >= maxCached {
				c.list = map[contract.MailTemplate]*template{}
			}
			c.list[text] = t
		}
		out[text.Language] = t
	}
	return out, nil
}

// Render returns m as a mail. Its errors wrap [ErrUnknownTemplate] for a template that
// does not exist, [ErrAddress] for a recipient that is no bare address, or say which part
// of m is missing or beyond the limits (8 KiB for one value, 64 entries of Data). No error
// holds m's URL, Token or OTP.
func (r *Renderer) Render(m contract.Message) (Mail, error) {
	t, err := r.find(m)
	if err != nil {
		return Mail{}, fmt.Errorf("mailtext: %w", err)
	}
	mail, err := r.render(t, m)
	if err != nil {
		return Mail{}, fmt.Errorf("mailtext: template %q: %w", m.Template, withoutSecrets(err, m))
	}
	return mail, nil
}

func (r *Renderer) render(t *template, m contract.Message) (Mail, error) {
	if err := check(m); err != nil {
		return Mail{}, err
	}
	v := r.view(m)
	v.Language = t.language
	subject, err := execute(t.subject, v)
	if err != nil {
		return Mail{}, err
	}
	v.Subject = Line(subject)
	if n := utf8.RuneCountInString(v.Subject); n == 0 || n > maxSubject {
		return Mail{}, fmt.Errorf("the subject is empty or longer than %d characters", maxSubject)
	}
	text, err := execute(t.text, v)
	if err != nil {
		return Mail{}, err
	}
	var html bytes.Buffer
	if err := t.html.Execute(&html, v); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: v.Subject, Text: text, HTML: html.String()}, nil
}

// links are the built-in messages that say nothing without their link.
var links = []string{"verify-email", "reset-password", "change-email", "delete-account"}

// check enforces the limits before anything else looks at m.
func check(m contract.Message) error {
	for _, s := range []string{m.User.ID, m.User.Name, m.User.Email, m.URL, m.Token, m.OTP, m.NewEmail} {
		if len(s) > maxValue {
			return fmt.Errorf("a value is longer than %d bytes", maxValue)
		}
	}
	if len(m.Data) > maxData {
		return fmt.Errorf("data has more than %d entries", maxData)
	}
	for _, s := range m.Data {
		if len(s) > maxValue {
			return fmt.Errorf("a value of data is longer than %d bytes", maxValue)
		}
	}
	if err := CheckAddress(m.To); err != nil {
		return err
	}
	if m.URL == "" && slices.Contains(links, m.Template) {
		return errors.New("the message has no url")
	}
	return checkURL(m.URL)
}

func (r *Renderer) view(m contract.Message) View {
	data := make(map[string]string, len(m.Data))
	for k, s := range m.Data {
		data[k] = Line(s)
	}
	name, email, id := displayName(m.User.Name), Line(m.User.Email), Line(m.User.ID)
	return View{
		App: r.app, To: m.To, URL: m.URL, Data: data,
		Name: name, Email: email, UserID: id, User: contract.MessageUser{ID: id, Name: name, Email: email, Locale: Line(m.User.Locale)},
		NewEmail: Line(m.NewEmail), Token: Line(m.Token), OTP: Line(m.OTP),
	}
}

func execute(t *texttemplate.Template, v View) (string, error) {
	var b strings.Builder
	err := t.Execute(&b, v)
	return b.String(), err
}

// withoutSecrets keeps a template's error, which names the file and line, unless it
// quotes a secret.
func withoutSecrets(err error, m contract.Message) error {
	for _, s := range []string{m.URL, m.Token, m.OTP} {
		if s != "" && strings.Contains(err.Error(), s) {
			return errors.New("rendering failed; the cause is withheld, since it quotes a secret")
		}
	}
	return err
}
