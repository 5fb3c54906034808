package explain

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugintest"
)

func (w *world) signUp(email string) *actor {
	w.T.Helper()
	a := w.actor()
	answer := a.post("/sign-up/email", m{"name": "Ada", "email": email, "password": password})
	a.UserID, a.Email = answer.Text("user.id"), email
	return a
}

// journey uses what is hot, and some more.
func (w *world) journey(t *testing.T) {
	ada := w.signUp("ada@example.com")
	w.sessions(ada)
	w.links(ada)
	w.secondFactor(ada)
	w.passkeys(ada)
	w.organizations(ada)
	w.vaults(ada)
	w.facade()
	w.background(t)
	ada.post("/change-password", m{"currentPassword": password, "newPassword": password + "!", "revokeOtherSessions": true})
	w.Clock.Advance(time.Hour)
	gone := w.signUp("gone@example.com")
	gone.post("/delete-user", m{"password": password})
}

func (w *world) sessions(ada *actor) {
	in := w.actor()
	in.post("/sign-in/email", m{"email": "ada@example.com", "password": password})
	in.get("/get-session")
	token := in.get("/list-sessions").Text("0.token")
	in.post("/revoke-session", m{"token": token})
	in.post("/revoke-other-sessions", m{})
	in.get("/list-accounts")
	in.get("/security-events")
	in.get("/token")
	in.get("/jwks")
	in.post("/update-user", m{"name": "Ada L."})
	w.r.begin("POST /sign-in/email, refused")
	w.Client().Post("/sign-in/email", m{"email": "ada@example.com", "password": password + "?"}).Want(401)
	w.Clock.Advance(2 * 24 * time.Hour)
	in.get("/get-session") // and refresh
	in.post("/sign-out", m{})
	*ada = *w.actor()
	answer := ada.post("/sign-in/email", m{"email": "ada@example.com", "password": password})
	ada.UserID, ada.Email = answer.Text("user.id"), "ada@example.com"
}

func (w *world) links(ada *actor) {
	ada.post("/send-verification-email", m{"email": ada.Email})
	link := w.mailed(ada.Email, "verify-email")
	ada.get("/verify-email?token=" + url.QueryEscape(link.Token))
	guest := w.actor()
	guest.post("/sign-in/magic-link", m{"email": ada.Email})
	guest.get("/magic-link/verify?token=" + w.mailed(ada.Email, "magic-link").Token)
	guest.post("/request-password-reset", m{"email": ada.Email, "redirectTo": "/reset"})
	guest.post("/reset-password", m{"newPassword": password, "token": w.mailed(ada.Email, "reset-password").Token})
	ada.post("/sign-in/email", m{"email": ada.Email, "password": password})
}

// totp is the code of a moment (RFC 6238).
func totp(secret string, at time.Time) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		panic(err)
	}
	h := hmac.New(sha1.New, key)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at.Unix()/30))
	h.Write(counter[:])
	sum := h.Sum(nil)
	offset := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[offset:])&0x7fffffff)%1_000_000)
}

func (w *world) secondFactor(ada *actor) {
	answer := ada.post("/two-factor/enable", m{"password": password})
	uri, err := url.Parse(answer.Text("totpURI"))
	if err != nil {
		w.T.Fatal(err)
	}
	code := func() string { return totp(uri.Query().Get("secret"), w.Clock.Now().Add(time.Minute)) } // do moves the clock
	ada.post("/two-factor/verify-totp", m{"code": code()})
	in := func() *actor {
		a := w.actor()
		a.post("/sign-in/email", m{"email": ada.Email, "password": password})
		return a
	}
	in().post("/two-factor/verify-totp", m{"code": code(), "trustDevice": true})
	a := in()
	a.post("/two-factor/send-otp", m{})
	a.post("/two-factor/verify-otp", m{"code": w.mailed(ada.Email, "two-factor-otp").OTP})
	in().post("/two-factor/verify-backup-code", m{"code": answer.Text("backupCodes.0")})
	ada.post("/two-factor/disable", m{"password": password})
}

