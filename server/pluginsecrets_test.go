package server

import (
	"os"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/plugins/mail"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning"
	"github.com/sallyport-auth/sallyport/plugins/missiongrant"
	"github.com/sallyport-auth/sallyport/plugins/vault"
	"github.com/sallyport-auth/sallyport/plugins/webhooks"
)

// A secret of a plugin's is as secret as one of the program's own: production takes it from
// no file that everybody can read.
func TestSecretsOfPluginsInReadableFiles(t *testing.T) {
	entries := append(toys(), Entry(webhooks.ID, webhooks.New), Entry(vault.ID, vault.New), Entry(mail.ID, mail.New),
		Entry(mailprovisioning.ID, mailprovisioning.New), Entry(missiongrant.ID, missiongrant.New))
	public := writeFile(t, "s", goodSecret, 0o644)
	base := "production: true\nbaseURL: https://a.example\ndatabase: {path: /x.db}\nsecretFile: " + writeFile(t, "secret", goodSecret, 0o600) + "\nplugins:\n  toy:\n  "
	for _, tt := range []struct{ plugin, before, option, after string }{
		{webhooks.ID, "{endpoints: [{url: https://b.example}, {url: https://c.example, ", "secret", "}]}"},
		{vault.ID, "{", "keyring", "}"},
		{vault.ID, "{transit: {", "token", "}}"},
		{mail.ID, "{smtp: {", "password", "}}"},
		{mailprovisioning.ID, "{", "serviceKey", "}"},
		{mailprovisioning.ID, "{stalwart: {", "password", "}}"},
		{mailprovisioning.ID, "{cyrus: {", "password", "}}"},
		{missiongrant.ID, "{", "signingKey", "}"},
		{missiongrant.ID, "{", "serviceKey", "}"},
	} {
		check := func(option, value string, mode os.FileMode, want string) {
			t.Helper()
			text := base + tt.plugin + ": " + tt.before + option + ": " + value + tt.after + "\n"
			_, err := Load(Source{File: writeFile(t, "c.yaml", text, mode)}, entries...)
			if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
				t.Errorf("%s in a file of mode %o: %v, want %q", text[len(base):], mode, err, want)
			}
		}
		check(tt.option, goodSecret, 0o644, "holds a secret, and "+readable)
		check(tt.option, goodSecret, 0o640, "")
		if tt.option != "signingKey" {
			check(tt.option+"File", public, 0o644, "."+tt.option+"File: "+readable)
			check(tt.option+"File", writeFile(t, "s", goodSecret, 0o440), 0o644, "")
		}
	}
}
