package v1_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/plugins/jwt"
)

// An access token gives no other credential: one that was stolen would live longer by it.
func TestAnAccessTokenGivesNoOther(t *testing.T) {
	h := setup{}.start(t)
	c := newOld(t, h, listen(t, h, "fiber")).signUp("ada@example.com")
	access := c.login("ada@example.com").text("accessToken")
	thief := newOld(t, h, listen(t, h, "fiber"))
	for _, path := range []string{"/session", "/profile"} {
		r := thief.do("GET", a+path, nil, "Authorization", "Bearer "+access).want(200)
		if r.text("user.email") != "ada@example.com" {
			t.Fatalf("%s: %s", path, r.body)
		}
		for _, name := range []string{jwt.Header, "set-auth-token", "Set-Cookie"} {
			if got := r.header.Get(name); got != "" {
				t.Errorf("%s gives %s: %s", path, name, got)
			}
		}
	}
	if h.SignUp("bob@example.com").Get("/get-session").Want(200).Value(jwt.Header) == "" {
		t.Error("a cookie gives none either: the test shows nothing")
	}
}
