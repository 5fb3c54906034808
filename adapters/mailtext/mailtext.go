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
	texttemplate "text/template"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// ErrUnknownTemplate is wrapped by the error for a template that no source has; the
// error names it.
var ErrUnknownTemplate = errors.New("unknown template")

// maxSubject is in characters.
const maxSubject = 255

// Options choose the texts. The zero value is the built-in English texts without the
// app's name.
type Options struct {
	// AppName is what the mails call the app, for instance "Acme Notes"; one line, at
	// most 100 characters. Default: empty, and the mails name no app.
	AppName string `yaml:"appName"`
	// Dir is a folder whose templates replace or add to the built-in ones. It is read
	// once, by New. Default: none.
	Dir string `yaml:"dir"`
	// Templates are sources of templates, for instance an app's embed.FS. They come
	// before Dir, earlier before later, and all before the built-in texts.
	Templates []fs.FS `yaml:"-"`
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
}

// Renderer renders messages. It does not change after New and may be used from several
// goroutines at once.
type Renderer struct {
	app   string
	texts map[string]*template
}

// template is one parsed NAME.txt and NAME.html.
type template struct {
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
	texts, err := load(o)
	if err != nil {
		return nil, err
	}
	return &Renderer{app: o.AppName, texts: texts}, nil
}

// Names returns the templates that can be rendered, sorted.
func (r *Renderer) Names() []string { return slices.Sorted(maps.Keys(r.texts)) }

// Render returns m as a mail. Its errors wrap [ErrUnknownTemplate] for a template that
// does not exist, [ErrAddress] for a recipient that is no bare address, or say which part
// of m is missing or beyond the limits (8 KiB for one value, 64 entries of Data). No error
// holds m's URL, Token or OTP.
func (r *Renderer) Render(m contract.Message) (Mail, error) {
	t := r.texts[m.Template]
	if t == nil {
		// The name comes from a plugin, but %q keeps a log line one line anyway.
		return Mail{}, fmt.Errorf("mailtext: %w %q", ErrUnknownTemplate, m.Template)
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
	if m.URL == "" && slices.Contains(builtin, m.Template) {
		return errors.New("the message has no url")
	}
	return checkURL(m.URL)
}

func (r *Renderer) view(m contract.Message) View {
	data := make(map[string]string, len(m.Data))
	for k, s := range m.Data {
		data[k] = Line(s)
	}
	return View{
		App: r.app, To: m.To, URL: m.URL, Data: data,
		Name: displayName(m.User.Name), Email: Line(m.User.Email), UserID: Line(m.User.ID),
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
