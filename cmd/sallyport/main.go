// Command sallyport is the authentication server with every built-in plugin. A server
// with further plugins is a main like this one with more entries.
package main

import (
	"github.com/sallyport-auth/sallyport/cli"
	"github.com/sallyport-auth/sallyport/plugins/bearer"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/i18n"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugins/magiclink"
	"github.com/sallyport-auth/sallyport/plugins/mail"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugins/passkey"
	"github.com/sallyport-auth/sallyport/plugins/twofactor"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	"github.com/sallyport-auth/sallyport/plugins/webhooks"
	"github.com/sallyport-auth/sallyport/server"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// plugins are the built-in ones, in the order in which their hooks run by default.
var plugins = []server.PluginEntry{
	server.Entry(emailpassword.ID, emailpassword.New),
	server.Entry(magiclink.ID, magiclink.New),
	server.Entry(passkey.ID, passkey.New),
	server.Entry(twofactor.ID, twofactor.New),
	server.Entry(organization.ID, organization.New),
	server.Entry(jwt.ID, jwt.New),
	server.Entry(bearer.ID, bearer.New),
	server.Entry(vault.ID, vault.New).OnRequest(),
	server.Entry(missiongrant.ID, missiongrant.New).OnRequest(),
	server.Entry(mailprovisioning.ID, mailprovisioning.New).OnRequest(),
	server.Entry(webhooks.ID, webhooks.New).OnRequest(),
	server.Entry(i18n.ID, i18n.New).OnRequest(),
	server.Entry(mail.ID, mail.New).OnRequest(),
	server.Entry(v1.ID, v1.New).OnRequest(),
}

// version is set by the linker; empty leaves it to what the toolchain recorded.
var version string

func main() { cli.Main(cli.Program{Version: version, Plugins: plugins}) }
