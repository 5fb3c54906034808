package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sallyport-auth/sallyport/adapters/logmail"
	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugintest"
	"github.com/sallyport-auth/sallyport/server"
)

var fiveLanguages = []string{"de", "en", "es", "fr", "it"}

// programTexts are the texts of every message of the program, and the names of those that
// plugins bring.
func programTexts(t *testing.T) (*mailtext.Renderer, []string) {
	t.Helper()
	auth, err := server.Describe(everyPlugin(), plugins...)
	if auth == nil {
		t.Fatal(err)
	}
	r, err := mailtext.New(mailtext.Options{AppName: "Notes & Co", Defaults: auth.MailTemplates()})
	if err != nil {
		t.Fatal(err)
	}
	var brought []string
	for _, m := range auth.MailTemplates() {
		brought = append(brought, m.Name)
	}
	slices.Sort(brought)
	return r, slices.Compact(brought)
}

// TestMails holds the texts of plugins, and that each message of the program is there in
// five languages that say the same. Package mailtext holds its own.
func TestMails(t *testing.T) {
	r, brought := programTexts(t)
	if want := []string{"account-erased", "invitation", "magic-link", "two-factor-otp"}; !slices.Equal(brought, want) {
		t.Errorf("plugins bring %q, want %q", brought, want)
	}
	for _, name := range r.Names() {
		if got := r.Languages(name); !slices.Equal(got, fiveLanguages) {
			t.Errorf("%s is there in %q", name, got)
		}
		for _, language := range fiveLanguages {
			if got, want := r.Variables(name, language), r.Variables(name, "en"); !slices.Equal(got, want) {
				t.Errorf("%s in %s says %q, in English %q", name, language, got, want)
			}
		}
	}
	for _, name := range brought {
		for _, language := range fiveLanguages {
			mail, err := r.Render(r.Sample(name, language))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "mails", name+"."+language+".golden")
			got := "Subject: " + mail.Subject + "\n\n" + mail.Text + "----------\n" + mail.HTML
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || got != string(want) {
				t.Errorf("%s differs (-update writes it), %v:\n%s", file, err, got)
			}
		}
	}
}

// hostile are values that somebody may choose or send.
var hostile = map[string]string{
	"markup":          `"><script>alert(1)</script><img src=x onerror=alert(1)>`,
	"header":          "a\r\nBcc: eve@example.com\r\n\r\nb",
	"direction":       "abc\u202Egnp.exe\u2066",
	"template":        `{{.Token}}{{template "content" .}}{{"`,
	"10 kB":           strings.Repeat("0123456789", 1000),
	"link":            "Prize at https://evil.example/",
	"broken UTF-8":    "a\xff\xfe\x00b",
	"javascript":      "javascript:alert(1)",
	"other separator": "a\u2028b\u2029c\u0085d",
}

