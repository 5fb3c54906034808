package mailtext

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-auth/sallyport/core/contract"
)

type fstestFS = fstest.MapFS

type sources []fstestFS

func (s sources) fs() []fs.FS {
	list := make([]fs.FS, len(s))
	for i := range s {
		list[i] = s[i]
	}
	return list
}

func files(pairs ...string) fstestFS {
	m := fstestFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func TestOverride(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"verify-email.txt":    "Subject: from the folder\n\nfolder",
		"verify-email.html":   "folder",
		"reset-password.txt":  "Subject: Passwort\r\n\r\nHallo {{.Name}}\r\n",
		"reset-password.html": "<p>Hallo {{.Name}}</p>\n",
		"README":              "not a template",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := mustNew(t, Options{Dir: dir, Templates: sources{
		files("verify-email.txt", "Subject: first\n\nfirst", "verify-email.html", "first", "layout.html", `<html lang="de">{{template "content" .}}</html>`),
		files("verify-email.txt", "Subject: second\n\nsecond", "verify-email.html", "second",
			"magic-link.txt", "Subject: Sign in\n\n{{.URL}}", "magic-link.html", `<a href="{{.URL}}">Sign in</a>`),
	}.fs()})
	tests := []struct{ template, subject, text, html string }{
		{"verify-email", "first", "first", `<html lang="de">first</html>`},
		{"magic-link", "Sign in", "https://app.example/?a=1&b=2", `<html lang="de"><a href="https://app.example/?a=1&amp;b=2">Sign in</a></html>`},
		{"reset-password", "Passwort", "Hallo Ada\n", "<html lang=\"de\"><p>Hallo Ada</p>\n</html>"},
	}
	for _, tt := range tests {
		mail, err := r.Render(contract.Message{
			Template: tt.template, To: "ada@example.com", URL: "https://app.example/?a=1&b=2",
			User: contract.MessageUser{Name: "Ada"},
		})
		if want := (Mail{tt.subject, tt.text, tt.html}); err != nil || mail != want {
			t.Errorf("%s: %q, %v\nwant %q", tt.template, mail, err, want)
		}
	}
	// What nobody replaced keeps its built-in words, in the app's frame.
	mail, err := r.Render(message("delete-account"))
	if err != nil || !strings.HasPrefix(mail.HTML, `<html lang="de"><h1`) {
		t.Errorf("delete-account: %q, %v", mail.HTML, err)
	}
}

func TestNewErrors(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"app name of two lines", Options{AppName: "a\r\nb"}, "mailtext: appName must be one line of at most 100 characters"},
		{"long app name", Options{AppName: strings.Repeat("a", 101)}, "mailtext: appName must be one line of at most 100 characters"},
		{"no such folder", Options{Dir: "testdata/no-such-folder"}, "no such file or directory"},
		{"nil source", Options{Templates: []fs.FS{nil}}, "mailtext: a source of templates is nil"},
		{"text without html", Options{Templates: sources{files("a.txt", "Subject: x\n\nx")}.fs()}, `template "a" needs both a.txt and a.html`},
		{"html without text", Options{Templates: sources{files("verify-email.html", "x")}.fs()}, `template "verify-email" needs both`},
		{"no subject", Options{Templates: sources{files("a.txt", "Hello\n\nx", "a.html", "x")}.fs()}, `a.txt: the first line must be "Subject: ..."`},
		{"empty subject", Options{Templates: sources{files("a.txt", "Subject:  \n\nx", "a.html", "x")}.fs()}, "a.txt: the first line must be"},
		{"no empty line", Options{Templates: sources{files("a.txt", "Subject: x\nx", "a.html", "x")}.fs()}, "a.txt: after the subject, an empty line"},
		{"no text", Options{Templates: sources{files("a.txt", "Subject: x\n\n \n", "a.html", "x")}.fs()}, "a.txt: after the subject, an empty line"},
		{"broken text", Options{Templates: sources{files("a.txt", "Subject: x\n\n{{", "a.html", "x")}.fs()}, "a.txt:1"},
		{"broken html", Options{Templates: sources{files("a.txt", "Subject: x\n\nx", "a.html", "{{end}}")}.fs()}, "a.html: "},
		{"broken layout", Options{Templates: sources{files("layout.html", "{{if}}")}.fs()}, "layout.html"},
		{"unknown variable", Options{Templates: sources{files("a.txt", "Subject: x\n\n{{.Link}}", "a.html", "x")}.fs()}, "can't evaluate field Link"},
		{"unknown variable in the subject", Options{Templates: sources{files("a.txt", "Subject: {{.Link}}\n\nx", "a.html", "x")}.fs()}, "can't evaluate field Link"},
		{"html that cannot be escaped", Options{Templates: sources{files("a.txt", "Subject: x\n\nx", "a.html", "<a href={{if .URL}}\"x{{end}}>")}.fs()}, `template "a"`},
		{"unknown inner template", Options{Templates: sources{files("a.txt", "Subject: x\n\nx", "a.html", `{{template "b"}}`)}.fs()}, `no such template "b"`},
		{"long file", Options{Templates: sources{files("a.txt", "Subject: x\n\n"+strings.Repeat("x", 256<<10), "a.html", "x")}.fs()}, "a.txt is longer than 262144 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := New(tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "mailtext: ") {
				t.Errorf("New: %v, want an error with %q", err, tt.want)
			}
			if r != nil {
				t.Error("New returned a renderer with its error")
			}
		})
	}
}

// FuzzRender gives the values that users choose: none may change the structure of the
// mail, whatever it holds.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"Ada", `"><script>`, "a\r\nb", "{{.Token}}", "javascript:x", "https://a.example/?b=c"} {
		f.Add(s, "https://app.example/")
		f.Add("Ada", s)
	}
	r := mustNew(f, Options{AppName: "Notes"})
	plain, err := r.Render(message("change-email"))
	if err != nil {
		f.Fatal(err)
	}
	want := parseHTML(f, plain.HTML)
	f.Fuzz(func(t *testing.T, value, url string) {
		m := message("change-email")
		m.User.Name, m.NewEmail, m.URL = value, "x"+value, url
		mail, err := r.Render(m)
		if err != nil {
			if mail != (Mail{}) {
				t.Fatalf("a mail came with %v", err)
			}
			return
		}
		got := parseHTML(t, mail.HTML)
		for element, n := range want.count {
			if got.count[element] != n {
				t.Fatalf("%d elements %s, want %d:\n%s", got.count[element], element, n, mail.HTML)
			}
		}
		if len(got.count) != len(want.count) || len(got.handlers)+len(got.otherSource) != 0 {
			t.Fatalf("new elements or attributes: %s", mail.HTML)
		}
		lower := strings.ToLower(got.hrefs[0])
		if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
			t.Fatalf("href %q", got.hrefs[0])
		}
		if strings.ContainsAny(mail.Subject, "\r\n") || strings.Count(mail.Text, "\n") != strings.Count(plain.Text, "\n") {
			t.Fatalf("a value added a line: %q", mail)
		}
	})
}
