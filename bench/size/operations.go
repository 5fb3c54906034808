package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

type input = map[string]any

// operation is what is measured. once does it once with random rows, and says how long
// that took, for how many things.
type operation struct {
	name  string
	share int // how many are done of a hundred
	once  func(context.Context, *site) (time.Duration, int, error)
}

// session is the number of any session but the last of its user, which revoking takes.
func (s *site) session() int {
	return s.user()*s.sessionsEach + rand.IntN(s.sessionsEach-1)
}

// organization is one of a user's, by the order in which statements made them.
func (s *site) organization(user int) string {
	return fmt.Sprintf("org-%d", (user*7+rand.IntN(s.organizationsEach)*3)%s.organizations)
}

// get is an operation that is one request of a random session.
func get(name, path string) operation {
	return request(name, func(s *site, _ int) (string, string, any) { return "GET", path, nil })
}

func request(name string, of func(s *site, user int) (method, path string, body any)) operation {
	return operation{name, 100, func(_ context.Context, s *site) (time.Duration, int, error) {
		session := s.session()
		method, path, body := of(s, session/s.sessionsEach)
		_, took, err := do(s.cheap, method, path, cookie(session), body)
		return took, 1, err
	}}
}

// inCrowd is request by one of an organization's members.
func inCrowd(name, path, organization string, of func(*site) int) operation {
	return operation{name, 20, func(_ context.Context, s *site) (time.Duration, int, error) {
		session := rand.IntN(of(s))*s.sessionsEach + rand.IntN(s.sessionsEach-1)
		_, took, err := do(s.cheap, "GET", path+"&organizationId="+organization, cookie(session), nil)
		return took, 1, err
	}}
}

const expiredRows = 10_000

var operations = []operation{
	get("get-session", "/get-session"),
	signIn("sign-in, quick hash", 100, 0, func(s *site) fasthttp.RequestHandler { return s.cheap }),
	signIn("sign-in, argon2id", 20, 1, func(s *site) fasthttp.RequestHandler { return s.real }),
	get("list-sessions", "/list-sessions"),
	{"revoke-session", 20, revoke},
	get("organization/list", "/organization/list"),
	request("organization/get-full-organization", func(s *site, user int) (string, string, any) {
		return "GET", "/organization/get-full-organization?organizationId=" + s.organization(user), nil
	}),
	request("organization/list-members", func(s *site, user int) (string, string, any) {
		return "GET", "/organization/list-members?limit=10&organizationId=" + s.organization(user), nil
	}),
	inCrowd("list-members, 1,000 members", "/organization/list-members?limit=10&offset=500", "org-crowd", func(s *site) int { return s.crowd }),
	inCrowd("list-members, 10,000 members*", "/organization/list-members?limit=10&offset=500", "org-big", func(s *site) int { return s.bigCrowd }),
	request("organization/list-invitations", func(s *site, user int) (string, string, any) {
		return "GET", "/organization/list-invitations?organizationId=" + s.organization(user), nil
	}),
	request("organization/has-permission", func(s *site, user int) (string, string, any) {
		return "POST", "/organization/has-permission", input{"organizationId": s.organization(user), "permissions": input{"member": []string{"create"}}}
	}),
	{"clean-up, each of 10,000 rows", 0, clean},
}

// signIn signs a user in whose password has the hash (0 quick, 1 production's), and out again.
func signIn(name string, share, hash int, by func(*site) fasthttp.RequestHandler) operation {
	return operation{name, share, func(_ context.Context, s *site) (time.Duration, int, error) {
		user := s.user()/2*2 + hash
		r, took, err := do(by(s), "POST", "/sign-in/email", "", input{"email": fmt.Sprintf("user%d@example.com", user), "password": password})
		if err != nil {
			return 0, 0, err
		}
		var cookies []string
		r.Header.VisitAllCookie(func(_, v []byte) {
			pair, _, _ := strings.Cut(string(v), ";")
			cookies = append(cookies, pair)
		})
		_, _, err = do(s.cheap, "POST", "/sign-out", strings.Join(cookies, "; "), input{})
		return took, 1, err
	}}
}

// revoke ends the last of the five sessions that a user was given.
func revoke(_ context.Context, s *site) (time.Duration, int, error) {
	for range 1000 {
		session := s.session()
		r, _, err := do(s.cheap, "GET", "/list-sessions", cookie(session), nil)
		if err != nil {
			return 0, 0, err
		}
		var list []struct{ ID, Token string }
		if err := json.Unmarshal(r.Body(), &list); err != nil {
			return 0, 0, err
		}
		last := hexMD5("session", session/s.sessionsEach*s.sessionsEach+s.sessionsEach-1)
		for _, row := range list {
			if row.ID == last {
				_, took, err := do(s.cheap, "POST", "/revoke-session", cookie(session), input{"token": row.Token})
				return took, 1, err
			}
		}
	}
	return 0, 0, errors.New("no session is left to be revoked")
}

// clean is the whole clean-up, of which nearly all is deleting the rows.
func clean(ctx context.Context, s *site) (time.Duration, int, error) {
	s.turn++
	if err := expire(ctx, s.db, s.users, expiredRows, s.turn); err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	n, err := s.auth.Host().Clean(ctx)
	if err == nil && n < expiredRows {
		err = fmt.Errorf("the clean-up deleted %d of %d rows", n, expiredRows)
	}
	return time.Since(begun), int(max(n, 1)), err
}
