package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProduction(t *testing.T) {
	private := writeFile(t, "secret", goodSecret+"\n", 0o600)
	public := writeFile(t, "secret", goodSecret+"\n", 0o644)
	base := "production: true\nbaseURL: https://a.example\ndatabase: {path: /x.db}\nplugins: [toy]\n"
	for _, tt := range []struct {
		name, yaml string
		mode       os.FileMode
		want       string // the end of the error
	}{
		{"in order", base + "secretFile: " + private, 0o644, ""},
		{"readable secret file", base + "secretFile: " + public, 0o600, "secretFile: " + readable},
		{"secret in a readable file", base + "secret: " + goodSecret, 0o644, "holds a secret, and " + readable},
		{"secret in a private file", base + "secret: " + goodSecret, 0o640, ""},
		{"password in a readable file", strings.Replace(base, "path: /x.db", `url: "postgres://u:p@h/d"`, 1) + "secretFile: " + private, 0o644, "holds a secret, and " + readable},
		{"log mailer", base + "mail: {driver: log}\nsecretFile: " + private, 0o600, `mail.driver: "log" prints live links for everybody who reads the log, which production refuses`},
		{"http origin", base + "trustedOrigins: [https://b.example, http://c.example]\nsecretFile: " + private, 0o600, "trustedOrigins[1]: is plain http, which production refuses: whoever sits on the line could send requests from it"},
		{"no database", strings.Replace(base, "database: {path: /x.db}\n", "", 1), 0o600, "database: set database.url (PostgreSQL) or database.path (SQLite)"},
		{"no plugin", strings.Replace(base, "plugins: [toy]\n", "", 1), 0o600, "plugins: none is enabled: nobody could sign in"},
		{"empty secret file", base + "secretFile: " + writeFile(t, "s", " \n", 0o600), 0o600, "secretFile: is empty or too long"},
		{"two secrets", base + "secret: a\nsecretFile: " + private, 0o600, "secretFile: the option that it stands for is set, too"},
		{"no such file", base + "secretFile: /nowhere/s", 0o600, "secretFile: cannot be read: no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Source{File: writeFile(t, "c.yaml", tt.yaml, tt.mode)}, toys()...)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.want)):
				t.Errorf("%v, want %s", err, tt.want)
			case err != nil && strings.Contains(err.Error(), goodSecret):
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
	c, err := Load(Source{File: writeFile(t, "c.yaml", base, 0o600), Env: []string{"SALLYPORT_SECRET=" + goodSecret}}, toys()...)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":8080" || c.ShutdownDelay != 5*time.Second || *c.Pages.Enabled || c.Mail.Driver != "none" || c.Log.Format != "json" || len(c.Core.TrustedOrigins) != 0 {
		t.Errorf("defaults of production: %+v", c)
	}
	// What core refuses is refused, too: Describe is what "config check" runs.
	c.Core.Secret = "short"
	c.Core.BaseURL = "http://a.example"
	if _, err = Describe(c, toys()...); err == nil || !strings.Contains(err.Error(), "baseURL") || !strings.Contains(err.Error(), "secret") {
		t.Errorf("weak secret and plain http: %v", err)
	}
	// The flag holds, whatever the environment says.
	if _, err := Load(Source{Production: true, Env: []string{"SALLYPORT_PRODUCTION=false"}}, toys()...); err == nil {
		t.Error("SALLYPORT_PRODUCTION=false switched off --production")
	}
}

func TestDevelopKeepsItsSecret(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var secrets []string
	for range 2 {
		c, err := Load(Source{Data: dir}, toys()...)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.develop(); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, c.Core.Secret)
	}
	if secrets[0] != secrets[1] || len(secrets[0]) < 43 {
		t.Errorf("secrets of %d and %d characters, equal %t", len(secrets[0]), len(secrets[1]), secrets[0] == secrets[1])
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "secret": 0o600, ".gitignore": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v, want %v", name, info, err, want)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("left in the folder: %v", entries)
	}
}
