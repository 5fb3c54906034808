package webhooks

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/orghook"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// expect does the jobs, wants exactly one request of each type, and returns their data.
func expect(t *testing.T, h *plugintest.Harness, r *receiver, types ...string) map[string]map[string]any {
	t.Helper()
	h.RunJobs()
	out, ids := map[string]map[string]any{}, map[string]bool{}
	got := r.take()
	for _, q := range got {
		if out[q.Type], ids[q.id()] = q.Data, true; !stamped(h, q) || !q.Timestamp.Equal(h.Clock.Now()) {
			t.Errorf("%s is of %v, and its attempt of %s", q.Type, q.Timestamp, q.header.Get("webhook-timestamp"))
		}
	}
	slices.Sort(types)
	if names := slices.Sorted(maps.Keys(out)); !slices.Equal(names, types) || len(ids) != len(got) || len(got) != len(types) {
		t.Fatalf("%d requests of the types %v, want %v", len(got), names, types)
	}
	return out
}

// same compares some members of an event's data.
func same(t *testing.T, data map[string]any, want m) {
	t.Helper()
	for name, v := range want {
		if data[name] != v {
			t.Errorf("%s is %v, want %v, in %v", name, data[name], v, data)
		}
	}
}

// TestEvents goes through all types: each change is told once, with what it is about.
func TestEvents(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		r := listen(t, nil)
		h := newHarness(t, loopback(to(r)), engine, func(o *plugintest.Options) {
			o.Config = func(c *core.Config) { c.User.DeleteUser.Enabled = true }
		})
		all := map[string]bool{}
		expect := func(types ...string) map[string]map[string]any {
			t.Helper()
			for _, typ := range types {
				all[typ] = true
			}
			return expect(t, h, r, types...)
		}

		ada := h.Client()
		ada.Post("/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}).Want(200)
		got := expect(UserCreated, SessionCreated)
		id := got[UserCreated]["id"]
		same(t, got[UserCreated], m{"name": "Ada", "email": "ada@example.com", "emailVerified": false})
		same(t, got[SessionCreated], m{"userId": id})
		if got[SessionCreated]["id"] != h.Rows("session")[0]["id"] {
			t.Errorf("the session is %v", got[SessionCreated])
		}
		if _, err := h.Host.VouchEmail(context.Background(), id.(string)); err != nil {
			t.Fatal(err)
		}
		got = expect(UserUpdated, UserEmailVerified)
		same(t, got[UserUpdated], m{"id": id, "emailVerified": true})
		same(t, got[UserEmailVerified], m{"id": id, "emailVerified": true, "email": "ada@example.com"})
		ada.Post("/update-user", m{"name": "Ada Lovelace"}).Want(200)
		same(t, expect(UserUpdated)[UserUpdated], m{"id": id, "name": "Ada Lovelace"})

		h.CreateUser("bob@example.com")
		expect(UserCreated)
		bob := h.SignIn("bob@example.com")
		bobs := expect(SessionCreated)[SessionCreated]["id"]
		org := ada.Post("/organization/create", m{"name": "Acme", "slug": "acme"}).Want(200).Text("id")
		got = expect(OrganizationCreated, MemberAdded)
		same(t, got[OrganizationCreated], m{"id": org, "name": "Acme", "slug": "acme"})
		same(t, got[MemberAdded], m{"organizationId": org, "userId": id, "role": "owner"})
		ada.Post("/organization/update", m{"organizationId": org, "data": m{"name": "Acme Inc"}}).Want(200)
		same(t, expect(OrganizationUpdated)[OrganizationUpdated], m{"id": org, "name": "Acme Inc"})

		invite := func() string {
			t.Helper()
			i := ada.Post("/organization/invite-member", m{"organizationId": org, "email": bob.Email, "role": "admin"}).Want(200).Text("id")
			same(t, expect(InvitationSent)[InvitationSent], m{"id": i, "organizationId": org, "email": bob.Email, "role": "admin", "status": "pending", "inviterId": id})
			return i
		}
		i := invite()
		ada.Post("/organization/cancel-invitation", m{"invitationId": i}).Want(200)
		same(t, expect(InvitationCanceled)[InvitationCanceled], m{"id": i, "status": "canceled"})
		bob.Post("/organization/reject-invitation", m{"invitationId": invite()}).Want(200)
		same(t, expect(InvitationRejected)[InvitationRejected], m{"status": "rejected"})
		member := bob.Post("/organization/accept-invitation", m{"invitationId": invite()}).Want(200).Text("member.id")
		got = expect(InvitationAccepted, MemberAdded)
		same(t, got[InvitationAccepted], m{"status": "accepted"})
		same(t, got[MemberAdded], m{"id": member, "userId": bob.UserID, "role": "admin"})
		ada.Post("/organization/update-member-role", m{"organizationId": org, "memberId": member, "role": "member"}).Want(200)
		same(t, expect(MemberRoleChanged)[MemberRoleChanged], m{"id": member, "userId": bob.UserID, "role": "member"})
		ada.Post("/organization/remove-member", m{"organizationId": org, "memberIdOrEmail": member}).Want(200)
		same(t, expect(MemberRemoved)[MemberRemoved], m{"id": member, "organizationId": org, "userId": bob.UserID})
		bob.Post("/sign-out", m{}).Want(200)
		same(t, expect(SessionRevoked)[SessionRevoked], m{"id": bobs, "userId": bob.UserID})
		ada.Post("/organization/delete", m{"organizationId": org}).Want(200)
		same(t, expect(OrganizationDeleted)[OrganizationDeleted], m{"id": org, "slug": "acme"})
		ada.Post("/delete-user", m{"password": "correct horse battery"}).Want(200)
		got = expect(UserDeleted, SessionRevoked)
		same(t, got[UserDeleted], m{"id": id, "email": "ada@example.com"})

		for _, typ := range Types() {
			if !all[typ] {
				t.Errorf("no event of the type %s was looked at", typ)
			}
		}
	})
}