func (w *world) passkeys(ada *actor) {
	ada.get("/passkey/list-user-passkeys")
	guest := w.actor()
	guest.get("/passkey/generate-authenticate-options")
	w.r.begin("POST /passkey/verify-authentication")
	guest.Post("/passkey/verify-authentication", m{"response": m{"id": "AQID", "rawId": "AQID", "type": "public-key",
		"clientExtensionResults": m{}, "response": m{"clientDataJSON": "e30", "authenticatorData": "AQID", "signature": "AQID"}}})
}

func (w *world) organizations(ada *actor) {
	bob := w.signUp("bob@example.com")
	bob.post("/send-verification-email", m{"email": bob.Email})
	bob.get("/verify-email?token=" + url.QueryEscape(w.mailed(bob.Email, "verify-email").Token))
	id := ada.post("/organization/create", m{"name": "Acme", "slug": "acme"}).Text("id")
	ada.post("/organization/check-slug", m{"slug": "other"})
	ada.post("/organization/set-active", m{"organizationId": id})
	invited := ada.post("/organization/invite-member", m{"email": bob.Email, "role": "admin"}).Text("id")
	bob.get("/organization/get-invitation?id=" + invited)
	bob.get("/organization/list-user-invitations")
	ada.get("/organization/list-invitations")
	member := bob.post("/organization/accept-invitation", m{"invitationId": invited}).Text("member.id")
	ada.get("/organization/list")
	ada.get("/organization/get-organization")
	ada.get("/organization/get-full-organization")
	ada.get("/organization/list-members?limit=10&offset=10")
	ada.post("/organization/has-permission", m{"permissions": m{"member": []string{"create"}}})
	ada.get("/organization/get-active-member")
	ada.get("/organization/get-active-member-role")
	team := ada.post("/organization/create-team", m{"name": "Sales"}).Text("id")
	ada.get("/organization/list-teams")
	ada.post("/organization/add-team-member", m{"teamId": team, "userId": bob.UserID})
	bob.post("/organization/set-active-team", m{"teamId": team})
	bob.get("/organization/list-team-members")
	bob.get("/organization/list-user-teams")
	ada.post("/organization/create-role", m{"role": "cashier", "permission": m{"member": []string{"create"}}})
	ada.get("/organization/list-roles")
	ada.post("/organization/update-member-role", m{"memberId": member, "role": "member"})
	ada.post("/organization/remove-member", m{"memberIdOrEmail": bob.Email})
	ada.post("/organization/delete", m{"organizationId": id})
}

func (w *world) vaults(ada *actor) {
	ada.get("/vault/status")
	ada.post("/vault/init", nil)
	ada.get("/vault/key")
	ada.get("/vault/audit")
	ada.post("/mission-grant", m{"missionId": "mission-abc", "tables": []string{"tasks"}, "recordIds": []string{"tasks:t1"}})
	ada.get("/mission-grant/list")
	ada.get("/mission-grant/audit")
	w.r.begin("GET /mission-grant/status")
	w.Client().Do(plugintest.Request{Method: "GET", Path: "/mission-grant/status?digest=x", Header: map[string]string{"X-Service-Key": serviceKey}}).Want(404)
	ada.post("/mission-grant/revoke", m{"missionId": "mission-abc"})
}

func (w *world) facade() {
	const auth = "/api/v1/auth"
	a := w.actor()
	a.post(auth+"/register", m{"email": "eve@example.com", "password": password})
	a.post(auth+"/login", m{"email": "eve@example.com", "password": password})
	tokens := a.post(auth+"/session-to-token", nil)
	a.post(auth+"/refresh", m{"refreshToken": tokens.Text("refreshToken")})
	a.get(auth + "/sessions")
	a.get(auth + "/signup-status")
}

// background is what happens without a request.
func (w *world) background(t *testing.T) {
	w.jobs()
	w.Clock.Advance(20 * time.Hour)
	w.jobs()
	w.r.begin("the chain of security events")
	if _, err := w.Auth.LinkEvents(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.r.begin("the clean-up")
	for range 2 { // the first looks after users behind a letter
		if _, err := w.Host.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