// TestHostileValues puts each of them into each variable of each message in each
// language: it stays text, on its line, or the message is refused.
func TestHostileValues(t *testing.T) {
	r, _ := programTexts(t)
	tried := 0
	for _, name := range r.Names() {
		for _, language := range fiveLanguages {
			sample := r.Sample(name, language)
			sample.Token = "TOPSECRET"
			plain, err := r.Render(sample)
			if err != nil {
				t.Fatal(err)
			}
			for _, variable := range append(r.Variables(name, language), "To") {
				for kind, value := range hostile {
					m, ok := withValue(sample, variable, value)
					if !ok {
						continue // App: New has looked at it
					}
					tried++
					mail, err := r.Render(m)
					if err != nil {
						if variable == "URL" && strings.Contains(err.Error(), value) || mail != (mailtext.Mail{}) {
							t.Errorf("%s, %s, %s, %s: %+v, %v", name, language, variable, kind, mail, err)
						}
						continue
					}
					if why := harm(t, plain, mail); why != "" {
						t.Errorf("%s, %s, %s, %s: %s:\n%s\n%s", name, language, variable, kind, why, mail.Subject, mail.HTML)
					}
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("%d messages: the test tries nothing", tried)
	}
	if _, err := mailtext.New(mailtext.Options{AppName: hostile["header"]}); err == nil {
		t.Error("the app's name may be two lines")
	}
}

func withValue(m contract.Message, variable, value string) (contract.Message, bool) {
	key, isData := strings.CutPrefix(variable, "Data.")
	switch {
	case isData:
		data := map[string]string{}
		for k, v := range m.Data {
			data[k] = v
		}
		data[key] = value
		m.Data = data
	case variable == "Name":
		m.User.Name = value
	case variable == "To":
		m.To = value
	case variable == "NewEmail":
		m.NewEmail = value
	case variable == "URL":
		m.URL = value
	case variable == "OTP":
		m.OTP = value
	case variable == "App":
		return m, false
	default:
		panic("a variable that the test does not know: " + variable)
	}
	return m, true
}

// harm says what a value has done to a mail that is plain without it.
func harm(t *testing.T, plain, mail mailtext.Mail) string {
	want, got := elements(t, plain.HTML), elements(t, mail.HTML)
	for name, n := range got {
		if n > want[name] {
			return "another " + name
		}
	}
	all := mail.Subject + mail.Text + mail.HTML
	switch {
	case strings.ContainsAny(mail.Subject, "\r\n"):
		return "a subject of two lines"
	case strings.Count(mail.Text, "\n") > strings.Count(plain.Text, "\n"):
		return "another line"
	case strings.ContainsAny(all, "\r\x00\u202e\u2066\u2028\u2029\u0085"):
		return "an invisible character"
	case strings.Contains(all, "TOPSECRET"):
		return "a value was read as a template"
	}
	return ""
}

// elements counts elements, and attributes that run or load something.
func elements(t *testing.T, page string) map[string]int {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		out[n.Data]++
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "http") {
				out[a.Key]++
			}
		}
	}
	return out
}

// TestInvitationNamesNoLink: who founds an organization chooses its name, and whom it is
// sent to.
func TestInvitationNamesNoLink(t *testing.T) {
	r, _ := programTexts(t)
	for _, language := range fiveLanguages {
		for _, key := range []string{"organization", "inviterName", "role"} {
			m := r.Sample("invitation", language)
			m.Data[key] = "Prize: evil.example"
			mail, err := r.Render(m)
			if err != nil || strings.Contains(mail.Subject+mail.Text+mail.HTML, "evil.example") {
				t.Errorf("%s, %s: %v\n%s", language, key, err, mail.Text)
			}
		}
	}
	if _, err := r.Render(contract.Message{Template: "magic-link", To: "a@example.com\r\nBcc: eve@example.com"}); !errors.Is(err, mailtext.ErrAddress) {
		t.Errorf("err = %v", err)
	}
}

// TestPluginMailReachesItsReader: a plugin's message comes through a mailer that writes
// mail, in the language of the browser that asked for it.
func TestPluginMailReachesItsReader(t *testing.T) {
	for accept, want := range map[string]string{"de-CH, en;q=0.5": "Ihr Link zur Anmeldung", "pt": "Your link to sign in", "": "Your link to sign in"} {
		var console bytes.Buffer
		mailer, err := logmail.New(&console, logmail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{magiclink.New(magiclink.Options{})},
			Config: func(c *core.Config) { c.Mailer = mailer }})
		h.Client().Do(plugintest.Request{Method: "POST", Path: "/sign-in/magic-link", Body: plugintest.M{"email": "ada@example.com"},
			Header: map[string]string{"Accept-Language": accept}}).Want(200)
		if h.RunJobs() != 1 || !strings.Contains(console.String(), "Subject:   "+want+"\n") || !strings.Contains(console.String(), "https://auth.example.com/api/auth/magic-link/verify?token=") {
			t.Errorf("%q: %s", accept, console.String())
		}
	}
}
