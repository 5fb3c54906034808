package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/server"
)

// greeter is a plugin with a text.
type greeter struct{ html string }

func (g greeter) Spec() core.Spec {
	return core.Spec{ID: "greeter", Mails: []contract.MailTemplate{{Name: "greeting", Subject: "Greetings from {{.Data.town}}", Text: "Hello {{.Name}}", HTML: g.html}}}
}

func TestMailPreview(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("reset-password.de.txt", "Subject: Unser Passwort\n\nHallo {{.Name}}")
	write("reset-password.de.html", "<p>Hallo {{.Name}}</p>")
	html := "<p>Hello {{.Name}}</p>"
	preview := func(code int, wantOut, wantErr string, args ...string) string {
		t.Helper()
		p := program()
		p.Plugins = append(p.Plugins, server.Entry("greeter", func(struct{}) greeter { return greeter{html} }))
		env := []string{"SALLYPORT_DATA=" + filepath.Join(dir, "data"), "SALLYPORT_PLUGINS=email-password,greeter", "SALLYPORT_MAIL_LOG_TEXT_DIR=" + dir}
		var out, errs bytes.Buffer
		got := p.Run(t.Context(), append([]string{"mail", "preview"}, args...), env, &out, &errs)
		if got != code || !strings.Contains(out.String(), wantOut) || !strings.Contains(errs.String(), wantErr) {
			t.Errorf("%q: code %d, out %q, errors %q", args, got, out.String(), errs.String())
		}
		return out.String()
	}
	preview(0, "Subject: Unser Passwort", "", "--template", "reset-password", "--language", "de")
	preview(0, "Subject: Réinitialisez", "", "--template", "reset-password", "--language", "fr")
	preview(0, `<p>Hallo Ada Lovelace</p>`, "", "--template", "reset-password", "--language", "de", "--html")
	preview(0, "Subject: Greetings from sample town\n\nHello Ada Lovelace\n", "", "--template", "greeting")
	if out := preview(0, "---- verify-email, de\n", ""); strings.Count(out, "Subject: ") != 9*5+1 {
		t.Errorf("%d messages:\n%s", strings.Count(out, "Subject: "), out)
	}
	preview(1, "", `no template is called "nothing"; there are account-deleted, `, "--template", "nothing")
	preview(1, "", `nothing is written in the language "xx"`, "--language", "xx")
	preview(64, "", "--to writes both", "--html", "--to", dir)

	to := filepath.Join(dir, "made", "here")
	preview(0, "46 messages in "+filepath.Join(to, "index.html"), "", "--to", to)
	page, err := os.ReadFile(filepath.Join(to, "index.html"))
	if err != nil || !strings.Contains(string(page), `<a href="reset-password.de.html">Unser Passwort</a>`) || !strings.Contains(string(page), `href="greeting.en.txt"`) {
		t.Errorf("%s, %v", page, err)
	}
	text, err := os.ReadFile(filepath.Join(to, "reset-password.de.txt"))
	if err != nil || string(text) != "Subject: Unser Passwort\n\nHallo Ada Lovelace" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("a preview opened the database")
	}
	html = "<p>{{.Nothing}}</p>"
	preview(1, "", "can't evaluate field Nothing", "--to", to)
	html = `{{slice .Data.town 99}}`
	preview(1, "", `template "greeting"`)
}
