package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

// signIn makes another session of the user's.
func (u *user) signIn() (jar *rig.Jar, session string, err error) {
	jar = &rig.Jar{}
	err = u.writeAs(jar, "/sign-in/email", fmt.Sprintf(`{"email":%q,"password":%q}`, u.email, u.pw), func(rig.Answer) {}, func() {})
	if err != nil {
		return nil, "", err
	}
	session, _, err = u.who(jar)
	if err == nil {
		u.c.l.wrote(func() { u.c.l.sessions[session] = true })
	}
	return jar, session, err
}

// revoke signs in a second time, has every replica remember that session, ends it from the
// first one, and watches until when any replica still serves it.
func (u *user) revoke() error {
	jar, session, err := u.signIn()
	if err != nil {
		return err
	}
	for _, p := range u.c.b.places {
		if p.ready.Load() {
			_, _ = u.c.b.at(p, "GET /get-session", rig.Request{Method: "GET", Path: "/api/auth/get-session", Jar: jar.Copy(), From: u.c.address()}) // warms
		}
	}
	a, err := u.read(nil, "/list-sessions")
	if err != nil {
		return err
	}
	var list []struct{ ID, Token string }
	if err := json.Unmarshal([]byte(a.Body), &list); err != nil {
		return err
	}
	for _, s := range list {
		if s.ID == session {
			return u.revokeAndWatch(jar, session, s.Token)
		}
	}
	return fmt.Errorf("the list lacks the session %s: %s", session, a.Body)
}

func (u *user) revokeAndWatch(jar *rig.Jar, session, token string) error {
	err := u.write("/revoke-session", fmt.Sprintf(`{"token":%q}`, token), func(rig.Answer) { u.c.l.sessions[session] = false },
		func() { delete(u.c.l.sessions, session) })
	if err != nil {
		return err
	}
	revoked := time.Now()
	var wg sync.WaitGroup
	for _, p := range u.c.b.places {
		wg.Go(func() {
			served := time.Duration(0) // when the last request that was served had been sent
			for range 1000 {
				if !p.ready.Load() {
					return
				}
				sent := time.Since(revoked)
				a, err := u.c.b.at(p, "GET /get-session", rig.Request{Method: "GET", Path: "/api/auth/get-session?disableRefresh=true", Jar: jar.Copy(), From: u.c.address()})
				if err != nil || a.Status != 200 {
					return
				}
				if a.Body == "null" {
					break
				}
				served = max(served, sent)
			}
			u.c.revoked.Add(served)
			if served > u.c.bound {
				u.c.late.Add(1)
			}
		})
	}
	wg.Wait()
	return nil
}

func (u *user) changePassword() error {
	pw := fmt.Sprintf("password of %d", u.c.serial.Add(1))
	err := u.write("/change-password", fmt.Sprintf(`{"currentPassword":%q,"newPassword":%q}`, u.pw, pw), func(rig.Answer) {}, func() {})
	if err != nil {
		return err
	}
	u.pw = pw
	_, _, err = u.signIn() // the new one is the right one, at whichever replica
	return err
}

// magic signs a new user in by a link.
func (u *user) magic() error {
	_, err := u.byLink()
	return err
}

func (u *user) byLink() (*user, error) {
	v := &user{c: u.c, jar: &rig.Jar{}, email: fmt.Sprintf("link%d@example.com", u.c.serial.Add(1))}
	err := v.write("/sign-in/magic-link", fmt.Sprintf(`{"email":%q}`, v.email), func(rig.Answer) { v.c.l.mails["magic-link "+v.email]++ }, func() {})
	if err != nil {
		return nil, err
	}
	token := v.c.s.link(v.email, 15*time.Second)
	if token == "" {
		return nil, errLife // it has to be there in the end
	}
	if _, err := v.ask("GET", "/magic-link/verify?token="+token, ""); err != nil {
		if errors.Is(err, errCut) {
			v.c.l.unclear(func() {})
			err = errLife
		}
		return nil, err
	}
	v.session, v.id, err = v.who(v.jar)
	if err == nil {
		v.c.l.wrote(func() { v.c.l.names[v.email], v.c.l.sessions[v.session], v.c.l.userIDs[v.email] = "", true, v.id })
	}
	return v, err
}

// organize makes an organization, and invites somebody who comes by a link and accepts.
func (u *user) organize() error {
	n := u.c.serial.Add(1)
	name := fmt.Sprintf("Organization %d", n)
	var o struct{ ID string }
	err := u.write("/organization/create", fmt.Sprintf(`{"name":%q,"slug":"o-%d"}`, name, n), func(a rig.Answer) {
		_ = json.Unmarshal([]byte(a.Body), &o)
		u.c.l.organizations[o.ID], u.c.l.members[o.ID+" "+u.email] = name, true
	}, func() {})
	if err != nil {
		return err
	}
	err = u.write("/organization/set-active", fmt.Sprintf(`{"organizationId":%q}`, o.ID), func(rig.Answer) {}, func() {})
	if err != nil {
		return err
	}
	guest, err := u.byLink()
	if err != nil {
		return err
	}
	var i struct{ ID string }
	err = u.write("/organization/invite-member", fmt.Sprintf(`{"email":%q,"role":"member","organizationId":%q}`, guest.email, o.ID), func(a rig.Answer) {
		_ = json.Unmarshal([]byte(a.Body), &i)
		u.c.l.mails["invitation "+guest.email]++
	}, func() {})
	if err != nil {
		return err
	}
	return guest.write("/organization/accept-invitation", fmt.Sprintf(`{"invitationId":%q}`, i.ID),
		func(rig.Answer) { guest.c.l.members[o.ID+" "+guest.email] = true }, func() {})
}
