package mailprovisioning

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

const serviceKey = "a service key of thirty-two characters"

// server is a mail server in memory. fail refuses a call by its name.
type server struct {
	mu    sync.Mutex
	boxes map[string]contract.Mailbox
	calls []string
	fail  func(call string) error
}

func (s *server) call(what string) error {
	s.calls = append(s.calls, what)
	if s.fail != nil {
		return s.fail(what)
	}
	return nil
}

func (s *server) Taken(_ context.Context, name, owner string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call("taken"); err != nil {
		return false, err
	}
	b, there := s.boxes[name]
	return there && b.Owner != owner, nil
}

func (s *server) Create(_ context.Context, b contract.Mailbox) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, there := s.boxes[b.Name]; there && old.Owner != b.Owner {
		return "", errors.New("somebody else's")
	}
	s.boxes[b.Name] = b
	return "id-" + b.Name, s.call("create") // the answer may get lost behind the act
}

func (s *server) Delete(_ context.Context, name, owner string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call("delete"); err != nil {
		return err
	}
	if b, there := s.boxes[name]; there && b.Owner != owner {
		return errors.New("somebody else's")
	}
	delete(s.boxes, name)
	return nil
}

type world struct {
	*plugintest.Harness
	p *Plugin
	s *server
}

func newWorld(t testing.TB, o Options, change ...func(*plugintest.Options)) *world {
	t.Helper()
	w := &world{s: &server{boxes: map[string]contract.Mailbox{}}}
	if o.Domain == "" {
		o.Domain = "mail.example"
	}
	o.Provisioner, o.ServiceKey = w.s, serviceKey
	w.p = New(o)
	po := plugintest.Options{}
	for _, f := range change {
		f(&po)
	}
	po.Plugins = append(po.Plugins, emailpassword.New(emailpassword.Options{}), w.p)
	w.Harness = plugintest.New(t, po)
	return w
}

// signUp makes a user whose address is not proved yet.
func (w *world) signUp(name, email string) (id string) {
	w.T.Helper()
	return w.Client().Post("/sign-up/email", m{"name": name, "email": email, "password": "correct horse battery"}).Want(200).Text("user.id")
}

// verify proves a user's address.
func (w *world) verify(id string) {
	w.T.Helper()
	yes := true
	if _, err := w.Host.UpdateUser(context.Background(), nil, nil, id, core.UserChange{EmailVerified: &yes}); err != nil {
		w.T.Fatal(err)
	}
}

// work does all jobs, those that are put off too.
func (w *world) work() {
	w.T.Helper()
	for range 20 {
		if w.RunJobs() == 0 {
			return
		}
		w.Clock.Advance(3 * time.Hour)
	}
	w.T.Fatal("the jobs do not end")
}

func (w *world) box(id string) *Mailbox {
	w.T.Helper()
	b, found, err := mailboxes.Get(context.Background(), w.Host.DB(), colUser.Eq(id))
	if err != nil {
		w.T.Fatal(err)
	}
	if !found {
		return nil
	}
	return &b
}

func journey(h *plugintest.Harness) {
	h.SignUp("ada@example.com")
	h.RunJobs()
	for _, path := range []string{"created", "deleted"} {
		h.Client().Do(plugintest.Request{Method: "POST", Path: "/api/v1/internal/mail/on-user-" + path, Body: m{"userId": "u1", "email": "grace@example.com", "name": "Grace"},
			Header: map[string]string{"X-Service-Key": serviceKey}}).Want(200)
		h.RunJobs()
	}
}

func TestRules(t *testing.T) {
	paths := []string{"/api/v1/internal/mail/on-user-created", "/api/v1/internal/mail/on-user-deleted"}
	rules := plugintest.Rules{Journey: journey, Public: paths, Shared: paths}
	plugin := func() core.Plugin {
		return New(Options{Domain: "mail.example", ServiceKey: serviceKey, Provisioner: &server{boxes: map[string]contract.Mailbox{}}})
	}
	plugintest.Check(t, plugin, plugintest.Options{Rules: rules})
}
