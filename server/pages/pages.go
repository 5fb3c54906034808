package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed static
var static embed.FS

const (
	defaultBasePath = "/api/auth"
	defaultAppName  = "Sallyport"

	maxAppName = 60      // runes; longer names do not fit the header of a phone
	maxModule  = 1 << 20 // bytes of one module
)

// routes are the paths at which the shell is served; its router shows the view.
var routes = []string{"/", "/sign-in", "/sign-up", "/forgot", "/reset", "/verify", "/challenge", "/account"}

var (
	pathPattern   = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)
	modulePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.js$`)
	entryPattern  = regexp.MustCompile(`^/p/[a-z0-9]+(-[a-z0-9]+)*$`)
	assetPattern  = regexp.MustCompile(`^/a/[0-9a-f]{16}/([a-z0-9.-]+)$`)
)

// Options says where the pages are and what they are called.
type Options struct {
	// BasePath is where the authentication routes are, without a trailing slash.
	// Default: /api/auth.
	BasePath string
	// AppName is the name that titles and headings carry, at most 60 characters.
	// Default: Sallyport.
	AppName string
	// Prefix is the path below which the pages are mounted, without a trailing slash.
	// Default: empty, the pages are at the root.
	Prefix string
	// Modules holds the modules of plugins in its root, each named like "passkey.js"
	// and at most 1 MiB. Nothing but modules may be in it, and none may have the name
	// of a module of this package. Default: none.
	Modules fs.FS
}

// Pages holds every answer, made once by [New]. It is safe for concurrent use.
type Pages struct {
	prefix string
	asset  string // "/a/<hash>/": where the shell's parts are, below the prefix
	fixed  map[string]answer
	parts  map[string]answer // by name, without the hash
	shell  document
	absent document
}

type answer struct {
	status int
	header map[string]string
	body   []byte
}

// New prepares the pages. Its error names every fault of opts.
func New(opts Options) (*Pages, error) {
	if opts.BasePath == "" {
		opts.BasePath = defaultBasePath
	}
	if opts.AppName == "" {
		opts.AppName = defaultAppName
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	p := &Pages{prefix: opts.Prefix, fixed: map[string]answer{}, parts: map[string]answer{}}
	if err := p.addModules(opts.Modules); err != nil {
		return nil, err
	}
	if err := p.addParts(); err != nil {
		return nil, err
	}
	if err := p.addDocuments(opts); err != nil {
		return nil, err
	}
	return p, nil
}

func (o Options) check() error {
	var errs []error
	if !pathPattern.MatchString(o.BasePath) {
		errs = append(errs, fmt.Errorf("pages: BasePath %q is not a plain absolute path", o.BasePath))
	}
	if o.Prefix != "" && !pathPattern.MatchString(o.Prefix) {
		errs = append(errs, fmt.Errorf("pages: Prefix %q is not empty and not a plain absolute path", o.Prefix))
	}
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.ValidString(o.AppName) || strings.ContainsFunc(o.AppName, unprintable) ||
		strings.TrimSpace(o.AppName) == "" || utf8.RuneCountInString(o.AppName) > maxAppName {
		errs = append(errs, fmt.Errorf("pages: AppName must be 1 to %d printable characters", maxAppName))
	}
	return errors.Join(errs...)
}

// Serve answers a GET for path, the raw request path with the prefix and without the
// query. For HEAD the mount leaves the body out; for other methods it answers 405. A
// path that is not one of the pages' is 404 with a small page; there are no listings,
// and no other spelling of a path (encoded, doubled slashes, dots) is ever resolved.
// The header is the caller's to change; the body is shared and must not be written to.
// acceptLanguage is the request's header of that name: the documents' few texts go by it.
func (p *Pages) Serve(path, acceptLanguage string) (status int, header map[string]string, body []byte) {
	a := p.find(path, acceptLanguage)
	return a.status, maps.Clone(a.header), a.body
}

func (p *Pages) find(path, acceptLanguage string) answer {
	path, ok := strings.CutPrefix(path, p.prefix)
	if !ok {
		return p.absent.in(acceptLanguage)
	}
	if path == "" {
		path = "/"
	}
	if a, ok := p.fixed[path]; ok {
		return a
	}
	if slices.Contains(routes, path) || entryPattern.MatchString(path) {
		return p.shell.in(acceptLanguage)
	}
	// While replicas of two versions run side by side, a document of one may ask the
	// other for its parts. They are served, but not to be kept under that hash.
	if m := assetPattern.FindStringSubmatch(path); m != nil {
		if a, ok := p.parts[m[1]]; ok {
			a.header = maps.Clone(a.header)
			a.header["Cache-Control"] = cacheNever
			return a
		}
	}
	return p.absent.in(acceptLanguage)
}

// addModules takes our modules and those of plugins.
func (p *Pages) addModules(extra fs.FS) error {
	own, err := fs.Sub(static, "static/m")
	if err != nil {
		return err
	}
	var errs []error
	for _, source := range []fs.FS{own, extra} {
		if source == nil {
			continue
		}
		files, err := fs.ReadDir(source, ".")
		if err != nil {
			return fmt.Errorf("pages: reading modules: %w", err)
		}
		for _, f := range files {
			errs = append(errs, p.addModule(source, f.Name()))
		}
	}
	return errors.Join(errs...)
}

func (p *Pages) addModule(source fs.FS, name string) error {
	if !modulePattern.MatchString(name) {
		return fmt.Errorf("pages: %q is not the name of a module (like two-factor.js)", name)
	}
	if _, taken := p.fixed["/m/"+name]; taken {
		return fmt.Errorf("pages: module %q is there already", name)
	}
	body, err := fs.ReadFile(source, name)
	if err != nil {
		return fmt.Errorf("pages: reading module %q: %w", name, err)
	}
	if len(body) > maxModule {
		return fmt.Errorf("pages: module %q has %d bytes, more than %d", name, len(body), maxModule)
	}
	p.fixed["/m/"+name] = file(name, cacheCheck, body)
	return nil
}

// addParts takes the files of the shell. They are one unit and import one another by
// relative path, so one hash over all of them stands in the path of each.
func (p *Pages) addParts() error {
	files, err := fs.ReadDir(static, "static")
	if err != nil {
		return err
	}
	sum := sha256.New()
	for _, f := range files {
		name := f.Name()
		if f.IsDir() || path.Ext(name) == ".html" {
			continue
		}
		body, err := static.ReadFile("static/" + name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(body), body)
		p.parts[name] = file(name, cacheForever, body)
	}
	p.asset = "/a/" + hex.EncodeToString(sum.Sum(nil)[:8]) + "/"
	for name, a := range p.parts {
		p.fixed[p.asset+name] = a
	}
	return nil
}

func file(name, cache string, body []byte) answer {
	types := map[string]string{
		".js":  "text/javascript; charset=utf-8", // RFC 9239, section 6
		".css": "text/css; charset=utf-8",
		".svg": "image/svg+xml",
	}
	h := headers(types[path.Ext(name)], cache)
	h["ETag"] = etag(body)
	return answer{200, h, body}
}