// TestSecretsStayIn: no body holds a session's token, a password or a hash.
func TestSecretsStayIn(t *testing.T) {
	r := listen(t, nil)
	h := newHarness(t, loopback(to(r)), func(o *plugintest.Options) {
		o.Config = func(c *core.Config) { c.Session.TokenStorage = "compat" } // tokens are stored as they are
	})
	h.Client().Post("/sign-up/email", m{"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}).Want(200)
	secrets := []string{"correct horse battery", h.Rows("session")[0]["token"], h.Rows("account")[0]["password"]}
	for _, row := range h.Rows("job") { // sealed while it waits
		if strings.Contains(row.String(), "ada@example.com") || strings.Contains(row.String(), "url-secret") {
			t.Errorf("a waiting delivery can be read: %v", row)
		}
	}
	h.RunJobs()
	got := r.take()
	if len(got) != 2 {
		t.Fatal(types(got))
	}
	for _, q := range got {
		for _, s := range secrets {
			if len(s) < 10 || strings.Contains(q.body, s) {
				t.Errorf("%s tells %q: %s", q.Type, s, q.body)
			}
		}
	}
}

// TestUndone: what is rolled back is told to nobody.
func TestUndone(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		r := listen(t, nil)
		fail := false
		refuse := func() error {
			if fail {
				return errors.New("the app says no")
			}
			return nil
		}
		h := newHarness(t, loopback(to(r)), engine, func(o *plugintest.Options) {
			o.Config = func(c *core.Config) {
				c.Hooks = append(c.Hooks, core.UserCreate.After(func(context.Context, *core.UserCreateEvent) error { return refuse() }),
					core.UserUpdate.After(func(context.Context, *core.UserUpdateEvent) error { return refuse() }),
					core.SessionCreate.After(func(context.Context, *core.SessionEvent) error { return refuse() }),
					core.SessionRevoke.After(func(context.Context, *core.RevokeEvent) error { return refuse() }),
					orghook.OrganizationCreate.After(func(context.Context, *orghook.OrganizationEvent) error { return refuse() }),
					orghook.InvitationCreate.After(func(context.Context, *orghook.InvitationEvent) error { return refuse() }))
			}
		})
		ada := h.SignUp("ada@example.com")
		org := ada.Post("/organization/create", m{"name": "Acme", "slug": "acme"}).Want(200).Text("id")
		h.RunJobs()
		r.take()
		fail = true
		ada.Post("/organization/create", m{"name": "Other", "slug": "other"}).Want(500)
		ada.Post("/organization/invite-member", m{"organizationId": org, "email": "bob@example.com", "role": "member"}).Want(500)
		h.Client().Post("/sign-up/email", m{"name": "Bob", "email": "bob@example.com", "password": "correct horse battery"}).Want(500)
		ada.Post("/update-user", m{"name": "Ada"}).Want(500)
		ada.Post("/revoke-sessions", m{}).Want(500)
		if _, err := h.TrySignIn("ada@example.com"); err == nil {
			t.Error("signed in")
		}
		if n := h.Count("job"); n != 0 {
			t.Errorf("%d jobs of what was undone", n)
		}
		h.RunJobs()
		if got := r.take(); len(got) != 0 {
			t.Errorf("told: %v", types(got))
		}
		fail = false
		ada.Post("/update-user", m{"name": "Ada"}).Want(200)
		expect(t, h, r, UserUpdated)
	})
}

