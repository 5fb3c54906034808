package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/server"
)

// mailPreview renders messages with sample data: the app's own texts, those of plugins and
// the built-in ones, as the configuration chooses them. It sends nothing and opens no database.
func mailPreview(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	name := f.String("template", "", "this `name` alone, for instance verify-email")
	language := f.String("language", "", "this `language` alone, for instance de")
	to := f.String("to", "", "write pages and texts into this `folder`, with an index.html; without it, subject and text are printed")
	html := f.Bool("html", false, "print the HTML instead of the text")
	return func(context.Context) (int, error) {
		if *html && *to != "" {
			return misused, errors.New("--html is for printing, and --to writes both")
		}
		c, err := r.load()
		if err != nil {
			return failed, err
		}
		texts, err := server.MailTexts(c, r.Plugins...)
		if err != nil {
			return failed, err
		}
		list, err := previews(texts, *name, *language)
		if err == nil && *to != "" {
			err = writePreviews(*to, list)
		}
		if err != nil {
			return failed, err
		}
		if *to != "" {
			fmt.Fprintf(r.out, "%d messages in %s\n", len(list), filepath.Join(*to, "index.html"))
			return ok, nil
		}
		for i, p := range list {
			text := "Subject: " + p.Subject + "\n\n" + p.Text
			if *html {
				text = p.HTML
			}
			if len(list) > 1 {
				fmt.Fprintf(r.out, "%s---- %s, %s\n", map[bool]string{true: "\n"}[i > 0], p.Name, p.Language)
			}
			fmt.Fprintln(r.out, strings.TrimRight(text, "\n"))
		}
		return ok, nil
	}
}

// preview is a message in one language.
type preview struct {
	Name, Language string
	mailtext.Mail
}

// File is the name of its files without the ending. Names of templates are letters, digits,
// "-" and "_".
func (p preview) File() string { return p.Name + "." + p.Language }

// previews renders what was asked for. Name and language empty are all.
func previews(texts *mailtext.Renderer, name, language string) ([]preview, error) {
	names := texts.Names()
	if name != "" && !slices.Contains(names, name) {
		return nil, fmt.Errorf("no template is called %q; there are %s", name, strings.Join(names, ", "))
	}
	var out []preview
	for _, n := range names {
		if name != "" && n != name {
			continue
		}
		for _, l := range texts.Languages(n) {
			if language != "" && l != language {
				continue
			}
			mail, err := texts.Render(texts.Sample(n, l))
			if err != nil {
				return nil, err
			}
			out = append(out, preview{n, l, mail})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("nothing is written in the language %q", language)
	}
	return out, nil
}

// index is the page that leads to all others.
var index = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Messages</title></head>
<body style="font-family:sans-serif;margin:24px">
<h1>Messages</h1>
<p>With sample data. Nothing was sent.</p>
<table cellpadding="6">
{{range .}}<tr><td>{{.Name}}</td><td>{{.Language}}</td><td><a href="{{.File}}.html">{{.Subject}}</a></td><td><a href="{{.File}}.txt">text</a></td></tr>
{{end}}</table>
</body>
</html>
`))

func writePreviews(dir string, list []preview) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range list {
		err := errors.Join(os.WriteFile(filepath.Join(dir, p.File()+".html"), []byte(p.HTML), 0o644),
			os.WriteFile(filepath.Join(dir, p.File()+".txt"), []byte("Subject: "+p.Subject+"\n\n"+p.Text), 0o644))
		if err != nil {
			return err
		}
	}
	var page strings.Builder
	if err := index.Execute(&page, list); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "index.html"), []byte(page.String()), 0o644)
}
