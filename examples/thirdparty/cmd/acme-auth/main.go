// Command acme-auth is the standalone server with one plugin more: its config file may
// enable "notes".
package main

import (
	"github.com/sallyport-auth/sallyport/cli"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/server"

	notes "example.com/notes"
)

func main() {
	cli.Main(cli.Program{Name: "acme-auth", Plugins: []server.PluginEntry{
		server.Entry(emailpassword.ID, emailpassword.New),
		server.Entry("notes", notes.New),
	}})
}
