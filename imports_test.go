// Package sallyport_test holds what is true of the whole module.
package sallyport_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sallyport-auth/sallyport/"

// outside are the modules that each part may import beside the standard library. A
// plugin may have one of its own, for its protocol.
var outside = map[string][]string{
	"core":       {"golang.org/x/crypto", "golang.org/x/net", "golang.org/x/text", "github.com/go-jose/go-jose", "github.com/golang-jwt/jwt"},
	"adapters":   {"github.com/jmoiron/sqlx", "github.com/lib/pq", "modernc.org/sqlite", "github.com/wneessen/go-mail", "github.com/prometheus/client_golang", "github.com/redis/rueidis", "go.opentelemetry.io", "google.golang.org/protobuf", "golang.org/x/net", "golang.org/x/text"},
	"server":     {"github.com/gofiber/fiber", "github.com/goccy/go-yaml", "github.com/valyala/fasthttp"},
	"authtest":   {"github.com/gofiber/fiber"},
	"migrations": {}, "plugintest": {}, "cli": {}, "cmd": {},
}

// inside are the parts of the module that each part may import.
var inside = map[string][]string{
	"core": {"core"}, "core/contract": {}, "core/schema": {}, "core/storage": {"core/schema"},
	"plugins":          {"core"},
	"adapters":         {"adapters", "core/contract", "core/schema", "core/storage", "core"},
	"migrations":       {"core/schema", "core/storage"},
	"migrations/adopt": {"migrations", "core/schema", "core/storage"},
	"server":           {"server", "adapters", "core", "migrations"},
	"server/v1":        {"core"}, // a plugin, but for its name
	"cli":              {"server", "core", "migrations"},
	"plugintest":       {"core", "adapters", "migrations"},
	"authtest":         {"core", "adapters", "migrations", "plugintest"},
}

// unruled parts are programs and examples: they see all.
var unruled = []string{"cmd", "conformance", "examples", "bench", "tools", "scripts"}

// forbidden says why a package may not import another, or "".
func forbidden(pkg, imported string) string {
	pkg = strings.TrimPrefix(pkg, module)
	part, _, _ := strings.Cut(pkg, "/")
	local, ours := strings.CutPrefix(imported, module)
	if slices.Contains(unruled, part) {
		return ""
	}
	if !ours {
		first, _, _ := strings.Cut(imported, "/")
		if !strings.Contains(first, ".") || part == "plugins" { // standard library; see protocols
			return ""
		}
		if pkg == "core/contract" || pkg == "core/schema" || pkg == "core/storage" {
			return "only the standard library"
		}
		if list, ok := outside[part]; !ok || !under(imported, list) {
			return "not one of the libraries of " + part
		}
		return ""
	}
	if part == "plugins" {
		return plugin(pkg, local)
	}
	list, ok := inside[pkg]
	if !ok {
		list, ok = inside[part]
	}
	if !ok {
		return "there is no rule for " + part + ": add one"
	}
	if !under(local, list) {
		return part + " may import " + strings.Join(list, ", ")
	}
	return ""
}

// plugin: core's public packages, its own folders, and the leaf packages of points that
// other plugins export (plugins/NAME/LEAF), which import no plugin themselves.
func plugin(pkg, local string) string {
	p, i := strings.Split(pkg, "/"), strings.Split(local, "/")
	switch {
	case i[0] == "core":
		return "" // the compiler keeps core/internal to core
	case i[0] != "plugins":
		return "a plugin knows core and nothing else"
	case i[1] == p[1]:
		return ""
	case len(i) < 3:
		return "a plugin imports no other plugin, only leaf packages of points"
	case len(p) > 2:
		return "a leaf package imports no plugin"
	}
	return ""
}

// under tells whether a path is one of the list or below it.
func under(path string, list []string) bool {
	return slices.ContainsFunc(list, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

// drivers and servers are no plugin's business.
var notForPlugins = []string{"github.com/lib/pq", "github.com/jackc", "github.com/jmoiron", "modernc.org", "github.com/gofiber", "github.com/valyala",
	"github.com/goccy", "database/sql"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) (out []goPackage) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

func TestImports(t *testing.T) {
	protocols := map[string]map[string]bool{} // libraries of each plugin
	list := packages(t)
	for _, p := range list {
		rest := strings.Split(strings.TrimPrefix(p.ImportPath, module), "/")
		for _, i := range p.Imports {
			if why := forbidden(p.ImportPath, i); why != "" {
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(p.ImportPath, module), i, why)
			}
			if rest[0] != "plugins" {
				continue
			}
			if under(i, notForPlugins) {
				t.Errorf("%s imports %s: drivers and servers are no plugin's business", strings.Join(rest, "/"), i)
			}
			if host := strings.Split(i, "/"); strings.Contains(host[0], ".") && !strings.HasPrefix(i, module) && host[0] != "golang.org" {
				if protocols[rest[1]] == nil {
					protocols[rest[1]] = map[string]bool{}
				}
				protocols[rest[1]][strings.Join(host[:min(3, len(host))], "/")] = true
			}
		}
	}
	for name, libs := range protocols {
		if len(libs) > 1 {
			t.Errorf("plugins/%s imports %d libraries, want at most one: %v", name, len(libs), libs)
		}
	}
	if len(list) < 20 {
		t.Errorf("only %d packages were looked at", len(list))
	}
}

func TestImportRules(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		refused       bool
	}{
		{"core", "core/schema", false},
		{"core", "plugins/jwt", true},
		{"core", "adapters/sqlite", true},
		{"core", "github.com/gofiber/fiber/v2", true},
		{"core", "golang.org/x/crypto/argon2", false},
		{"core/internal/cookie", "github.com/go-jose/go-jose/v4", false},
		{"core/schema", "core/storage", true},
		{"core/contract", "golang.org/x/text/language", true},
		{"core/storage", "core", true},
		{"plugins/organization", "core", false},
		{"plugins/organization", "plugins/organization/orghook", false},
		{"plugins/vault", "plugins/organization/orghook", false},
		{"plugins/vault", "plugins/organization", true},
		{"plugins/organization/orghook", "plugins/vault/vaulthook", true},
		{"plugins/jwt", "server", true},
		{"plugins/jwt", "adapters/sqlite", true},
		{"adapters/smtp", "plugins/jwt", true},
		{"adapters/smtp", "core/contract", false},
		{"server/fiber", "plugins/jwt", true},
		{"server/v1", "core/contract", false},
		{"server/v1", "server", true},
		{"migrations", "core", true},
		{"plugintest", "plugins/jwt", true},
		{"cmd/sallyport", "plugins/jwt", false},
		{"newpart", "core", true},
	} {
		imported := c.imported
		if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
			imported = module + imported
		}
		if why := forbidden(module+c.pkg, imported); (why != "") != c.refused {
			t.Errorf("%s imports %s: refused %v (%s)", c.pkg, c.imported, why != "", why)
		}
	}
}
