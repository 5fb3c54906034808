package sallyport_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsShowCompiledCode keeps the Go code of the documents true: every block
// stands, word for word, in a source file that is built and tested.
func TestDocumentsShowCompiledCode(t *testing.T) {
	var sources []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != "."):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			text, err := os.ReadFile(path)
			sources = append(sources, flat(string(text)))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```")
	for _, doc := range []string{"README.md", "CONTRIBUTING.md", "docs/plugins.md", "docs/webhooks.md", "docs/organization.md", "docs/events.md"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		found := blocks.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s shows no Go code", doc)
		}
		for _, b := range found {
			if !contained(sources, flat(b[1])) {
				t.Errorf("%s shows code that no source file has:\n%s", doc, b[1])
			}
		}
	}
}

// flat takes indentation away: a document may show the inside of a function.
func flat(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

func contained(sources []string, block string) bool {
	for _, s := range sources {
		if strings.Contains(s, block) {
			return true
		}
	}
	return false
}
