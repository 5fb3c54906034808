package mailtext

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// TestEveryLanguage holds each built-in text in each language.
func TestEveryLanguage(t *testing.T) {
	r := mustNew(t, Options{AppName: "Notes & Co"})
	for _, name := range r.Names() {
		want := r.Variables(name, "en")
		for _, language := range r.Languages(name) {
			mail, err := r.Render(r.Sample(name, language))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+language+".golden", "Subject: "+mail.Subject+"\n\n"+mail.Text+"----------\n"+mail.HTML)
			if got := r.Variables(name, language); !slices.Equal(got, want) {
				t.Errorf("%s in %s says %q, in English %q", name, language, got, want)
			}
			if page := parseHTML(t, mail.HTML); page.lang != language || page.count["h1"] != 1 || page.count["footer"] != 1 {
				t.Errorf("%s in %s: %v, lang %q", name, language, page.count, page.lang)
			}
		}
	}
}

// text makes the two files of a template that says one thing.
func text(stem, says string) []string {
	return []string{stem + ".txt", "Subject: " + says + "\n\n" + says, stem + ".html", says}
}

func TestLanguageIsChosen(t *testing.T) {
	brought := []contract.MailTemplate{{Name: "hello", Subject: "brought en", Text: "x", HTML: "x"},
		{Name: "hello", Language: "de", Subject: "brought de", Text: "x", HTML: "x"},
		{Name: "other", Language: "pt", Subject: "of another", Text: "x", HTML: "x"}}
	for _, tt := range []struct {
		what            string
		o               Options
		template, reads string
		want            string // beginning of the subject
	}{
		{"nothing is known", Options{}, "verify-email", "", "Verify your"},
		{"the app's language", Options{Language: "it"}, "verify-email", "", "Conferma del"},
		{"what the recipient reads comes first", Options{Language: "it"}, "verify-email", "pt, fr-CH;q=0.9, en;q=0.1", "Confirmez"},
		{"none that there is", Options{Language: "de"}, "verify-email", "pt", "Bestätigen"},
		{"brought by the message", Options{}, "hello", "de", "brought de"},
		{"brought in English alone", Options{Language: "fr"}, "hello", "es", "brought en"},
		{"replaced as a whole", Options{Templates: sources{files(text("verify-email", "ours")...)}.fs()}, "verify-email", "de", "ours"},
		{"replaced as a whole, brought", Options{Templates: sources{files(text("hello", "ours")...)}.fs()}, "hello", "de", "ours"},
		{"the whole is in the app's language", Options{Language: "de", Templates: sources{files(append(text("verify-email", "unser"), text("verify-email.en", "ours")...)...)}.fs()},
			"verify-email", "fr", "unser"},
		{"one language", Options{Templates: sources{files(text("verify-email.de", "unser")...)}.fs()}, "verify-email", "de", "unser"},
		{"one language, another reader", Options{Templates: sources{files(text("verify-email.de", "unser")...)}.fs()}, "verify-email", "fr", "Confirmez"},
		{"English alone", Options{Templates: sources{files(text("verify-email.en", "ours")...)}.fs()}, "verify-email", "de", "Bestätigen"},
		{"one language, brought", Options{Templates: sources{files(text("hello.fr", "le nôtre")...)}.fs()}, "hello", "en", "brought en"},
		{"a language of one's own", Options{Templates: sources{files(text("hello.pt", "nosso")...)}.fs()}, "hello", "pt-BR", "nosso"},
		{"a later source is below the whole", Options{Templates: sources{files(text("hello", "first")...), files(text("hello.de", "second")...)}.fs()}, "hello", "de", "first"},
		{"an earlier one above it", Options{Templates: sources{files(text("hello.de", "first")...), files(text("hello", "second")...)}.fs()}, "hello", "de", "first"},
		{"in one language alone", Options{Templates: sources{files(text("note.pt", "nosso")...)}.fs()}, "note", "de", "nosso"},
	} {
		m := message(tt.template)
		m.Language, m.Texts = tt.reads, brought
		mail, err := mustNew(t, tt.o).Render(m)
		if err != nil || !strings.HasPrefix(mail.Subject, tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.what, mail.Subject, err, tt.want)
		}
	}
}

func TestLanguageErrors(t *testing.T) {
	for want, o := range map[string]Options{
		`language: "de-CH" is not a language`:               {Language: "de-CH"},
		`"de-CH" is not a language such as "de"`:            {Templates: sources{files(text("a.de-CH", "x")...)}.fs()},
		`"a.": a dot and no language`:                       {Templates: sources{files(text("a.", "x")...)}.fs()},
		`want a name of letters`:                            {Templates: sources{files(text("a b", "x")...)}.fs()},
		`template "a" is there twice in the language "en"`:  {Templates: sources{files(append(text("a", "x"), text("a.en", "x")...)...)}.fs()},
		`template "a.de" needs both a.de.txt and a.de.html`: {Templates: sources{files("a.de.txt", "Subject: x\n\nx")}.fs()},
		`template "a.de": template: a.de.txt:1:2`:           {Templates: sources{files("a.de.txt", "Subject: x\n\n{{.Link}}", "a.de.html", "x")}.fs()},
		`layout.html is longer than 262144 bytes`:           {Templates: sources{files("layout.html", strings.Repeat("x", 1<<19))}.fs()},
		`template: b.txt:1: function "shout" not defined`:   {Defaults: []contract.MailTemplate{{Name: "b", Subject: "x", Text: "{{shout}}", HTML: "x"}}},
		`template "b" is there twice in the language "en"`:  {Defaults: []contract.MailTemplate{{Name: "b", Subject: "x", Text: "x", HTML: "x"}, {Name: "b", Language: "en", Subject: "x", Text: "x", HTML: "x"}}},
	} {
		if r, err := New(o); err == nil || r != nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "mailtext: ") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	m := message("hello")
	m.Texts = []contract.MailTemplate{{Name: "hello", Subject: "x", Text: "{{", HTML: "x"}}
	if _, err := mustNew(t, Options{}).Render(m); err == nil || !strings.Contains(err.Error(), "hello.txt:1") {
		t.Errorf("a broken text: %v", err)
	}
	m.Texts[0].Name = "another"
	if _, err := mustNew(t, Options{}).Render(m); err == nil || err.Error() != `mailtext: unknown template "hello"` {
		t.Errorf("the text of another message: %v", err)
	}
}

func TestDuration(t *testing.T) {
	for _, tt := range []struct{ language, seconds, want string }{
		{"en", "300", "5 minutes"}, {"en", "60", "1 minute"}, {"en", "0", "0 seconds"}, {"en", "61", "61 seconds"}, {"en", "172800", "2 days"},
		{"de", "86400", "1 Tag"}, {"de", "7200", "2 Stunden"}, {"fr", "0", "0 seconde"}, {"fr", "3600", "1 heure"}, {"it", "600", "10 minuti"},
		{"es", "259200", "3 días"}, {"pt", "300", "5 minutes"},
	} {
		if got, err := duration(tt.language, tt.seconds); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.language, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "5 minutes", "-1", "1e9", "99999999999999999999"} {
		if got, err := duration("en", bad); err == nil {
			t.Errorf("%q is %q", bad, got)
		}
	}
}
