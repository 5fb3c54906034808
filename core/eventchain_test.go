package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// chained is an Auth with n linked events of one user.
func chained(t *testing.T, db option, n int) (*env, string) {
	t.Helper()
	e := start(t, db, config(func(c *core.Config) { c.Audit.Chain = true }))
	c := e.client().signUp("a@example.com") // two events
	for range n - 2 {
		e.clock.Add(time.Second)
		c.must(200, "POST", "/update-user", m{"name": "Grace"})
	}
	e.link()
	return e, c.user()
}

func (e *env) link() int {
	e.t.Helper()
	n, err := e.auth.LinkEvents(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	return n
}

func (e *env) verify(kept *core.ChainHead) *core.ChainReport {
	e.t.Helper()
	r, err := e.auth.Host().VerifyChain(e.t.Context(), kept)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

// want checks the text of the fault; empty for none.
func wantFault(t *testing.T, what string, r *core.ChainReport, fault string) {
	t.Helper()
	switch {
	case fault == "" && r.Fault != nil:
		t.Errorf("%s: %v", what, r.Fault)
	case fault != "" && (r.Fault == nil || !strings.Contains(r.Fault.Error(), fault)):
		t.Errorf("%s: fault %v, want %q", what, r.Fault, fault)
	}
}

func TestChainIsWhole(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e, _ := chained(t, db, 450) // more than one batch
		r := e.verify(nil)
		wantFault(t, "whole", r, "")
		if r.First != 1 || r.Last != 450 || r.Linked != 450 || r.Erased != 0 || r.Waiting != 0 || len(r.Head) != 43 {
			t.Errorf("%+v", r)
		}
		e.client().signIn("a@example.com", password)
		if r := e.verify(nil); r.Waiting != 1 || r.Last != 450 || r.Fault != nil {
			t.Errorf("before linking: %+v", r)
		}
		if n := e.link(); n != 1 {
			t.Errorf("%d linked, want 1", n)
		}
		wantFault(t, "longer", e.verify(&core.ChainHead{Seq: r.Last, Hash: r.Head}), "")
	})
}

