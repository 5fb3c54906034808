// Command gen writes the comments of all options as JSON, for package server to embed.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"log"
	"os"

	"github.com/sallyport-auth/sallyport/server/internal/optdoc"
)

func main() {
	root := flag.String("root", ".", "the module's `folder`")
	out := flag.String("o", "", "the `file` to write")
	flag.Parse()
	comments, err := optdoc.Read(*root, optdoc.Module, optdoc.Folders...)
	if err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	if err := e.Encode(comments); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, b.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
