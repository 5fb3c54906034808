package mail

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// lender is a plugin that gives every user a mailbox on the fake server, by the local part of
// their address; "nobody" has none.
type lender struct {
	f    *fake
	host *core.Host
}

var errNoMailbox = core.NewError("MAILBOX_NOT_FOUND", 404, "There is no mailbox yet")

func (l *lender) Spec() core.Spec {
	return core.Spec{ID: "lender", Errors: []*core.Error{errNoMailbox}, Provides: []core.Service{core.Provide[contract.Mailboxes](l)},
		Init: func(_ context.Context, h *core.Host) error { l.host = h; return nil }}
}

func (l *lender) Credentials(ctx context.Context, userID string) (contract.MailCredentials, error) {
	u, err := l.host.UserByID(ctx, l.host.DB(), userID)
	if err != nil {
		return contract.MailCredentials{}, err
	}
	name, _, _ := strings.Cut(u.Email, "@")
	if name == "nobody" {
		return contract.MailCredentials{}, errNoMailbox
	}
	a := l.f.account(name)
	return contract.MailCredentials{Name: name, Address: name + "@mail.example", DisplayName: u.Name, Password: a.password}, nil
}

// world is an Auth with the plugin and the fake server, and a user with a mailbox.
type world struct {
	*plugintest.Harness
	f   *fake
	ada *plugintest.Client
	box *fakeAccount
}

func newWorld(t testing.TB, o Options, change ...func(*plugintest.Options)) *world {
	t.Helper()
	f := startFake(t)
	if o.URL == "" {
		o.URL = f.URL
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute // a busy machine is no failure
	}
	po := plugintest.Options{Plugins: []core.Plugin{&lender{f: f}, New(o)}}
	for _, c := range change {
		c(&po)
	}
	w := &world{Harness: plugintest.New(t, po), f: f}
	w.ada, w.box = w.SignUp("ada@example.com"), f.account("ada")
	return w
}

func (w *world) get(path string) *plugintest.Answer {
	w.T.Helper()
	return w.ada.Get(base + path)
}

func (w *world) put(path string, body any) *plugintest.Answer {
	w.T.Helper()
	return w.ada.Do(plugintest.Request{Method: "PUT", Path: base + path, Body: body})
}

func (w *world) send(change m) *plugintest.Answer {
	w.T.Helper()
	body := m{"to": []m{{"email": "bob@example.com"}}, "subject": "Hi", "body": "Hello"}
	for k, v := range change {
		body[k] = v
	}
	return w.ada.Post(base+"/send", body)
}

// mail is the one mail with a subject, as the server has it.
func (w *world) mail(subject string) object {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	for _, e := range w.box.mails {
		if e["subject"] == subject {
			return e
		}
	}
	return nil
}

func loginOf(a *fakeAccount) jmap.Login {
	return jmap.Login{Name: strings.TrimPrefix(a.id, "acc-"), Password: a.password}
}
