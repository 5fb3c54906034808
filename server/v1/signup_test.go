package v1_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

// TestSignUpLimit: of 20 sign-ups at once, by both ways, three get in, and tomorrow more.
func TestSignUpLimit(t *testing.T) {
	both(t, setup{o: v1.Options{MaxDailySignUps: 3}}, func(t *testing.T, h *plugintest.Harness, url string) {
		c := newOld(t, h, url)
		if r := c.get(a + "/signup-status").want(200); string(r.body) != `{"registrationOpen":true,"spotsRemaining":3,"totalToday":0,"limit":3,"resetsAt":"2026-03-15T00:00:00.000Z"}` {
			t.Errorf("status: %s", r.body)
		}
		c.post(a+"/register", m{"email": "bad", "password": pass}).fails(400, core.ClassValidation)
		replies := make([]*reply, 20)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() {
				d := newOld(t, h, url)
				body := m{"name": "A", "email": fmt.Sprintf("u%d@example.com", i), "password": pass}
				if i%2 == 0 {
					replies[i] = d.post(a+"/register", body)
				} else {
					replies[i] = d.post("/api/auth/sign-up/email", body)
				}
			})
		}
		wg.Wait()
		in := 0
		for i, r := range replies {
			switch {
			case r.status == 200:
				in++
			case i%2 == 0:
				if s, _ := r.fails(429, core.ClassSignUpLimit).get("retryAfterSec").(float64); s < 50000 || s > 86400 {
					t.Errorf("retryAfterSec %v", s)
				}
			case r.status != 429 || !strings.Contains(string(r.body), `"code":"SIGN_UP_LIMIT_REACHED"`):
				t.Errorf("%d %s", r.status, r.body)
			}
		}
		if in != 3 || h.Count("user") != 3 {
			t.Errorf("%d got in, %d users", in, h.Count("user"))
		}
		if r := c.get(a + "/signup-status").want(200); r.get("registrationOpen") != false || r.get("spotsRemaining") != 0.0 || r.get("totalToday") != 3.0 {
			t.Errorf("status: %s", r.body)
		}
		// A known address is refused as a new one is.
		for i, r := range replies {
			if r.status == 200 {
				c.post(a+"/register", m{"email": fmt.Sprintf("u%d@example.com", i), "password": pass}).fails(429, core.ClassSignUpLimit)
			}
		}
		// The app's own users do not count, and midnight is UTC's.
		h.CreateUser("app@example.com")
		h.Clock.Advance(14*time.Hour + 34*time.Minute)
		c.post(a+"/register", m{"email": "late@example.com", "password": pass}).want(200)
	})
}

func TestNoLimit(t *testing.T) {
	h := setup{}.start(t)
	if r := newOld(t, h, listen(t, h, "net/http")).get(a + "/signup-status").want(200); string(r.body) != `{"registrationOpen":true,"spotsRemaining":null,"totalToday":0,"limit":0,"resetsAt":""}` {
		t.Errorf("status: %s", r.body)
	}
}
