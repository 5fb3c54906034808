package server

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/server/internal/optdoc"
)

// TestCommentsAreFresh reads the comments of all options again.
func TestCommentsAreFresh(t *testing.T) {
	want, err := optdoc.Read("..", optdoc.Module, optdoc.Folders...)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(want, comments()) {
		t.Error("comments.json is stale: run go generate ./server")
	}
}

// TestEveryOptionIsDocumented goes by the comments of today's source.
func TestEveryOptionIsDocumented(t *testing.T) {
	all, err := optdoc.Read("..", optdoc.Module, optdoc.Folders...)
	if err != nil {
		t.Fatal(err)
	}
	var visit func([]option)
	visit = func(list []option) {
		for _, o := range list {
			if all[o.field] == "" {
				t.Errorf("%s (%s) has no comment", o.path, o.field)
			}
			visit(o.under)
		}
	}
	visit(optionsOf(reflect.TypeFor[Config](), ""))
}

func TestDocsOfPlugins(t *testing.T) {
	docs := Docs(toys()...)
	for _, want := range []string{
		"\n### plugins.toy\n\n- **`plugins.toy.limit`** (whole number; `SALLYPORT_PLUGINS_TOY_LIMIT`)\n",
		"- **`plugins.toy.names`** (list of texts; `SALLYPORT_PLUGINS_TOY_NAMES`): Names of toys.\n",
		"\n### plugins.second\n\nIt has no options.\n",
	} {
		if !strings.Contains(docs, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestReadComments(t *testing.T) {
	root := t.TempDir()
	source := "package p\n\ntype O struct {\n\t// First and\n\t// Second.\n\tFirst int `yaml:\"first\"`\n\tSecond int `yaml:\"second\"`\n\n\tThird int `yaml:\"third\"`\n\tFourth int `yaml:\"fourth\"` // at the end\n\tother int\n\tFifth int `yaml:\"fifth\"`\n}\n"
	if err := os.MkdirAll(filepath.Join(root, "a", "p"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "a", "p", "p.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := optdoc.Read(root, "m.example", "a")
	want := map[string]string{"m.example/a/p.O.First": "First and Second.", "m.example/a/p.O.Second": "\nFirst", "m.example/a/p.O.Fourth": "at the end"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
