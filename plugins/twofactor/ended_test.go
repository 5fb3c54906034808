package twofactor

import (
	"context"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// whileHashing runs fn once, when a password is being checked.
type whileHashing struct{ fn func() }

func (o *whileHashing) Begin(ctx context.Context, w contract.Work) context.Context {
	if fn := o.fn; fn != nil && w.Kind == contract.WorkHash {
		o.fn = nil
		fn()
	}
	return ctx
}
func (o *whileHashing) End(context.Context, contract.Work, contract.Outcome) {}
func (o *whileHashing) Event(context.Context, string)                        {}

// TestSessionEndsWhileThePasswordIsChecked: who is put out in the time of a hash neither
// reads secrets nor replaces them.
func TestSessionEndsWhileThePasswordIsChecked(t *testing.T) {
	for _, path := range []string{"/two-factor/generate-backup-codes", "/two-factor/get-totp-uri", "/two-factor/enable", "/two-factor/disable"} {
		o := &whileHashing{}
		w := newWorld(t, Options{}, config(func(c *core.Config) { c.Observer = o }))
		ada := &member{Client: w.signUp("ada@example.com"), w: w, email: "ada@example.com"}
		if path != "/two-factor/enable" {
			ada = w.enrol("ada2@example.com")
		}
		before := w.Rows("twoFactor")
		o.fn = func() {
			if err := w.Host.RevokeSessions(t.Context(), nil, ada.UserID, ""); err != nil {
				t.Error(err)
			}
		}
		if a := ada.Post(path, plugintest.M{"password": password}); a.Status != 401 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		after := w.Rows("twoFactor")
		if len(after) != len(before) || len(after) > 0 && after[0]["backupCodes"] != before[0]["backupCodes"] {
			t.Errorf("%s: the second factor is another one", path)
		}
	}
}
