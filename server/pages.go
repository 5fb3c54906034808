package server

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/gofiber/fiber/v2"

	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
	"github.com/sallyport-auth/sallyport/server/pages"
)

// makePages prepares the built-in pages. An entry whose module nobody brings is found
// here, not by the first visitor.
func (s *Server) makePages(entries []PluginEntry) (*pages.Pages, error) {
	h := s.auth.Host()
	p, err := pages.New(pages.Options{BasePath: strings.TrimPrefix(h.URL(""), h.BaseURL()), AppName: h.AppName(),
		Prefix: s.cfg.Pages.Prefix, Modules: moduleFiles(s.cfg.Plugins, entries)})
	if err != nil {
		return nil, err
	}
	for _, e := range s.auth.PageEntries() {
		if status, _, _ := p.Serve(s.cfg.Pages.Prefix+"/m/"+e.Module, ""); status != 200 {
			return nil, fmt.Errorf("pages: entry %s (%s) wants module %q, which its plugin does not bring: see PluginEntry.WithModules", e.ID, e.Kind, e.Module)
		}
	}
	return p, nil
}

// servePages answers GET and HEAD below the prefix.
func (s *Server) servePages(c *fiber.Ctx) error {
	x := authfiber.Exchange(c)
	path, prefix := x.Path(), s.cfg.Pages.Prefix
	if path != prefix && !strings.HasPrefix(path, prefix+"/") {
		return c.Next()
	}
	status, header, body := s.pages.Serve(path, x.Header("Accept-Language"))
	m := x.Method()
	if m != "GET" && m != "HEAD" {
		if status == fiber.StatusNotFound {
			return c.Next()
		}
		c.Set("Allow", "GET, HEAD")
		return c.SendStatus(fiber.StatusMethodNotAllowed)
	}
	if status == fiber.StatusNotFound && strings.HasPrefix(path, s.basePath()) {
		return c.Next() // what is near the wire answers as the wire does
	}
	for name, value := range header {
		c.Set(name, value)
	}
	if pages.Match(x.Header("If-None-Match"), header["ETag"]) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	// The body is shared by all answers: fasthttp must not append to it.
	c.Status(status).Response().SetBodyRaw(body)
	return nil
}

func (s *Server) basePath() string {
	h := s.auth.Host()
	return strings.TrimPrefix(h.URL(""), h.BaseURL())
}

// moduleFiles are the modules of the enabled plugins as one folder.
func moduleFiles(enabled Plugins, entries []PluginEntry) fs.FS {
	var out union
	for _, p := range enabled {
		if e := find(entries, p.ID); e != nil && e.modules != nil {
			out = append(out, e.modules)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// union is several file systems with files in their roots.
type union []fs.FS

func (u union) Open(name string) (fs.File, error) {
	for _, f := range u {
		if file, err := f.Open(name); err == nil {
			return file, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS. The same name twice stays in the list twice: package
// pages refuses it.
func (u union) ReadDir(name string) ([]fs.DirEntry, error) {
	var out []fs.DirEntry
	for _, f := range u {
		list, err := fs.ReadDir(f, name)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}
