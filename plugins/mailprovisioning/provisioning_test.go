package mailprovisioning

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestVerified(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		id := w.signUp("Ada Lovelace", "ada@example.com")
		w.work()
		if w.box(id) != nil || len(w.s.boxes) != 0 {
			t.Fatal("a mailbox before the address was proved")
		}
		w.verify(id)
		if b := w.box(id); b == nil || b.Email != "ada.lovelace@mail.example" || b.State != stateReserved {
			t.Fatalf("%+v", b)
		}
		w.work()
		b := w.box(id)
		got := w.s.boxes["ada.lovelace"]
		if b.State != stateActive || *b.AccountID != "id-ada.lovelace" || got.Owner != id || got.Address != b.Email || got.DisplayName != "Ada Lovelace" || len(got.Password) != passwordLength {
			t.Fatalf("%+v, %+v", b, got)
		}
		if strings.Contains(b.Secret, got.Password) {
			t.Error("the password is stored as it is")
		}
		cred, err := lender{w.p}.Credentials(t.Context(), id)
		if err != nil || cred.Password != got.Password || cred.Name != "ada.lovelace" {
			t.Errorf("%v", err)
		}
		w.verify(id) // once more
		w.work()
		if len(w.s.boxes) != 1 {
			t.Errorf("%d mailboxes", len(w.s.boxes))
		}
	})
}

// Names are unique under races, and nobody goes without one.
func TestSameNames(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		w := newWorld(t, Options{}, engine)
		w.s.boxes["ada"] = contract.Mailbox{Name: "ada", Owner: "made by hand"}
		const many = 20
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				id := string(rune('a'+i)) + "-user"
				for range 2 {
					if _, err := w.p.reserve(context.Background(), nil, id, "Ada", "x@example.com"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		w.work()
		list, err := mailboxes.List(t.Context(), w.Host.DB(), core.ListOptions{})
		if err != nil || len(list) != many || len(w.s.boxes) != many+1 || w.s.boxes["ada"].Owner != "made by hand" {
			t.Errorf("%d rows, %d mailboxes, %v", len(list), len(w.s.boxes), err)
		}
		for _, b := range list {
			if b.State != stateActive || !strings.HasPrefix(b.Name, "ada") || w.s.boxes[b.Name].Owner != b.UserID {
				t.Errorf("%+v", b)
			}
		}
	})
}

// A long name that is cut for its number must not become a reserved one.
func TestCutToReserved(t *testing.T) {
	w := newWorld(t, Options{Reserved: []string{"abcdefghijklmnopqrstuvwxyzabc"}})
	names := map[string]bool{}
	for i := range 25 {
		m, err := w.p.reserve(t.Context(), nil, "user"+string(rune('a'+i)), "abcdefghijklmnopqrstuvwxyzabcd", "x@example.com")
		if err != nil || !w.p.allowed(m.Name) || names[m.Name] {
			t.Errorf("%q: %v", m.Name, err)
		}
		names[m.Name] = true
	}
}

// Whatever fails, and wherever, is tried again from there; an answer that got lost makes
// no second mailbox.
func TestOutage(t *testing.T) {
	for _, at := range []string{"taken", "create"} {
		w := newWorld(t, Options{})
		left := 5
		w.s.fail = func(call string) error {
			if call == at && left > 0 {
				left--
				return errors.New("connection refused")
			}
			return nil
		}
		id := w.signUp("Ada", "ada@example.com")
		w.verify(id)
		w.work()
		if b := w.box(id); b.State != stateActive || b.Name != "ada" || len(w.s.boxes) != 1 || left != 0 {
			t.Errorf("%s: %+v, %d mailboxes", at, b, len(w.s.boxes))
		}
	}
}

// A hook that refuses the sign-up leaves neither user nor name nor job.
func TestUndone(t *testing.T) {
	refuse := core.NewError("NOT_TODAY", 403, "Not today")
	w := newWorld(t, Options{When: "created"}, func(o *plugintest.Options) {
		o.Config = func(c *core.Config) {
			c.Hooks = append(c.Hooks, core.UserCreate.After(func(context.Context, *core.UserCreateEvent) error { return refuse }))
			c.Errors = append(c.Errors, refuse)
		}
	})
	w.Client().Post("/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}).WantCode(403, "NOT_TODAY")
	if n := len(w.Rows("mailbox")) + len(w.Rows("job")); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// The mailbox goes with the account, however far it has come.
func TestDeletedAccount(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		for _, before := range []string{"reserved", "active", "the server is down"} {
			w := newWorld(t, Options{}, engine)
			id := w.signUp("Ada", "ada@example.com")
			w.verify(id)
			if before != "reserved" {
				w.work()
			}
			if before == "the server is down" {
				left := 4
				w.s.fail = func(string) error {
					if left--; left >= 0 {
						return errors.New("connection refused")
					}
					return nil
				}
			}
			u, err := w.Host.UserByID(t.Context(), w.Host.DB(), id)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Host.DeleteUser(t.Context(), nil, nil, u); err != nil {
				t.Fatal(err)
			}
			w.work()
			if w.box(id) != nil || len(w.s.boxes) != 0 {
				t.Errorf("%s: %+v, %d mailboxes", before, w.box(id), len(w.s.boxes))
			}
		}
	})
}

