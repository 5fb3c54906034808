package webhooks

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestFaults(t *testing.T) {
	good := Endpoint{URL: "https://hooks.example.com/sallyport", Secret: secretA}
	other := Endpoint{URL: "https://other.example.com/", Secret: secretB}
	with := func(change func(*Endpoint)) Options {
		e := good
		change(&e)
		return Options{Endpoints: []Endpoint{e}}
	}
	url := func(s string) Options { return with(func(e *Endpoint) { e.URL = s }) }
	secret := func(s string) Options { return with(func(e *Endpoint) { e.Secret = s }) }
	missing := filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct {
		o    Options
		want string // empty: no fault
	}{
		"good":             {with(func(*Endpoint) {}), ""},
		"two":              {Options{Endpoints: []Endpoint{good, other}}, ""},
		"nobody":           {Options{}, "endpoints: there is nobody to tell"},
		"no URL":           {url(""), "endpoints[0].url: want https://host/path"},
		"broken URL":       {url("https://exa mple/%zz"), "endpoints[0].url: it is no URL"},
		"other scheme":     {url("ftp://example.com/"), "want https://"},
		"file":             {url("file:///etc/passwd"), "want https://"},
		"opaque":           {url("https:example.com"), "want https://"},
		"http":             {url("http://example.com/"), "readable on the way"},
		"userinfo":         {url("https://ada:hunter2@example.com/"), "a name and password"},
		"fragment":         {url("https://example.com/#x"), "fragment"},
		"private":          {url("https://10.0.0.1/"), "10.0.0.1 is no public address"},
		"metadata":         {url("https://169.254.169.254/"), "169.254.169.254 is no public address"},
		"mapped":           {url("https://[::ffff:127.0.0.1]/"), "is no public address"},
		"loopback":         {url("http://127.0.0.1:3000/"), "127.0.0.1 is no public address"},
		"localhost":        {url("http://localhost:3000/"), "localhost is no public address"},
		"no secret":        {secret(""), "endpoints[0].secret: want 1 to 5"},
		"six secrets":      {secret(strings.Repeat(secretA+" ", 6)), "endpoints[0].secret: want 1 to 5"},
		"no prefix":        {secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "want whsec_"},
		"no base64":        {secret("whsec_%%%"), "no base64"},
		"23 bytes":         {secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY="), "23 bytes: want 24 to 64"},
		"65 bytes":         {secret("whsec_" + strings.Repeat("AAEC", 21) + "AAE="), "65 bytes: want 24 to 64"},
		"weak":             {secret("whsec_" + strings.Repeat("AAEC", 8)), "too little variety"},
		"twice":            {secret(secretA + " " + secretA), "it was given before"},
		"shared secret":    {Options{Endpoints: []Endpoint{good, {URL: other.URL, Secret: secretA}}}, "endpoints[1].secret: it was given before, by endpoints[0]"},
		"same URL":         {Options{Endpoints: []Endpoint{good, {URL: good.URL, Secret: secretB}}}, "endpoints[1].url: endpoints[0] has the same"},
		"secret and file":  {with(func(e *Endpoint) { e.SecretFile = os.Args[0] }), "secretFile: give it or secret"},
		"missing file":     {with(func(e *Endpoint) { e.Secret, e.SecretFile = "", missing }), "endpoints[0].secretFile: "},
		"unknown event":    {with(func(e *Endpoint) { e.Events = []string{"user.created", "user.create"} }), `"user.create" is no type`},
		"unknown pattern":  {with(func(e *Endpoint) { e.Events = []string{"users.*"} }), `"users.*" is no type`},
		"half a word":      {with(func(e *Endpoint) { e.Events = []string{"us*"} }), `"us*" is no type`},
		"empty event":      {with(func(e *Endpoint) { e.Events = []string{""} }), `"" is no type`},
		"long timeout":     {Options{Endpoints: []Endpoint{good}, Timeout: 26 * time.Second}, "timeout: 26s"},
		"negative timeout": {Options{Endpoints: []Endpoint{good}, Timeout: -1}, "timeout: -1ns"},
		"no network":       {Options{Endpoints: []Endpoint{good}, AllowNetworks: []string{"10.0.0.1"}}, "allowNetworks[0]: "},
		"all networks":     {Options{Endpoints: []Endpoint{good}, AllowNetworks: []string{"10.0.0.0/8", "0.0.0.0/0"}}, "allowNetworks[1]: "},
		"host bits":        {Options{Endpoints: []Endpoint{good}, AllowNetworks: []string{"10.1.2.3/8"}}, "allowNetworks[0]: "},
		"mapped network":   {Options{Endpoints: []Endpoint{good}, AllowNetworks: []string{"::ffff:10.0.0.0/104"}}, "allowNetworks[0]: "},
		"proxy":            {Options{Endpoints: []Endpoint{good}, Proxy: "proxy:3128"}, "proxy: want http://host:port"},
		"proxy's password": {Options{Endpoints: []Endpoint{good}, Proxy: "ftp://ada:hunter2@proxy"}, "proxy: want http://host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			err := errors.Join(New(c.o).Spec().Faults...)
			switch {
			case err == nil && c.want != "":
				t.Errorf("no fault, want %q", c.want)
			case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), secretA[10:20])):
				t.Errorf("the fault holds a secret: %v", err)
			}
		})
	}
}

func TestSecretFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secretB+"\n"+secretA+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := readSecrets("", file)
	if err != nil || len(keys) != 2 || len(keys[0]) != 32 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		n        int
	}{{nil, len(Types())}, {[]string{"*"}, len(Types())}, {[]string{"user.*"}, 4}, {[]string{"user.*", "user.created"}, 4},
		{[]string{"session.revoked"}, 1}, {[]string{"user.*", "session.*", "organization.*"}, len(Types())}} {
		if got, err := matchTypes(c.patterns); err != nil || len(got) != c.n {
			t.Errorf("%v: %v, %v", c.patterns, got, err)
		}
	}
}

// run runs a command of the plugin.
func run(t *testing.T, h *plugintest.Harness, name string, args ...string) (string, error) {
	t.Helper()
	for _, c := range h.Auth.Commands() {
		if c.Plugin == ID && c.Name == name {
			var out bytes.Buffer
			err := c.Run(context.Background(), h.Host, args, &out)
			return out.String(), err
		}
	}
	t.Fatalf("no command %s", name)
	return "", nil
}

func TestTestCommand(t *testing.T) {
	up, down := listen(t, status(204)), listen(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		_, _ = w.Write([]byte("LEAK"))
	})
	second := to(down)
	second.Secret = secretB
	h := newHarness(t, loopback(to(up, "user.*"), second))
	out, err := run(t, h, "test", to(up).URL)
	got := up.take()
	if err != nil || len(got) != 1 || got[0].Type != "test" || !stamped(h, got[0]) || !strings.HasSuffix(out, ": answered 204 No Content\n") || !strings.Contains(out, got[0].id()) {
		t.Errorf("%q, %v, %v", out, err, got)
	}
	out, err = run(t, h, "test")
	if !errors.Is(err, errTestFailed) || len(up.take()) != 1 || len(down.take(secretB)) != 1 || !strings.Contains(out, "failure: answered 500") {
		t.Errorf("%q, %v", out, err)
	}
	down.Close()
	out, err = run(t, h, "test", second.URL)
	if !errors.Is(err, errTestFailed) || !strings.Contains(out, "connection refused") {
		t.Errorf("%q, %v", out, err)
	}
	if strings.Contains(out, "url-secret") || strings.Contains(out, "LEAK") || len(waiting(t, h)) != 0 {
		t.Errorf("%q; waiting: %v", out, waiting(t, h))
	}
	if _, err = run(t, h, "test", "https://elsewhere.example/"); !errors.Is(err, errNoEndpoint) {
		t.Error(err)
	}
	if _, err = run(t, h, "test", "a", "b"); !errors.Is(err, errTestUsage) {
		t.Error(err)
	}
}

// journey passes core's points that the plugin has hooks at. Those of organizations are in
// TestUndone.
func journey(h *plugintest.Harness) {
	ada, again := h.SignUp("ada@example.com"), h.SignIn("ada@example.com")
	ada.Post("/update-user", m{"name": "Ada"}).Want(200)
	again.Post("/revoke-other-sessions", m{}).Want(200)
	again.Post("/sign-out", m{}).Want(200)
	h.SignIn("ada@example.com").Post("/delete-user", m{}).Want(200)
}

func TestRules(t *testing.T) {
	r := listen(t, nil)
	plugintest.Check(t, func() core.Plugin { return New(loopback(to(r))) }, plugintest.Options{
		Config: func(c *core.Config) { c.User.DeleteUser.Enabled = true }, Rules: plugintest.Rules{Journey: journey}})
	if len(r.take()) == 0 {
		t.Error("the journey told nobody")
	}
}
