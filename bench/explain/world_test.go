// Package explain shows how PostgreSQL finds what endpoints ask for: it records the
// statements of requests with all plugins on, and compares their plans with a golden file.
package explain

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
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
	"github.com/sallyport-auth/sallyport/plugintest"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

const (
	password   = "correct horse battery"
	serviceKey = "a service key of thirty-two characters"
)

type m = plugintest.M

// world is an Auth with every plugin on PostgreSQL.
type world struct {
	*plugintest.Harness
	r *recorder
	// owner leads to the database as a superuser, role as the program has it: bound by
	// row-level security.
	owner, role string
	want        *schema.Schema
	names       schema.Names
}

// mailServer has every mailbox.
type mailServer struct{}

func (mailServer) Taken(context.Context, string, string) (bool, error) { return false, nil }
func (mailServer) Create(context.Context, contract.Mailbox) (string, error) {
	return "mailbox", nil
}
func (mailServer) Delete(context.Context, string, string) error { return nil }

func everyPlugin(t *testing.T) []core.Plugin {
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return []core.Plugin{
		emailpassword.New(emailpassword.Options{}), magiclink.New(magiclink.Options{}), passkey.New(passkey.Options{}),
		twofactor.New(twofactor.Options{}), jwt.New(jwt.Options{DisableHeader: true}), bearer.New(bearer.Options{}),
		organization.New(organization.Options{Teams: organization.TeamOptions{Enabled: true}, DynamicAccessControl: organization.DynamicOptions{Enabled: true}}),
		vault.New(vault.Options{Keyring: "k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}),
		missiongrant.New(missiongrant.Options{PublicKey: public, ServiceKey: serviceKey}),
		mailprovisioning.New(mailprovisioning.Options{Domain: "mail.example.com", Provisioner: mailServer{}, ServiceKey: serviceKey}),
		// Nobody answers there: deliveries fail and are put off.
		webhooks.New(webhooks.Options{AllowHTTP: true, AllowNetworks: []string{"127.0.0.0/8"}, Endpoints: []webhooks.Endpoint{
			{URL: "http://127.0.0.1:9/hook", Secret: "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}}}),
		i18n.New(i18n.Options{}), mail.New(mail.Options{URL: "https://mail.example.com"}),
		v1.New(v1.Options{MaxDailySignUps: 1000}),
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{owner: adaptertest.PostgresURL(t)}
	w.role = adaptertest.PostgresRole(t, w.owner, "GRANT USAGE, CREATE ON SCHEMA public TO $role")
	db, err := postgres.Open(t.Context(), w.role, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.r = &recorder{Database: db}
	on := true
	w.Harness = plugintest.New(t, plugintest.Options{Plugins: everyPlugin(t), Config: func(c *core.Config) {
		c.Database = w.r
		c.Audit.Chain = true
		c.RateLimit = core.RateLimitConfig{Enabled: &on, Storage: "database"}
		c.User.DeleteUser.Enabled, c.User.ChangeEmail.Enabled = true, true
	}})
	w.want, w.names, _ = w.Auth.Schema()
	return w
}

// actor is a client whose requests are steps.
type actor struct {
	*plugintest.Client
	w *world
}

func (w *world) actor() *actor { return &actor{w.Client(), w} }

func (a *actor) do(method, path string, body any) *plugintest.Answer {
	a.w.T.Helper()
	a.w.Clock.Advance(time.Minute) // no limit is reached
	name, _, _ := strings.Cut(path, "?")
	a.w.r.begin(method + " " + name)
	return a.Do(plugintest.Request{Method: method, Path: path, Body: body}).Want(200)
}

func (a *actor) get(path string) *plugintest.Answer { return a.do("GET", path, nil) }

func (a *actor) post(path string, body any) *plugintest.Answer { return a.do("POST", path, body) }

// jobs does what is due.
func (w *world) jobs() {
	w.T.Helper()
	w.r.begin("jobs")
	w.RunJobs()
}

// mailed does the jobs and returns the message.
func (w *world) mailed(to, template string) contract.Message {
	w.T.Helper()
	w.jobs()
	msg, ok := w.Outbox.Take(to, template)
	if !ok {
		w.T.Fatalf("no mail %s to %s", template, to)
	}
	return msg
}