// Each way to tamper with the table is found, at the right place.
func TestChainFindsTampering(t *testing.T) {
	const set = "UPDATE {securityEvent} SET "
	swap := []string{set + "{securityEvent:seq} = 100 WHERE {securityEvent:seq} = 3", set + "{securityEvent:seq} = 3 WHERE {securityEvent:seq} = 4",
		set + "{securityEvent:seq} = 4 WHERE {securityEvent:seq} = 100"}
	for name, tt := range map[string]struct {
		sql   []string
		fault string
	}{
		"the type":               {[]string{set + "{securityEvent:type} = 'sign-in' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"the reason":             {[]string{set + "{securityEvent:reason} = 'x' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"nothing for the reason": {[]string{set + "{securityEvent:reason} = '' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"the actor":              {[]string{set + "{securityEvent:actor} = 'x' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"the hash":               {[]string{set + "{securityEvent:hash} = 'x' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"no hash":                {[]string{set + "{securityEvent:hash} = NULL WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"the user":               {[]string{set + "{securityEvent:userId} = 'x' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"the address":            {[]string{set + "{securityEvent:ipAddress} = 'x' WHERE {securityEvent:seq} = 3"}, "user, address"},
		"the agent":              {[]string{set + "{securityEvent:userAgent} = 'x' WHERE {securityEvent:seq} = 3"}, "user, address"},
		"the request id":         {[]string{set + "{securityEvent:requestId} = 'x' WHERE {securityEvent:seq} = 3"}, "user, address"},
		"the detail":             {[]string{set + "{securityEvent:detail} = 'x' WHERE {securityEvent:seq} = 3"}, "user, address"},
		"the commitment":         {[]string{set + "{securityEvent:commitment} = 'x' WHERE {securityEvent:seq} = 3"}, "event 3 ("},
		"no salt":                {[]string{set + "{securityEvent:salt} = NULL WHERE {securityEvent:seq} = 3"}, "the salt is gone"},
		"no salt and no address": {[]string{set + "{securityEvent:salt} = NULL, {securityEvent:ipAddress} = NULL, {securityEvent:userAgent} = NULL, {securityEvent:requestId} = NULL, {securityEvent:detail} = NULL WHERE {securityEvent:seq} = 3"}, "the salt is gone"},
		"one deleted":            {[]string{"DELETE FROM {securityEvent} WHERE {securityEvent:seq} = 3"}, "event 3: missing"},
		"the first deleted":      {[]string{"DELETE FROM {securityEvent} WHERE {securityEvent:seq} = 1"}, "event 1: missing"},
		"the last deleted":       {[]string{"DELETE FROM {securityEvent} WHERE {securityEvent:seq} = 6"}, "event 6: missing"},
		"all deleted":            {[]string{"DELETE FROM {securityEvent}"}, "event 1: missing"},
		"one unlinked":           {[]string{set + "{securityEvent:seq} = NULL WHERE {securityEvent:seq} = 3"}, "event 3: missing"},
		"two exchanged":          {swap, "event 3 ("},
		"one added at the end":   {[]string{"INSERT INTO {securityEvent} ({securityEvent:id}, {securityEvent:type}, {securityEvent:createdAt}, {securityEvent:seq}, {securityEvent:hash}) SELECT 'new', {securityEvent:type}, {securityEvent:createdAt}, 7, {securityEvent:hash} FROM {securityEvent} WHERE {securityEvent:seq} = 6"}, "event 7 (new): added"},
		"the ends deleted":       {[]string{"DELETE FROM {securityEventChain}"}, "the sealed ends of the chain are gone"},
		"the ends altered":       {[]string{"UPDATE {securityEventChain} SET {securityEventChain:state} = 'x'"}, "the sealed ends of the chain were altered"},
		"the time":               {[]string{"moved"}, "event 3 ("},
		"nothing":                {nil, ""},
		"a row that is no link":  {[]string{"INSERT INTO {securityEvent} ({securityEvent:id}, {securityEvent:type}, {securityEvent:createdAt}) SELECT 'new', 'x', {securityEvent:createdAt} FROM {securityEvent} WHERE {securityEvent:seq} = 6"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := chained(t, on(openSQLite(t)), 6)
			for _, s := range tt.sql {
				if s == "moved" {
					e.exec(set+"{securityEvent:createdAt} = ? WHERE {securityEvent:seq} = 3", e.clock.Now())
					continue
				}
				e.exec(s)
			}
			wantFault(t, name, e.verify(nil), tt.fault)
		})
	}
}

// Who can write to the database alone cannot make a chain that fits the sealed head; who
// puts everything back to an earlier state is found by a head that was kept elsewhere.
func TestChainPutBack(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e, _ := chained(t, db, 4)
		before := e.rows("SELECT {securityEventChain:state} FROM {securityEventChain}")[0]
		e.client().signIn("a@example.com", password)
		e.link()
		r := e.verify(nil)
		kept := &core.ChainHead{Seq: r.Last, Hash: r.Head}
		e.exec("DELETE FROM {securityEvent} WHERE {securityEvent:seq} = 5")
		wantFault(t, "truncated", e.verify(nil), "event 5: missing")
		e.exec("UPDATE {securityEventChain} SET {securityEventChain:state} = ?", before)
		wantFault(t, "put back, and nothing kept", e.verify(nil), "") // it cannot be seen
		wantFault(t, "put back", e.verify(kept), "shorter than when this head was kept")
		e.clock.Add(time.Second)
		e.client().signIn("a@example.com", password)
		e.link()
		wantFault(t, "another history", e.verify(kept), "the chain was rewritten")
		e.exec("DELETE FROM {securityEvent}")
		e.exec("DELETE FROM {securityEventChain}")
		wantFault(t, "everything gone", e.verify(kept), "there is no chain, and there was one")
	})
}

// Erasing a user leaves the chain whole, and nothing personal in it.
func TestChainSurvivesErasure(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e, id := chained(t, db, 5)
		other := e.client().signUp("b@example.com").user()
		e.link()
		kept := e.verify(nil)
		c := e.client()
		c.signIn("a@example.com", password)
		c.must(200, "POST", "/delete-user", m{"password": password}) // one event is not linked yet
		e.link()
		r := e.verify(&core.ChainHead{Seq: kept.Last, Hash: kept.Head})
		wantFault(t, "erased", r, "")
		if r.Erased != 5 || r.Linked != 9 || r.Waiting != 0 {
			t.Errorf("%+v", r)
		}
		salts := e.rows("SELECT {securityEvent:salt} FROM {securityEvent} WHERE {securityEvent:seq} <= 5 AND {securityEvent:salt} IS NOT NULL")
		if len(salts) != 0 {
			t.Errorf("salts of erased events: %v", salts)
		}
		if len(e.types(other)) != 2 || len(e.types(id)) != 7 {
			t.Errorf("%q, %q", e.types(other), e.types(id))
		}
		// A chain that was erased is no licence to alter.
		e.exec("UPDATE {securityEvent} SET {securityEvent:type} = 'x' WHERE {securityEvent:seq} = 2")
		wantFault(t, "altered afterwards", e.verify(nil), "event 2 (")
	})
}

// Retention shortens the chain at its beginning, and not past a break.
func TestRetention(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		day := 24 * time.Hour
		e := start(t, db, config(func(c *core.Config) { c.Audit.Chain, c.Audit.Retention = true, ptr(10*86400) }))
		clean := func() {
			t.Helper()
			if _, err := e.auth.Host().Clean(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e.client().signUp("a@example.com")
		e.link()
		first := e.verify(nil)
		e.clock.Add(9 * day)
		e.client().signUp("b@example.com")
		e.link()
		e.client().signUp("c@example.com") // not linked
		clean()
		if n := e.sum("securityEvent"); n != 6 {
			t.Errorf("%d events before any is too old", n)
		}
		e.clock.Add(day + time.Second)
		clean()
		r := e.verify(&core.ChainHead{Seq: first.Last, Hash: first.Head})
		wantFault(t, "shorter", r, "")
		if r.First != 3 || r.Last != 4 || r.Waiting != 2 {
			t.Errorf("%+v", r)
		}
		e.clock.Add(20 * day)
		clean()
		if n := e.sum("securityEvent"); n != 0 {
			t.Errorf("%d events that are too old", n)
		}
		wantFault(t, "empty", e.verify(nil), "")
		e.client().signUp("d@example.com")
		e.client().signUp("e@example.com")
		if e.link(); e.verify(nil).First != 5 {
			t.Errorf("the chain does not go on: %+v", e.verify(nil))
		}
		e.exec("DELETE FROM {securityEvent} WHERE {securityEvent:seq} = 5")
		e.clock.Add(20 * day)
		clean()
		if n := e.sum("securityEvent"); n != 3 || !strings.Contains(e.logs.text(), "the chain of security events is broken") {
			t.Errorf("%d events behind a break", n)
		}
	})
}

// Whether a mailed link is still valid is told by events, which have to live longer.
func TestRetentionIsLongEnough(t *testing.T) {
	for _, tt := range []struct {
		retention, link int
		want            string
	}{
		{1, 0, "audit.retention: 1 s: must be 0, or at least 86400"},
		{86399, 0, "audit.retention: 86399 s: must be 0, or at least 86400"},
		{86400, 86401, "audit.retention: 86400 s: must be 0, or at least 86401"},
		{86400, 0, ""},
		{0, 86401, ""},
	} {
		e := prepare(t, config(func(c *core.Config) { c.Audit.Retention, c.Email.ExpiresIn = &tt.retention, tt.link }))
		_, err := core.Describe(e.cfg)
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) && tt.want != "" {
			t.Errorf("%d beside links of %d: %v", tt.retention, tt.link, err)
		}
	}
}

func TestRetentionForEver(t *testing.T) {
	e := start(t, config(func(c *core.Config) { c.Audit.Retention = ptr(0) }))
	e.client().signUp("a@example.com")
	e.clock.Add(20 * 365 * 24 * time.Hour)
	if _, err := e.auth.Host().Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := e.sum("securityEvent"); n != 2 {
		t.Errorf("%d events", n)
	}
}

// A user who was deleted without core, and a failure that was written too late, are swept.
func TestSweep(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db)
		id := e.client().signUp("a@example.com").user()
		other := e.client().signUp("b@example.com").user()
		e.exec("DELETE FROM {user} WHERE {user:id} = ?", id)
		for range 2 { // the first may begin behind them
			if _, err := e.auth.Host().Clean(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if left := fmt.Sprint(e.rows("SELECT {securityEvent:userId} FROM {securityEvent}")); strings.Contains(left, id) || !strings.Contains(left, other) {
			t.Errorf("%s; gone is %s", left, id)
		}
		if n := len(e.history(id)); n != 2 {
			t.Errorf("%d events of who is gone", n)
		}
	})
}

// Several processes that link at once make one chain.
func TestParallelLinking(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.Audit.Chain = true }))
		other := e.compile()
		c := e.client().signUp("a@example.com")
		parallel(t, 12, func(i int) {
			switch i % 3 {
			case 0:
				c.clone().post("/update-user", m{"name": "Grace"})
			case 1:
				_, _ = e.auth.LinkEvents(t.Context()) // what it could not do is done below
			default:
				_, _ = other.LinkEvents(t.Context())
			}
		})
		e.link()
		r := e.verify(nil)
		wantFault(t, "parallel", r, "")
		if r.Last != 6 || r.Waiting != 0 {
			t.Errorf("%+v", r)
		}
	})
}
