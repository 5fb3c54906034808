package mailtext

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"os"
	"strings"
	texttemplate "text/template"

	"github.com/sallyport-auth/sallyport/core/contract"
)

//go:embed templates
var embedded embed.FS

// english is the language of texts that come with the program and name none.
const english = "en"

const (
	maxLayout = 256 << 10 // bytes
	// missing makes a template that names an absent key of Data fail, rather than send
	// "<no value>" to a person.
	missing = "missingkey=error"
)

// languages are the texts of one message by language.
type languages struct {
	by map[string]*template
	// whole says that the app replaced the message in all languages.
	whole bool
}

// load reads every template: built holds those of this package and of Options.Defaults, own the app's.
func (r *Renderer) load(o Options) error {
	sources := append([]fs.FS(nil), o.Templates...)
	if o.Dir != "" {
		sources = append(sources, os.DirFS(o.Dir))
	}
	for _, source := range sources {
		if source == nil {
			return errors.New("a source of templates is nil")
		}
	}
	frame, err := fs.Sub(embedded, "templates")
	if err != nil {
		return err
	}
	if r.layout, err = findLayout(append(sources[:len(sources):len(sources)], frame)); err != nil {
		return err
	}
	list, err := contract.ReadMails(frame, ".")
	if err != nil {
		return err
	}
	r.built, r.own = map[string]*languages{}, map[string]*languages{}
	if err := r.add(r.built, append(list, o.Defaults...), english); err != nil {
		return err
	}
	for i := len(sources) - 1; i >= 0; i-- { // earlier ones lie above later ones
		list, err := contract.ReadMails(sources[i], ".")
		if err != nil {
			return err
		}
		for _, t := range list {
			if t.Language == "" { // all languages below it are gone
				r.own[t.Name] = &languages{by: map[string]*template{}, whole: true}
			}
		}
		if err := r.add(r.own, list, r.language); err != nil {
			return err
		}
	}
	return nil
}

// add parses templates into texts. Those that name no language are in base.
func (r *Renderer) add(texts map[string]*languages, list []contract.MailTemplate, base string) error {
	seen := map[[2]string]bool{}
	for _, t := range list {
		if t.Language == "" {
			t.Language = base
		}
		if err := t.Check(); err != nil {
			return err
		}
		if key := [2]string{t.Name, t.Language}; seen[key] {
			return fmt.Errorf("template %q is there twice in the language %q", t.Name, t.Language)
		} else {
			seen[key] = true
		}
		parsed, err := parse(t, r.layout)
		if err != nil {
			return err
		}
		if texts[t.Name] == nil {
			texts[t.Name] = &languages{by: map[string]*template{}}
		}
		texts[t.Name].by[t.Language] = parsed
	}
	return nil
}

// findLayout returns the frame of the first source that has one.
func findLayout(sources []fs.FS) (string, error) {
	for _, source := range sources {
		f, err := source.Open(contract.MailLayout)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		b, err := io.ReadAll(io.LimitReader(f, maxLayout+1))
		f.Close()
		if err == nil && len(b) > maxLayout {
			err = fmt.Errorf("%s is longer than %d bytes", contract.MailLayout, maxLayout)
		}
		return strings.ReplaceAll(string(b), "\r\n", "\n"), err
	}
	return "", fs.ErrNotExist
}

// parse makes a template. Its errors name it as its files are called.
func parse(m contract.MailTemplate, layout string) (*template, error) {
	name := m.Name
	if m.Language != english {
		name += "." + m.Language
	}
	t := &template{language: m.Language}
	funcs := texttemplate.FuncMap{"name": displayName, "duration": func(seconds string) (string, error) { return duration(m.Language, seconds) }}
	var err error
	if t.subject, err = texttemplate.New(name + ".txt subject").Option(missing).Funcs(funcs).Parse(m.Subject); err != nil {
		return nil, err
	}
	if t.text, err = texttemplate.New(name + ".txt").Option(missing).Funcs(funcs).Parse(m.Text); err != nil {
		return nil, err
	}
	if t.html, err = htmltemplate.New(contract.MailLayout).Option(missing).Funcs(funcs).Parse(layout); err != nil {
		return nil, err
	}
	if _, err = t.html.New("content").Parse(m.HTML); err != nil {
		return nil, fmt.Errorf("%s.html: %w", name, err)
	}
	t.variables = t.collect() // before escaping adds to the trees
	if err = t.try(); err != nil {
		return nil, fmt.Errorf("template %q: %w", name, err)
	}
	return t, nil
}

// try finds the faults that the template packages report only when a template runs:
// variables that do not exist, and HTML in which a variable cannot be escaped. Other
// errors depend on the message, such as an entry of Data that is absent here.
func (t *template) try() error {
	sample := View{
		App: "App", Language: t.language, Subject: "Subject", To: "to@example.com", Name: "Name", Email: "user@example.com",
		UserID: "1", NewEmail: "new@example.com", URL: "https://example.com/", Token: "token",
		OTP: "123456", Data: map[string]string{},
	}
	for _, err := range []error{
		t.subject.Execute(io.Discard, sample),
		t.text.Execute(io.Discard, sample),
		t.html.Execute(io.Discard, sample),
	} {
		var escape *htmltemplate.Error
		if errors.As(err, &escape) || err != nil && strings.Contains(err.Error(), "can't evaluate field") {
			return err
		}
	}
	return nil
}
