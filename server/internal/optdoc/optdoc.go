// Package optdoc reads the comments of options from Go source, so that each is written
// once: at its field.
package optdoc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Module is our import path.
const Module = "github.com/sallyport-auth/sallyport"

// Folders are where options are declared.
var Folders = []string{"core", "server", "adapters", "plugins"}

// Read returns the comments of all struct fields with a yaml tag below root, by import
// path, type and field ("example.com/mod/pkg.Type.Field"). A field without a comment
// that stands directly below one with a comment shares it: the text is then a line feed
// and the name of that field. module is the import path of root.
func Read(root, module string, folders ...string) (map[string]string, error) {
	out := map[string]string{}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return nil
			}
			dir, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			return readFile(file, path.Join(module, filepath.ToSlash(dir)), out)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readFile(file, pkg string, out map[string]string) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, src, parser.ParseComments)
	if err != nil {
		return err
	}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			fields(set, s, pkg+"."+spec.Name.Name+".", out)
		}
		return true
	})
	return nil
}

func fields(set *token.FileSet, s *ast.StructType, prefix string, out map[string]string) {
	leader, line := "", 0
	for _, f := range s.Fields.List {
		if f.Tag == nil || !strings.Contains(f.Tag.Value, `yaml:"`) || len(f.Names) != 1 {
			leader = ""
			continue
		}
		name := f.Names[0].Name
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		at := set.Position(f.Pos()).Line
		switch {
		case text != "":
			leader = name
			out[prefix+name] = strings.Join(strings.Fields(text), " ")
		case leader != "" && at == line+1:
			out[prefix+name] = "\n" + leader
		}
		line = set.Position(f.End()).Line
	}
}
