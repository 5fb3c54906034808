package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Only the gate inserts sessions: no other statement in the repository does.
func TestOnlyTheGateMakesSessions(t *testing.T) {
	fset := token.NewFileSet()
	found := []string{}
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == ".git"):
			return filepath.SkipDir
		case path == "../bench" && d.IsDir(): // what measures fills databases of its own, by the thousand
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return nil // a file that does not compile has another test
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr: // the model's ready-made statement
				if x, ok := n.X.(*ast.SelectorExpr); ok && x.Sel.Name == "sessionModel" && n.Sel.Name == "insert" {
					found = append(found, filepath.ToSlash(path))
				}
			case *ast.BasicLit:
				s, err := strconv.Unquote(n.Value)
				if n.Kind == token.STRING && err == nil && insertsSession(s) {
					found = append(found, filepath.ToSlash(path))
				}
			case *ast.CallExpr: // a typed table of sessions
				if len(n.Args) > 0 && strings.Contains(exprText(n.Fun), "TableOf") {
					if lit, ok := n.Args[0].(*ast.BasicLit); ok && lit.Value == `"session"` {
						found = append(found, filepath.ToSlash(path))
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found, []string{"../core/gate.go"}) {
		t.Errorf("sessions are inserted in %v, want core/gate.go alone, once", found)
	}
	for _, s := range []string{"INSERT INTO {session=} (x)", "insert into {session}", `INSERT INTO "session" VALUES`} {
		if !insertsSession(s) {
			t.Errorf("the test would miss %s", s)
		}
	}
}

func insertsSession(s string) bool {
	s = strings.NewReplacer(`"`, "", "{", "", "}", "", "=", "").Replace(strings.ToLower(s))
	_, rest, ok := strings.Cut(s, "insert into ")
	return ok && (rest == "session" || strings.HasPrefix(rest, "session "))
}

func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return exprText(e.X)
	}
	return ""
}
