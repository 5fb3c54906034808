package option_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/option"
)

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.example": false, "127.0.0.1.example": false, "127.1": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "[::1]": false, "2130706433": false,
	} {
		if option.Loopback(host) != want {
			t.Errorf("%q: want %v", host, want)
		}
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	full, empty := write("full", " s3cret\r\n"), write("empty", " \n")
	for _, c := range []struct{ text, file, want, fault string }{
		{"", "", "", ""},
		{" s3cret ", "", " s3cret ", ""},
		{"", full, "s3cret", ""},
		{"s3cret", full, "", "password and passwordFile: "},
		{"", empty, "", "passwordFile: "},
		{"", filepath.Join(dir, "none"), "", "passwordFile: "},
	} {
		got, err := option.Secret("password", c.text, c.file)
		if got != c.want || (err == nil) != (c.fault == "") || err != nil && (!strings.HasPrefix(err.Error(), c.fault) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}
