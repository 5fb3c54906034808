package core_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Parameters, a reset token among them, go where the callback says.
func TestAddQuery(t *testing.T) {
	for to, want := range map[string]string{
		"/":                         "/?token=a+b",
		"/x?y=1#z":                  "/x?y=1&token=a+b#z",
		"/x:y":                      "/x:y?token=a+b",
		"https://app.example.com":   "https://app.example.com/?token=a+b",
		"https://app.example.com?x": "https://app.example.com/?x&token=a+b",
		"myapp://done":              "myapp://done?token=a+b",
		"myapp:done":                "myapp:done?token=a+b",
		"myapp:done?x=1#y":          "myapp:done?x=1&token=a+b#y",
		"myapp:/done":               "myapp:/done?token=a+b",
	} {
		if got := core.AddQuery(to, "token", "a b"); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}
