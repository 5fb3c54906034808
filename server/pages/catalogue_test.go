package pages

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	used       = regexp.MustCompile(`(?:\bctx\.|\bown\.|[^.\w])(?:t|tn|k)\(("(?:[^"\\]|\\.)*")`)
	entryTitle = regexp.MustCompile(`\bTitle:\s+("(?:[^"\\]|\\.)*")`)
	variable   = regexp.MustCompile(`\{[a-z]+\}`)
	formNames  = regexp.MustCompile(`([{,] )(one|other): "`)
)

// usedTexts are the English texts in the code of the pages, and the titles of our plugins'
// entries.
func usedTexts(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	take := func(re *regexp.Regexp, code []byte, where string) {
		for _, m := range re.FindAllSubmatch(code, -1) {
			text, err := strconv.Unquote(string(m[1]))
			if err != nil {
				t.Errorf("%s: %s: %v", where, m[1], err)
			}
			out[text] = true
		}
	}
	err := fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".js") && !strings.HasPrefix(d.Name(), "text-") && d.Name() != "language.js" {
			var code []byte
			code, err = static.ReadFile(name)
			take(used, code, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	plugins, err := filepath.Glob("../../plugins/*/plugin.go")
	if err != nil || len(plugins) == 0 {
		t.Fatalf("no plugins: %v", err)
	}
	for _, name := range plugins {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		take(entryTitle, code, name)
	}
	if len(out) < 200 {
		t.Fatalf("only %d texts are found", len(out))
	}
	return out
}

// readCatalogue reads a catalogue: one text a line, a text or its forms by plural category.
func readCatalogue(t *testing.T, language string) map[string][]string {
	t.Helper()
	code, err := static.ReadFile("static/text-" + language + ".js")
	if err != nil {
		t.Fatal(err)
	}
	_, body, ok := strings.Cut(string(code), "export default {\n")
	if !ok {
		t.Fatalf("%s: no export default", language)
	}
	out := map[string][]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(body), "};"), "\n") {
		if line = strings.TrimSuffix(strings.TrimSpace(line), ","); line == "" {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal([]byte("{"+formNames.ReplaceAllString(line, `$1"$2": "`)+"}"), &m); err != nil || len(m) != 1 {
			t.Fatalf("%s: %s: %v", language, line, err)
		}
		for key, v := range m {
			if out[key] != nil {
				t.Errorf("%s: %q is there twice", language, key)
			}
			if forms, ok := v.(map[string]any); ok {
				if forms["one"] == nil || forms["other"] == nil {
					t.Errorf("%s: %q: want the forms one and other", language, key)
				}
				for _, f := range forms {
					out[key] = append(out[key], f.(string))
				}
				continue
			}
			out[key] = []string{v.(string)}
		}
	}
	return out
}

func variables(text string) string {
	list := variable.FindAllString(text, -1)
	slices.Sort(list)
	return strings.Join(list, "")
}

// TestCatalogues: every text of the code is in every language, nothing else is, and all have
// the same places for values.
func TestCatalogues(t *testing.T) {
	texts := usedTexts(t)
	for _, language := range languages {
		catalogue := readCatalogue(t, language)
		for text := range texts {
			counted := strings.Contains(text, "{n}")
			if catalogue[text] == nil && (language != "en" || counted) {
				t.Errorf("%s: %q is missing", language, text)
			}
			if counted && len(catalogue[text]) < 2 {
				t.Errorf("%s: %q counts, and has one form", language, text)
			}
		}
		for text, forms := range catalogue {
			if !texts[text] {
				t.Errorf("%s: nothing uses %q", language, text)
			}
			for _, f := range forms {
				if strings.TrimSpace(f) != f || f == "" || variables(f) != variables(text) {
					t.Errorf("%s: %q for %q: other values, or spaces around", language, f, text)
				}
			}
		}
	}
}

// familiar are words that address a friend. Pages, error texts and mails are formal.
var familiar = map[string]*regexp.Regexp{
	"de": wordsOf("du|dein|deine|deinem|deinen|deiner|dich|dir"),
	"fr": wordsOf("tu|ton|ta|tes|toi|te"),
	"it": wordsOf("tu|tuo|tua|tuoi|tue|ti|te|hai|sei|puoi|accedi|esci|vai|riprova|aspetta|inserisci|apri"),
	"es": wordsOf("tú|tu|tus|te|ti|has|puedes|tienes|eres|inicia|inténtalo|espera|introduce|abre"),
}

func wordsOf(list string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:^|[^\p{L}])(` + list + `)(?:[^\p{L}]|$)`)
}

func TestFormalAddress(t *testing.T) {
	for language, re := range familiar {
		w := documentWords[language]
		texts := []string{w.NoScript, w.NoScriptText, w.Skip, w.NotFound, w.NotFoundText, w.Start}
		for _, forms := range readCatalogue(t, language) {
			texts = append(texts, forms...)
		}
		raw, err := os.ReadFile("../../plugins/i18n/texts/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		byCode := map[string]string{}
		if err := json.Unmarshal(raw, &byCode); err != nil {
			t.Fatal(err)
		}
		for _, text := range byCode {
			texts = append(texts, text)
		}
		for _, text := range texts {
			if found := re.FindStringSubmatch(text); found != nil {
				t.Errorf("%s: %q says %q", language, text, found[1])
			}
		}
	}
}

// TestDocumentLanguage: what a document says before its script runs is in the reader's language.
func TestDocumentLanguage(t *testing.T) {
	p := mustNew(t, Options{})
	for header, want := range map[string]string{"": "en", "de-CH,en;q=0.5": "de", "pt, fr;q=0.2": "fr", "it": "it", "es-MX": "es", "ja": "en", `"><script>`: "en"} {
		for _, path := range []string{"/", "/p/x", "/nothing"} {
			_, h, body := p.Serve(path, header)
			if h["Content-Language"] != want || h["Vary"] != "Accept-Language" || !strings.Contains(string(body), `<html lang="`+want+`">`) {
				t.Errorf("%s for %q: %v", path, header, h)
			}
		}
	}
	for _, language := range languages {
		w := documentWords[language]
		for _, text := range []string{w.NoScript, w.NoScriptText, w.Skip, w.NotFound, w.NotFoundText, w.Start} {
			if text == "" {
				t.Errorf("%s lacks a text", language)
			}
		}
	}
}
