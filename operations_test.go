package sallyport_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// parts of the source that write to the program's log.
var logging = []string{"core", "plugins", "server", "adapters", "migrations", "cli", "cmd"}

// kits are in those parts and belong to tests.
var kits = []string{"adapters/adaptertest", "adapters/storetest"}

// logMessages finds the texts of all lines that are written with a level above info, or
// with one that is decided as it runs, and where each is. A text that is no constant is
// returned in odd: nobody could look it up.
func logMessages(t *testing.T) (messages map[string]string, odd []string) {
	t.Helper()
	messages = map[string]string{}
	for _, part := range logging {
		err := filepath.WalkDir(part, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (slices.Contains(kits, filepath.ToSlash(path)) || d.Name() == "testdata"):
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				where := fset.Position(call.Pos())
				if arg := messageOf(call); arg == nil {
				} else if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					messages[text] = where.String()
				} else {
					odd = append(odd, where.String())
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return messages, odd
}

// messageOf returns the text of a call that writes a line, or nil. Loggers are told from
// testing.T and errors by their arguments: these take none, those a message.
func messageOf(call *ast.CallExpr) ast.Expr {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at := 0
	switch sel.Sel.Name {
	case "Error", "Warn":
	case "ErrorContext", "WarnContext":
		at = 1
	case "LogAttrs", "Log":
		at = 2
		if len(call.Args) > 2 {
			if level, ok := call.Args[1].(*ast.SelectorExpr); ok && (level.Sel.Name == "LevelInfo" || level.Sel.Name == "LevelDebug") {
				return nil
			}
		}
	default:
		return nil
	}
	if len(call.Args) <= at {
		return nil
	}
	return call.Args[at]
}

var entry = regexp.MustCompile("(?m)^### `(.+)`$")

// TestEveryLogMessageIsExplained holds docs/operations.md to the source, both ways.
func TestEveryLogMessageIsExplained(t *testing.T) {
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	messages, odd := logMessages(t)
	for _, where := range odd {
		t.Errorf("%s: the text of a log line must be a constant, what varies belongs into attributes", where)
	}
	explained := map[string]bool{}
	for _, m := range entry.FindAllStringSubmatch(string(page), -1) {
		if explained[m[1]] {
			t.Errorf("docs/operations.md explains %q twice", m[1])
		}
		explained[m[1]] = true
	}
	for text, where := range messages {
		if !explained[text] {
			t.Errorf("%s: docs/operations.md has no entry ### `%s`", where, text)
		}
	}
	for text := range explained {
		if messages[text] == "" {
			t.Errorf("docs/operations.md explains %q, which nobody logs", text)
		}
	}
	if len(messages) < 20 {
		t.Errorf("only %d messages were found", len(messages))
	}
	// Each entry says what it means and what is to be done.
	sections := regexp.MustCompile("(?m)^##+ ").Split(string(page), -1)
	for _, s := range sections {
		if strings.HasPrefix(s, "`") && !strings.Contains(s, "\n\nDo: ") {
			t.Errorf("the entry %s does not say what to do (a paragraph that begins with Do:)", strings.SplitN(s, "\n", 2)[0])
		}
	}
}

// TestOperationsNamesMetrics: every metric that the page's queries name is there, with the
// labels that they select.
func TestOperationsNamesMetrics(t *testing.T) {
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("adapters/prometheus/testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string][]string{}
	for _, line := range strings.Split(string(golden), "\n") {
		if name, rest, _ := strings.Cut(line, "{"); strings.HasPrefix(name, "sallyport_") {
			labels[name] = strings.Split(strings.TrimSuffix(rest, "}"), ",")
			if base, ok := strings.CutSuffix(name, "_count"); ok {
				labels[base+"_bucket"] = append(labels[name], "le")
			}
		}
	}
	uses := regexp.MustCompile(`(sallyport_[a-z_]+)(\{[^}]*\})?`).FindAllStringSubmatch(string(page), -1)
	for _, u := range uses {
		have, ok := labels[u[1]]
		if !ok {
			t.Errorf("docs/operations.md names %s, which is no metric", u[1])
		}
		for _, l := range regexp.MustCompile(`([a-z]+)(=~?|!~?=?)"`).FindAllStringSubmatch(u[2], -1) {
			if !slices.Contains(have, l[1]) {
				t.Errorf("docs/operations.md: %s has no label %s", u[1], l[1])
			}
		}
	}
	if len(uses) < 10 {
		t.Errorf("only %d uses of metrics were found", len(uses))
	}
	for _, block := range regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if why := unbalanced(block[1]); why != "" {
			t.Errorf("%s in\n%s", why, block[1])
		}
	}
}

// unbalanced tells of brackets that do not fit.
func unbalanced(text string) string {
	var open []rune
	pair := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, r := range text {
		switch r {
		case '(', '[', '{':
			open = append(open, r)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != pair[r] {
				return "a bracket closes nothing"
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return "a bracket is not closed"
	}
	return ""
}
