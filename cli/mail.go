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
		all, err := server.MailPreviews(c, r.Plugins...)
		if err != nil {
			return failed, err
		}
		list, err := chosen(all, *name, *language)
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

// chosen are the previews of a name and a language; empty is all of them.
func chosen(all []server.MailPreview, name, language string) (out []server.MailPreview, err error) {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
		if (name == "" || p.Name == name) && (language == "" || p.Language == language) {
			out = append(out, p)
		}
	}
	if name != "" && !slices.Contains(names, name) {
		return nil, fmt.Errorf("no template is called %q; there are %s", name, strings.Join(slices.Compact(names), ", "))
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
{{range .}}<tr><td>{{.Name}}</td><td>{{.Language}}</td><td><a href="{{.Name}}.{{.Language}}.html">{{.Subject}}</a></td><td><a href="{{.Name}}.{{.Language}}.txt">text</a></td></tr>
{{end}}</table>
</body>
</html>
`))

func writePreviews(dir string, list []server.MailPreview) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range list {
		stem := filepath.Join(dir, p.Name+"."+p.Language) // letters, digits, "-" and "_": contract.MailTemplate.Check
		err := errors.Join(os.WriteFile(stem+".html", []byte(p.HTML), 0o644),
			os.WriteFile(stem+".txt", []byte("Subject: "+p.Subject+"\n\n"+p.Text), 0o644))
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
