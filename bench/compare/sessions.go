package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// contestant is a server with the requests that it gets.
type contestant struct {
	name string
	s    *server
	w    load
	got  series
}

// cookies are the session cookies of all users, with what the server sets beside them.
func (l *lab) cookies(ctx context.Context, s *server, cached bool) (load, error) {
	w := load{path: "/api/auth/get-session", header: "Cookie"}
	for i, t := range l.tokens {
		c := cookie + "=" + t
		if cached || i == 0 {
			status, set, body, err := call(ctx, "GET", s.base+w.path, c, nil)
			if err != nil || status != 200 || !strings.Contains(body, "@example.com") {
				return w, fmt.Errorf("%s: get-session: %d %s %w", s.name, status, body, err)
			}
			if cached {
				if !strings.Contains(set, "session_data=") {
					return w, fmt.Errorf("%s sets no cookie cache", s.name)
				}
				c += "; " + set
			}
		}
		w.values = append(w.values, c)
	}
	return w, nil
}

func bareLoad(path string) load {
	w := load{path: path, header: "X-Token"}
	for i := range users {
		w.values = append(w.values, fmt.Sprintf("t%031d", i+1))
	}
	return w
}

// sessions is get-session from the database, from the cookie cache and from memory, and /token.
func sessions(ctx context.Context, l *lab) error {
	var all []*contestant
	add := func(name string, c command, path string, cached bool) error {
		s, err := l.start(ctx, c)
		if err != nil {
			return err
		}
		w, err := l.cookies(ctx, s, cached)
		if path != "" {
			w.path = path
		}
		all = append(all, &contestant{name: name, s: s, w: w})
		return err
	}
	err := errors.Join(
		add("Better Auth, session from the database", l.betterAuth("database"), "", false),
		add("Sallyport, session from the database", l.ours("database", "SALLYPORT_PLUGINS=email-password"), "", false),
		add("Better Auth, cookie cache", l.betterAuth("cache", "CACHE=1"), "", true),
		add("Sallyport, cookie cache", l.ours("cache", "SALLYPORT_PLUGINS=email-password", "SALLYPORT_SESSION_COOKIE_CACHE_ENABLED=true"), "", true),
		add("Sallyport, session from memory", l.ours("memory", "SALLYPORT_PLUGINS=email-password", "SALLYPORT_SESSION_TOKEN_STORAGE=hashed", "SALLYPORT_SESSION_CACHE_ENABLED=true", "SALLYPORT_SESSION_CACHE_MAX_AGE=900"), "", false),
		add("Better Auth, /token", l.betterAuth("token", "JWT=1"), "/api/auth/token", false),
		add("Sallyport, /token", l.ours("token"), "/api/auth/token", false))
	if err != nil {
		return err
	}
	limit, err := l.start(ctx, l.bare())
	if err != nil {
		return err
	}
	all = append(all, &contestant{name: "bare handler, one select", s: limit, w: bareLoad("/session")},
		&contestant{name: "bare handler, from memory", s: limit, w: bareLoad("/memory")},
		&contestant{name: "bare handler, one select and a signature", s: limit, w: bareLoad("/token")})
	if err := l.turns(ctx, all, 16); err != nil {
		return err
	}
	table(all)
	ratio := func(a, b int) string {
		m, least, most := ratios(all[a].got, all[b].got)
		return fmt.Sprintf("%.2f [%.2f-%.2f]", m, least, most)
	}
	fmt.Println("| ratio of requests per second | |\n|---|---|")
	for _, r := range []struct {
		name string
		a, b int
	}{{"from the database: of Better Auth", 1, 0}, {"from the database: of the bare handler", 1, 7}, {"cookie cache: of Better Auth's", 3, 2},
		{"from memory: of Better Auth from the database", 4, 0}, {"from memory: of the bare handler", 4, 8}, {"/token: of Better Auth", 6, 5},
		{"/token: of the bare handler", 6, 9}} {
		fmt.Printf("| %s | %s |\n", r.name, ratio(r.a, r.b))
	}
	fmt.Println()
	for _, c := range all {
		c.s.stop()
	}
	return nil
}

// turns drives all of them one after the other, round by round. The first round only warms them.
func (l *lab) turns(ctx context.Context, all []*contestant, connections int) error {
	for round := range *rounds + 1 {
		for _, c := range all {
			t, err := l.drive(ctx, c.s, c.w, connections, *each)
			if err != nil {
				return err
			}
			if t.failed > 0 {
				return fmt.Errorf("%s: %d answers were refusals", c.name, t.failed)
			}
			fmt.Fprintf(os.Stderr, "%d %-45s %8.0f/s %6.0f us + %4.0f us\n", round, c.name, t.rate, t.cpu, t.pg)
			if round > 0 {
				c.got = append(c.got, t)
			}
		}
	}
	return nil
}

func table(all []*contestant) {
	fmt.Println("| | requests per second | p50, p99 ms | CPU us per request: itself + PostgreSQL | resident MB, most |\n|---|---|---|---|---|")
	for _, c := range all {
		m, least, most := c.got.of(rate)
		fmt.Printf("| %s | %.0f [%.0f-%.0f] | %.1f, %.1f | %.0f + %.0f | %.0f |\n", c.name, m, least, most,
			c.got.median(func(t turn) float64 { return t.p50 }), c.got.median(func(t turn) float64 { return t.p99 }),
			c.got.median(func(t turn) float64 { return t.cpu }), c.got.median(func(t turn) float64 { return t.pg }),
			c.got.median(func(t turn) float64 { return t.peak }))
	}
	fmt.Println()
}
