package mailtext

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sallyport-auth/sallyport/core/contract"
)

var update = flag.Bool("update", false, "write the golden files")

func mustNew(tb testing.TB, o Options) *Renderer {
	tb.Helper()
	r, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// message is complete for every built-in template.
func message(template string) contract.Message {
	return contract.Message{
		Template: template,
		To:       "ada@example.com",
		User:     contract.MessageUser{ID: "u1", Name: "Ada & <Co>", Email: "ada@example.com"},
		URL:      "https://app.example/api/auth/x?token=SECRET&callbackURL=%2F",
		Token:    "SECRET",
		NewEmail: "countess@example.com",
	}
}

func TestGolden(t *testing.T) {
	for _, name := range links {
		for _, variant := range []struct {
			suffix string
			o      Options
			m      func(contract.Message) contract.Message
		}{
			{"", Options{AppName: "Notes & Co"}, func(m contract.Message) contract.Message {
				m.User.Name = "Ada & Söhne"
				return m
			}},
			{"-bare", Options{}, func(m contract.Message) contract.Message {
				m.User, m.NewEmail = contract.MessageUser{}, ""
				return m
			}},
		} {
			t.Run(name+variant.suffix, func(t *testing.T) {
				mail, err := mustNew(t, variant.o).Render(variant.m(message(name)))
				if err != nil {
					t.Fatal(err)
				}
				got := "Subject: " + mail.Subject + "\n\n" + mail.Text + "----------\n" + mail.HTML
				golden(t, name+variant.suffix+".golden", got)
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s", path, got)
	}
}

func TestNames(t *testing.T) {
	want := []string{"account-deleted", "account-locked", "change-email", "delete-account", "email-changed", "new-device",
		"password-changed", "reset-password", "verify-email"}
	r := mustNew(t, Options{})
	if got := r.Names(); !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
	for _, name := range want {
		if got := r.Languages(name); !slices.Equal(got, []string{"de", "en", "es", "fr", "it"}) {
			t.Errorf("%s is there in %q", name, got)
		}
	}
}

// The HTML must stay plain: one heading, one link, nothing that is fetched or runs.
func TestHTMLIsPlain(t *testing.T) {
	r := mustNew(t, Options{AppName: "Notes"})
	for _, name := range links {
		m := message(name)
		mail, err := r.Render(m)
		if err != nil {
			t.Fatal(err)
		}
		page := parseHTML(t, mail.HTML)
		if page.count["h1"] != 1 || page.count["a"] != 1 || page.count["title"] != 1 {
			t.Errorf("%s has %v", name, page.count)
		}
		for _, element := range []string{"script", "style", "link", "img", "iframe", "form", "object", "base"} {
			if page.count[element] != 0 {
				t.Errorf("%s has an element %s", name, element)
			}
		}
		if !slices.Equal(page.hrefs, []string{m.URL}) {
			t.Errorf("%s links to %q, want %q", name, page.hrefs, m.URL)
		}
		if strings.Contains(page.text, "SECRET") {
			t.Errorf("%s shows the link's token outside href", name)
		}
		if page.lang != "en" {
			t.Errorf("%s has lang %q", name, page.lang)
		}
	}
}

type page struct {
	count       map[string]int
	hrefs       []string
	text, lang  string
	handlers    []string // attributes that hold code
	otherSource []string // attributes that load something
}

func parseHTML(tb testing.TB, s string) page {
	tb.Helper()
	root, err := html.Parse(strings.NewReader(s))
	if err != nil {
		tb.Fatal(err)
	}
	p := page{count: map[string]int{}}
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			p.text += n.Data
		}
		if n.Type != html.ElementNode {
			continue
		}
		p.count[n.Data]++
		for _, a := range n.Attr {
			switch {
			case a.Key == "href":
				p.hrefs = append(p.hrefs, a.Val)
			case a.Key == "lang":
				p.lang = a.Val
			case a.Key == "src" || a.Key == "background" || strings.Contains(a.Val, "url("):
				p.otherSource = append(p.otherSource, a.Val)
			case strings.HasPrefix(a.Key, "on"):
				p.handlers = append(p.handlers, a.Key)
			}
		}
	}
	return p
}

func TestHostileValuesAreText(t *testing.T) {
	const hostile = `"><img src=x onerror=alert(1)>`
	source := fstestFS{
		"note.txt": {Data: []byte("Subject: Note on {{.Data.topic}}\n\n{{.Name}}|{{.Data.topic}}|{{name .Data.topic}}|{{.Email}}|{{.OTP}}\n")},
		"note.html": {Data: []byte(`<p title="{{.Data.topic}}">{{.Name}}|{{.Data.topic}}|{{.Email}}|{{.OTP}}|{{.UserID}}</p>` +
			`<a href="{{.Data.link}}">x</a>`)},
	}
	r := mustNew(t, Options{Templates: sources{source}.fs()})
	m := contract.Message{
		Template: "note", To: "ada@example.com",
		User: contract.MessageUser{ID: hostile, Name: hostile, Email: hostile}, OTP: hostile,
		Data: map[string]string{"topic": "a\r\nBcc: eve@example.com\r\n\r\n" + hostile, "link": "javascript:alert(1)"},
	}
	mail, err := r.Render(m)
	if err != nil {
		t.Fatal(err)
	}
	topic := "a Bcc: eve@example.com " + hostile
	if want := "Note on " + topic; mail.Subject != want {
		t.Errorf("subject = %q, want %q", mail.Subject, want)
	}
	if want := "|" + topic + "||" + hostile + "|" + hostile + "\n"; mail.Text != want {
		t.Errorf("text = %q, want %q", mail.Text, want)
	}
	p := parseHTML(t, mail.HTML)
	if p.count["img"] != 0 || len(p.handlers) != 0 {
		t.Errorf("a value became markup: %s", mail.HTML)
	}
	if !slices.Equal(p.hrefs, []string{"#ZgotmplZ"}) {
		t.Errorf("hrefs = %q", p.hrefs)
	}
}

func TestRenderErrors(t *testing.T) {
	r := mustNew(t, Options{Templates: sources{{
		"key.txt":   {Data: []byte("Subject: Key\n\n{{.Data.absent}}")},
		"key.html":  {Data: []byte("x")},
		"long.txt":  {Data: []byte("Subject: {{.Data.s}}\n\nx")},
		"long.html": {Data: []byte("x")},
	}}.fs()})
	big := strings.Repeat("x", maxValue+1)
	tests := []struct {
		name   string
		change func(*contract.Message)
		is     error
		want   string
	}{
		{"unknown template", func(m *contract.Message) { m.Template = "no-such" }, ErrUnknownTemplate, `mailtext: unknown template "no-such"`},
		{"empty template", func(m *contract.Message) { m.Template = "" }, ErrUnknownTemplate, `mailtext: unknown template ""`},
		{"file name", func(m *contract.Message) { m.Template = "../layout" }, ErrUnknownTemplate, `mailtext: unknown template "../layout"`},
		{"address", func(m *contract.Message) { m.To = "ada@example.com\r\n" }, ErrAddress, `mailtext: template "verify-email": not a bare mail address`},
		{"no url", func(m *contract.Message) { m.URL = "" }, nil, `mailtext: template "verify-email": the message has no url`},
		{"script url", func(m *contract.Message) { m.URL = "javascript:SECRET" }, errURL, `mailtext: template "verify-email": the url is not an absolute http or https URL`},
		{"long name", func(m *contract.Message) { m.User.Name = big }, nil, `mailtext: template "verify-email": a value is longer than 8192 bytes`},
		{"long url", func(m *contract.Message) { m.URL += big }, nil, `mailtext: template "verify-email": a value is longer than 8192 bytes`},
		{"long data", func(m *contract.Message) { m.Data = map[string]string{"a": big} }, nil, `mailtext: template "verify-email": a value of data is longer than 8192 bytes`},
		{"much data", func(m *contract.Message) {
			m.Data = map[string]string{}
			for i := range maxData + 1 {
				m.Data[strings.Repeat("k", i)] = ""
			}
		}, nil, `mailtext: template "verify-email": data has more than 64 entries`},
		{"absent key", func(m *contract.Message) { m.Template = "key" }, nil,
			`mailtext: template "key": template: key.txt:1:7: executing "key.txt" at <.Data.absent>: map has no entry for key "absent"`},
		{"an error that quotes the token", func(m *contract.Message) { m.Template, m.Token = "key", "absent" }, nil,
			`mailtext: template "key": rendering failed; the cause is withheld, since it quotes a secret`},
		{"empty subject", func(m *contract.Message) { m.Template, m.Data = "long", map[string]string{"s": " \n"} }, nil,
			`mailtext: template "long": the subject is empty or longer than 255 characters`},
		{"long subject", func(m *contract.Message) {
			m.Template, m.Data = "long", map[string]string{"s": strings.Repeat("ä", 256)}
		}, nil, `mailtext: template "long": the subject is empty or longer than 255 characters`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := message("verify-email")
			tt.change(&m)
			mail, err := r.Render(m)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("err = %v\nwant  %s", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("err = %v does not wrap %v", err, tt.is)
			}
			if mail != (Mail{}) {
				t.Errorf("a mail came with the error: %+v", mail)
			}
		})
	}
}

func TestErrorThatQuotesASecretIsWithheld(t *testing.T) {
	for _, m := range []contract.Message{{URL: "hunter2"}, {Token: "hunter2"}, {OTP: "hunter2"}} {
		if err := withoutSecrets(errors.New("cannot slice hunter2"), m); strings.Contains(err.Error(), "hunter2") {
			t.Errorf("withoutSecrets kept %v", err)
		}
	}
	plain := errors.New("no entry for key")
	if err := withoutSecrets(plain, contract.Message{Token: "hunter2"}); err != plain {
		t.Errorf("withoutSecrets changed a harmless error to %v", err)
	}
}

// A subject is one line, whatever its template does, and of at most 255 characters;
// TestRenderErrors has 256.
func TestSubject(t *testing.T) {
	r := mustNew(t, Options{Templates: sources{files(
		"long.txt", "Subject: {{.Data.s}}\n\nx", "long.html", "x",
		"lines.txt", `Subject: {{"a\r\nBcc: b"}}`+"\t c \n\nx", "lines.html", "{{.Subject}}",
	)}.fs()})
	lines, err := r.Render(contract.Message{Template: "lines", To: "a@example.com"})
	if want := "a Bcc: b c"; err != nil || lines.Subject != want || !strings.Contains(lines.HTML, want) {
		t.Errorf("Render = %q, %v", lines, err)
	}
	want := strings.Repeat("ä", 255)
	mail, err := r.Render(contract.Message{Template: "long", To: "a@example.com", Data: map[string]string{"s": want}})
	if err != nil || mail.Subject != want {
		t.Errorf("Render = %q, %v", mail.Subject, err)
	}
}
