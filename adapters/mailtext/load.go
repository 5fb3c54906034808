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
)

//go:embed templates
var embedded embed.FS

// builtin are the templates that core sends itself. Each of them is about a link.
var builtin = []string{"verify-email", "reset-password", "change-email", "delete-account"}

const (
	layoutFile = "layout.html"
	maxFile    = 256 << 10 // bytes of one template file
	// missing makes a template that names an absent key of Data fail, rather than send
	// "<no value>" to a person.
	missing = "missingkey=error"
)

// load collects every template of every source; the first source that has it wins.
func load(o Options) (map[string]*template, error) {
	own, err := fs.Sub(embedded, "templates")
	if err != nil {
		return nil, fmt.Errorf("mailtext: %w", err)
	}
	sources := append([]fs.FS(nil), o.Templates...)
	if o.Dir != "" {
		sources = append(sources, os.DirFS(o.Dir))
	}
	sources = append(sources, own)

	layout := ""
	for _, source := range sources {
		if source == nil {
			return nil, errors.New("mailtext: a source of templates is nil")
		}
		layout, err = read(source, layoutFile)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("mailtext: %w", err)
		}
	}
	texts := map[string]*template{}
	for _, source := range sources {
		names, err := list(source)
		if err != nil {
			return nil, fmt.Errorf("mailtext: %w", err)
		}
		for _, name := range names {
			if texts[name] != nil {
				continue
			}
			if texts[name], err = parse(source, name, layout); err != nil {
				return nil, fmt.Errorf("mailtext: %w", err)
			}
		}
	}
	return texts, nil
}

// list returns the names of the templates in source, and an error for one of which a
// half is missing.
func list(source fs.FS) ([]string, error) {
	files, err := fs.ReadDir(source, ".")
	if err != nil {
		return nil, err
	}
	halves := map[string]int{}
	for _, f := range files {
		name, isText := strings.CutSuffix(f.Name(), ".txt")
		if !isText {
			var isHTML bool
			if name, isHTML = strings.CutSuffix(f.Name(), ".html"); !isHTML || f.Name() == layoutFile {
				continue
			}
		}
		halves[name]++
	}
	var names []string
	for name, n := range halves {
		if n != 2 {
			return nil, fmt.Errorf("template %q needs both %s.txt and %s.html in the same place", name, name, name)
		}
		names = append(names, name)
	}
	return names, nil
}

func parse(source fs.FS, name, layout string) (*template, error) {
	text, err := read(source, name+".txt")
	if err != nil {
		return nil, err
	}
	content, err := read(source, name+".html")
	if err != nil {
		return nil, err
	}
	subject, body, err := splitSubject(text)
	if err != nil {
		return nil, fmt.Errorf("%s.txt: %w", name, err)
	}
	t := &template{}
	funcs := texttemplate.FuncMap{"name": displayName}
	if t.subject, err = texttemplate.New(name + ".txt subject").Option(missing).Funcs(funcs).Parse(subject); err != nil {
		return nil, err
	}
	if t.text, err = texttemplate.New(name + ".txt").Option(missing).Funcs(funcs).Parse(body); err != nil {
		return nil, err
	}
	if t.html, err = htmltemplate.New(layoutFile).Option(missing).Funcs(funcs).Parse(layout); err != nil {
		return nil, err
	}
	if _, err = t.html.New("content").Parse(content); err != nil {
		return nil, fmt.Errorf("%s.html: %w", name, err)
	}
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
		App: "App", Subject: "Subject", To: "to@example.com", Name: "Name", Email: "user@example.com",
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

// splitSubject takes "Subject: ..." and the empty line after it off a template's source.
func splitSubject(source string) (subject, body string, err error) {
	first, rest, _ := strings.Cut(source, "\n")
	subject, ok := strings.CutPrefix(first, "Subject: ")
	if !ok || strings.TrimSpace(subject) == "" {
		return "", "", errors.New(`the first line must be "Subject: ..."`)
	}
	body, ok = strings.CutPrefix(rest, "\n")
	if !ok || strings.TrimSpace(body) == "" {
		return "", "", errors.New("after the subject, an empty line and the text must follow")
	}
	return subject, body, nil
}

// read returns a file of at most 256 KiB with "\n" at the end of every line.
func read(source fs.FS, name string) (string, error) {
	f, err := source.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if len(b) > maxFile {
		return "", fmt.Errorf("%s is longer than %d bytes", name, maxFile)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n"), nil
}