func TestHook(t *testing.T) {
	w := newWorld(t, Options{})
	post := func(path, key string, body any) *plugintest.Answer {
		return w.Client().Do(plugintest.Request{Method: "POST", Path: "/api/v1/internal/mail/" + path, Body: body, Header: map[string]string{"X-Service-Key": key, "Origin": ""}})
	}
	user := m{"userId": "u1", "email": "ada@example.com", "name": "Ada"}
	for _, key := range []string{"", "x", serviceKey + " "} {
		if a := post("on-user-created", key, user).Want(401); a.Get("success") != false {
			t.Errorf("%s", a.Body)
		}
	}
	for range 2 {
		if a := post("on-user-created", serviceKey, user).Want(200); a.Get("success") != true || a.Text("email") != "ada@mail.example" {
			t.Errorf("%s", a.Body)
		}
	}
	for _, bad := range []any{m{}, m{"userId": "", "email": "a@b.co"}, m{"userId": "u", "email": "no"}, m{"userId": 1, "email": "a@b.co"}, "{"} {
		if a := post("on-user-created", serviceKey, bad).Want(400); a.Get("success") != false || a.Text("error") == "" {
			t.Errorf("%s", a.Body)
		}
	}
	w.work()
	post("on-user-deleted", serviceKey, m{"userId": "u1"}).Want(200)
	if a := post("on-user-created", serviceKey, user).WantCode(409, "MAILBOX_BEING_DELETED"); a.Get("success") != false {
		t.Errorf("%s", a.Body)
	}
	post("on-user-deleted", serviceKey, m{"userId": "nobody"}).Want(200)
	w.work()
	if len(w.s.boxes) != 0 {
		t.Errorf("%d mailboxes", len(w.s.boxes))
	}
}

// A name that is reserved is none of ours on the mail server: a mailbox that somebody made
// there by hand stays, and the row does not.
func TestDeletedWhileReserved(t *testing.T) {
	w := newWorld(t, Options{})
	w.s.boxes["ada"] = contract.Mailbox{Name: "ada", Owner: "by hand"}
	id := w.signUp("Ada", "ada@example.com")
	w.verify(id)
	if b := w.box(id); b.State != stateReserved || b.Name != "ada" {
		t.Fatalf("%+v", b)
	}
	if err := w.Host.Tx(t.Context(), nil, func(ctx context.Context, tx *core.Tx) error { return w.p.remove(ctx, tx, id) }); err != nil {
		t.Fatal(err)
	}
	w.work()
	if w.box(id) != nil || len(w.s.boxes) != 1 || slices.Contains(w.s.calls, "delete") {
		t.Errorf("%+v, %v, %v", w.box(id), w.s.boxes, w.s.calls)
	}
}

func TestFaults(t *testing.T) {
	s := &server{}
	for want, o := range map[string]Options{
		"is no domain":                   {Domain: "Example.com", Provisioner: s},
		"domain:":                        {Provisioner: s},
		"neither":                        {Domain: "example.com", Provisioner: s, When: "now"},
		"serviceKey: want 32":            {Domain: "example.com", Provisioner: s, ServiceKey: "dev-service-key"},
		"serviceKeyFile":                 {Domain: "example.com", Provisioner: s, ServiceKeyFile: "none"},
		"give one mail server":           {Domain: "example.com"},
		"stalwart.url: want https":       {Domain: "example.com", Stalwart: stalwartAt("ftp")},
		"stalwart.url: passwords would":  {Domain: "example.com", Stalwart: stalwartAt("http://mail.example")},
		"cyrus.address: want host:port":  {Domain: "example.com", Cyrus: cyrusAt("x")},
		"give one mail server: stalwart": {Domain: "example.com", Provisioner: s, Stalwart: stalwartAt("https://mail.example")},
	} {
		if err := errors.Join(New(o).Spec().Faults...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