// TestRevoked: each session that ends is told once, one that had run out not at all.
func TestRevoked(t *testing.T) {
	plugintest.Engines(t, func(t *testing.T, engine func(*plugintest.Options)) {
		r := listen(t, nil)
		h := newHarness(t, loopback(to(r, "session.revoked")), engine)
		ada := h.SignUp("ada@example.com")
		h.Clock.Advance(8 * 24 * 3600e9)
		ada.Get("/get-session").Want(200) // deletes it: it has run out
		var last *plugintest.Client
		want := map[string]bool{}
		for range 3 {
			last = h.SignIn("ada@example.com")
		}
		for _, row := range h.Rows("session") {
			want[row["id"]] = true
		}
		last.Post("/revoke-other-sessions", m{}).Want(200)
		for _, row := range h.Rows("session") {
			delete(want, row["id"])
		}
		h.RunJobs()
		got := r.take()
		for _, q := range got {
			delete(want, q.Data["id"].(string))
		}
		if len(got) != 2 || len(want) != 0 {
			t.Errorf("%d events, not told of: %v", len(got), want)
		}
	})
}

// TestWanted: an endpoint gets what it asked for, all of one event have the same id, and
// what nobody wants is no hook.
func TestWanted(t *testing.T) {
	one, two, three := listen(t, nil), listen(t, nil), listen(t, nil)
	second, third := to(two, "user.created", "organization.*"), to(three, "session.*")
	second.Secret, third.Secret = secretB, secretC
	h := newHarness(t, loopback(to(one, "user.*"), second, third))
	h.SignUp("ada@example.com").Post("/organization/create", m{"name": "Acme", "slug": "acme"}).Want(200)
	h.RunJobs()
	a, b, c := one.take(), two.take(secretB), three.take(secretC)
	if !slices.Equal(types(a), []string{UserCreated}) || !slices.Equal(types(b), []string{OrganizationCreated, MemberAdded, UserCreated}) ||
		!slices.Equal(types(c), []string{SessionCreated}) {
		t.Fatalf("%v, %v, %v", types(a), types(b), types(c))
	}
	if !slices.ContainsFunc(b, func(q request) bool { return q.id() == a[0].id() }) {
		t.Error("the same event has another id at the other endpoint")
	}
	verify(t, secretA, b[0], false)
	if n := len(New(loopback(to(one, "user.created"))).Spec().Hooks); n != 1 {
		t.Errorf("%d hooks for one type", n)
	}
}

// TestRotation: all secrets of an endpoint sign.
func TestRotation(t *testing.T) {
	r := listen(t, nil)
	e := to(r, UserCreated)
	e.Secret = secretB + " " + secretA
	h := newHarness(t, loopback(e))
	h.CreateUser("ada@example.com")
	h.RunJobs()
	got := r.take(secretA, secretB)
	if len(got) != 1 {
		t.Fatal(types(got))
	}
	verify(t, secretC, got[0], false)
	got[0].body += " "
	verify(t, secretA, got[0], false)
}
