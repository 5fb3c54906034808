package sallyport_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// guessable are the functions that compare something with what somebody may guess: a
// password, or a short code. Where one of them is called, an attempt has been reserved
// before, in the same function or by the one that is named here in its place.
var guessable = []string{
	"core.CheckPassword",
	"plugins/twofactor.isOTP", "plugins/twofactor.withoutCode",
	"plugins/twofactor.at", "plugins/twofactor.match",
}

// unguessable compare what has at least 128 bits, or was made with a key that nobody
// outside has: guessing it is hopeless, and nothing counts.
var unguessable = []string{
	"core.VerifySecretMAC",
	"core/internal/cookie.Verify", "core/internal/cookie.compactValid",
	"core/internal/password.Verify", // under core.CheckPassword, its only caller
	"plugins/magiclink.confirm", "plugins/mailprovisioning.service", "plugins/missiongrant.runner",
	"plugins/vault.fits", "server/v1.judge",
}

// reserving take an attempt before they return, and fail where there is none left.
var reserving = []string{"Reserve", "begin"}

// comparing are the functions outside the module that compare secrets, or make what is then
// compared.
var comparing = map[string][]string{
	"subtle": {"ConstantTimeCompare", "ConstantTimeEq"}, "hmac": {"Equal"}, "hasher": {"Verify"}, "bcrypt": {"CompareHashAndPassword"},
	"totp": {"GenerateCode", "GenerateCodeCustom", "Validate", "ValidateCustom"},
	"hotp": {"GenerateCode", "GenerateCodeCustom", "Validate", "ValidateCustom"},
}

// typed are names of what a client has typed. == with one of them is a comparison as well.
var typed = []string{"Code", "OTP", "Password", "CurrentPassword", "Pin", "PIN"}

// A password or a code is compared behind a reserved attempt, or else parallel guesses are
// free (CVE-2024-4629). What compares anew has to be entered above.
func TestGuessesAreReserved(t *testing.T) {
	g := guesses{compares: map[string]bool{}}
	for _, root := range []string{"adapters", "core", "plugins", "server"} {
		if err := g.walk(root); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range g.faults() {
		t.Error(f)
	}
	for _, name := range slices.Concat(guessable, unguessable) {
		if !g.compares[name] {
			t.Errorf("%s compares nothing any more: strike it out", name)
		}
	}
}

// The test sees what it is for.
func TestGuessesAreFound(t *testing.T) {
	for src, want := range map[string]string{
		`subtle.ConstantTimeCompare(a, b)`:                             "new.f compares",
		`h.hasher.Verify(ctx, hash, pass)`:                             "new.f calls hasher.Verify without",
		`totp.Validate(code, key)`:                                     "new.f compares",
		`_ = in.Code == want`:                                          "new.f compares",
		`_ = in.Code == ""`:                                            "",
		`p.match(key, code, now)`:                                      "plugins/twofactor.f calls match",
		`p.match(key, code, now); a.Reserve(ctx, id)`:                  "plugins/twofactor.f calls match",
		`if g, err := p.begin(ctx); err == nil { p.match(key, code) }`: "",
	} {
		dir := "new"
		if strings.Contains(src, "match") {
			dir = "plugins/twofactor"
		}
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package p\nfunc f() { "+src+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		g := guesses{compares: map[string]bool{}}
		g.file(dir, file)
		got := strings.Join(g.faults(), "\n")
		if (want == "") != (got == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

// guesses are what a reading of the sources found.
type guesses struct {
	compares map[string]bool // functions that do, by folder and name
	free     []string        // calls without an attempt
}

func (g *guesses) walk(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err == nil {
			g.file(path.Dir(filepath.ToSlash(name)), file)
		}
		return err
	})
}

func (g *guesses) file(dir string, file *ast.File) {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			g.function(dir, f)
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool { // a function without a name
			if compares(n) != "" {
				g.compares[dir+" (a variable)"] = true
			}
			return true
		})
	}
}

// function reads one function from its top: an attempt that is reserved behind a
// comparison is none.
func (g *guesses) function(dir string, f *ast.FuncDecl) {
	name, reserved := dir+"."+f.Name.Name, false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		what := compares(n)
		if call, ok := n.(*ast.CallExpr); ok {
			_, callee := selector(call.Fun)
			reserved = reserved || slices.Contains(reserving, callee)
			if slices.Contains(guessable, dir+"."+callee) && callee != "CheckPassword" {
				what = callee
				if !reserved && !slices.Contains(guessable, name) {
					g.free = append(g.free, name+" calls "+callee+" without an attempt")
				}
			}
		}
		if what == "" {
			return true
		}
		if !slices.Contains(guessable, dir+"."+what) || slices.Contains(guessable, name) {
			g.compares[name] = true
		}
		if what == "hasher.Verify" && !reserved {
			g.free = append(g.free, name+" calls "+what+" without an attempt")
		}
		return true
	})
}

func (g *guesses) faults() []string {
	var out []string
	for name := range g.compares {
		if !slices.Contains(guessable, name) && !slices.Contains(unguessable, name) {
			out = append(out, name+" compares something with a secret: enter it as guessable or not")
		}
	}
	return slices.Sorted(slices.Values(append(out, g.free...)))
}

// compares names the comparison that a node is, if it is one.
func compares(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		of, callee := selector(n.Fun)
		if slices.Contains(comparing[of], callee) {
			return of + "." + callee
		}
	case *ast.BinaryExpr:
		if (n.Op == token.EQL || n.Op == token.NEQ) && (isTyped(n.X) && !isConstant(n.Y) || isTyped(n.Y) && !isConstant(n.X)) {
			return n.Op.String()
		}
	}
	return ""
}

// selector splits x.y.Name into "y" and "Name".
func selector(e ast.Expr) (of, name string) {
	switch e := e.(type) {
	case *ast.Ident:
		return "", e.Name
	case *ast.SelectorExpr:
		_, of = selector(e.X)
		return of, e.Sel.Name
	}
	return "", ""
}

// isTyped tells whether e is a member of an input ("in", as all are named) that holds a secret.
func isTyped(e ast.Expr) bool {
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	of, name := selector(e)
	return of == "in" && slices.Contains(typed, name)
}

func isConstant(e ast.Expr) bool {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name == "nil"
	}
	_, ok := e.(*ast.BasicLit)
	return ok
}
