package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

// crowd is everybody who uses the server at once.
type crowd struct {
	b       *balancer
	l       *ledger
	s       *sink
	think   time.Duration
	bound   time.Duration // a revoked session is refused from then on
	addrs   atomic.Int64
	serial  atomic.Int64
	revoked rig.Latencies // how long after a revocation the last answer with the session was asked for
	late    atomic.Int64
}

// user is one life: from signing up to signing out.
type user struct {
	c               *crowd
	email, name, pw string
	jar             *rig.Jar
	session, id     string
	last            *place
}

// errLife ends a life early: what the user knows of itself is not sure any more.
var errLife = errors.New("unclear")

// address is one that nobody has used: limits count by address, and are not what is tested.
func (c *crowd) address() string {
	n := c.addrs.Add(1)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

func (c *crowd) run(ctx context.Context) {
	for ctx.Err() == nil {
		u := &user{c: c, jar: &rig.Jar{}}
		if err := u.live(ctx); err != nil && !errors.Is(err, errLife) {
			c.l.check(false, "%s: %v", u.email, err)
			time.Sleep(time.Second)
		}
	}
}

// ask sends a request and wants 200. A connection that broke is errCut.
func (u *user) ask(method, path, body string) (rig.Answer, error) {
	return u.askAs(u.jar, nil, method, path, body)
}

func (u *user) askAs(jar *rig.Jar, but *place, method, path, body string) (rig.Answer, error) {
	name, _, _ := strings.Cut(path, "?")
	a, p, err := u.c.b.sendBut(but, method+" "+name, rig.Request{Method: method, Path: "/api/auth" + path, Body: body, Origin: baseURL,
		Jar: jar, From: u.c.address()})
	if err != nil {
		return a, err
	}
	u.last = p
	if a.Status >= 500 {
		return a, errLife // counted where it was answered
	}
	if a.Status != 200 {
		return a, fmt.Errorf("%s %s at %s: %d %s", method, path, p.Name, a.Status, a.Body)
	}
	return a, nil
}

// write is ask of something that changes something: an answer that was lost leaves two
// possibilities, which unclear notes.
func (u *user) write(path, body string, acknowledged func(a rig.Answer), unclear func()) error {
	return u.writeAs(u.jar, path, body, acknowledged, unclear)
}

func (u *user) writeAs(jar *rig.Jar, path, body string, acknowledged func(a rig.Answer), unclear func()) error {
	a, err := u.askAs(jar, nil, "POST", path, body)
	switch {
	case errors.Is(err, errCut):
		u.c.l.unclear(unclear)
		return errLife
	case err == nil:
		u.c.l.wrote(func() { acknowledged(a) })
	case errors.Is(err, errLife):
		u.c.l.unclear(unclear)
	}
	return err
}

// read is ask of something that changes nothing: it is asked again where the connection broke.
func (u *user) read(but *place, path string) (rig.Answer, error) {
	for {
		a, err := u.askAs(u.jar, but, "GET", path, "")
		if !errors.Is(err, errCut) {
			return a, err
		}
	}
}

func (u *user) live(ctx context.Context) error {
	n := u.c.serial.Add(1)
	u.email, u.name, u.pw = fmt.Sprintf("pw%d@example.com", n), fmt.Sprintf("User %d", n), fmt.Sprintf("password of %d", n)
	if err := u.signUp(); err != nil {
		return err
	}
	steps := []struct {
		share int
		do    func() error
	}{
		{780, u.look}, {60, u.token}, {80, u.rename}, {40, u.listSessions}, {12, u.revoke}, {12, u.organize}, {10, u.changePassword}, {6, u.magic},
	}
	for range 60 + rand.IntN(60) {
		if ctx.Err() != nil {
			return nil
		}
		dice := rand.IntN(1000)
		for _, s := range steps {
			if dice -= s.share; dice < 0 {
				if err := s.do(); err != nil {
					return err
				}
				break
			}
		}
		time.Sleep(u.c.think/2 + rand.N(u.c.think))
	}
	return u.write("/sign-out", "{}", func(rig.Answer) { u.c.l.sessions[u.session] = false }, func() { delete(u.c.l.sessions, u.session) })
}

func (u *user) signUp() error {
	err := u.write("/sign-up/email", fmt.Sprintf(`{"name":%q,"email":%q,"password":%q}`, u.name, u.email, u.pw),
		func(rig.Answer) { u.c.l.names[u.email] = u.name }, func() {})
	if err != nil {
		return err
	}
	u.session, u.id, err = u.who(u.jar)
	if err == nil {
		u.c.l.wrote(func() { u.c.l.sessions[u.session], u.c.l.userIDs[u.email] = true, u.id })
	}
	return err
}

type sessionAnswer struct {
	Session struct{ ID, Token string }
	User    struct{ ID, Name, Email string }
}

// who asks another replica than the last one whose session that is.
func (u *user) who(jar *rig.Jar) (session, id string, err error) {
	v := *u
	v.jar = jar
	a, err := v.read(u.last, "/get-session?disableCookieCache=true")
	if err != nil {
		return "", "", err
	}
	var got sessionAnswer
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || got.Session.ID == "" {
		return "", "", fmt.Errorf("there is no session behind a sign-in: %s", a.Body)
	}
	return got.Session.ID, got.User.ID, nil
}

// look reads the session, as an app does with every page. The name may be that of a moment ago.
func (u *user) look() error {
	a, err := u.read(nil, "/get-session")
	if err == nil && !strings.Contains(a.Body, `"`+u.email+`"`) {
		err = fmt.Errorf("the session is lost: %s", a.Body)
	}
	return err
}

func (u *user) token() error {
	a, err := u.read(nil, "/token")
	if err == nil && strings.Count(a.Body, ".") != 2 {
		err = fmt.Errorf("no token: %s", a.Body)
	}
	return err
}

// rename changes the user, and reads that back from the database of another replica.
func (u *user) rename() error {
	name := fmt.Sprintf("User %d", u.c.serial.Add(1))
	err := u.write("/update-user", fmt.Sprintf(`{"name":%q}`, name), func(rig.Answer) { u.c.l.names[u.email] = name },
		func() { u.c.l.names[u.email] = "" })
	if err != nil {
		return err
	}
	u.name = name
	a, err := u.read(u.last, "/get-session?disableCookieCache=true")
	if err == nil {
		u.c.l.check(strings.Contains(a.Body, `"`+name+`"`), "%s was renamed to %q, and another replica says %s", u.email, name, a.Body)
	}
	return err
}

func (u *user) listSessions() error {
	a, err := u.read(nil, "/list-sessions")
	if err == nil && !strings.Contains(a.Body, u.session) {
		err = fmt.Errorf("the list lacks the session %s: %s", u.session, a.Body)
	}
	return err
}
