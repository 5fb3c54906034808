package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/scrypt"
)

// signInLoad signs all users in, one after the other.
func signInLoad() load {
	w := load{path: "/api/auth/sign-in/email", header: "POST"}
	for i := range users {
		w.values = append(w.values, fmt.Sprintf(`{"email":"user%d@example.com","password":"%s"}`, i+1, password))
	}
	return w
}

// signIns is sign-in by 16 clients at an equal hash, beside that hash alone on all processors.
func signIns(ctx context.Context, l *lab) error {
	w := signInLoad()
	theirs, err := l.start(ctx, l.betterAuth("sign-in"))
	if err != nil {
		return err
	}
	our, err := l.start(ctx, l.ours("sign-in", "SALLYPORT_PLUGINS=email-password"))
	if err != nil {
		return err
	}
	all := []*contestant{{name: "Better Auth, sign-in", s: theirs, w: w}, {name: "Sallyport, sign-in", s: our, w: w}}
	pure := &contestant{name: "scrypt alone, on all processors"}
	longer := max(*each, 8*time.Second)
	for round := range *rounds + 1 {
		for _, c := range all {
			t, err := l.drive(ctx, c.s, c.w, 16, longer)
			if err != nil {
				return err
			}
			if t.failed > 0 {
				return fmt.Errorf("%s: %d answers were refusals", c.name, t.failed)
			}
			if round > 0 {
				c.got = append(c.got, t)
			}
			fmt.Fprintf(os.Stderr, "%d %-45s %8.1f/s\n", round, c.name, t.rate)
		}
		t := turn{rate: hashRate(longer)}
		if round > 0 {
			pure.got = append(pure.got, t)
		}
		fmt.Fprintf(os.Stderr, "%d %-45s %8.1f/s\n", round, pure.name, t.rate)
	}
	fmt.Println("| 16 clients, scrypt N=16384 r=16 p=1 | per second | p50, p99 ms | CPU ms per sign-in, PostgreSQL included | resident MB, most |\n|---|---|---|---|---|")
	for _, c := range append(all, pure) {
		m, least, most := c.got.of(rate)
		fmt.Printf("| %s | %.1f [%.1f-%.1f] |", c.name, m, least, most)
		if c.s == nil {
			fmt.Println(" | | |")
			continue
		}
		fmt.Printf(" %.0f, %.0f | %.0f | %.0f |\n", c.got.median(func(t turn) float64 { return t.p50 }), c.got.median(func(t turn) float64 { return t.p99 }),
			c.got.median(func(t turn) float64 { return (t.cpu + t.pg) / 1000 }), c.got.median(func(t turn) float64 { return t.peak }))
	}
	a, b, c := ratios(all[1].got, pure.got)
	d, e, f := ratios(all[1].got, all[0].got)
	fmt.Printf("\nSign-in: %.2f [%.2f-%.2f] of the hash alone, %.2f [%.2f-%.2f] of Better Auth.\n\n", a, b, c, d, e, f)
	theirs.stop()
	our.stop()
	return nil
}

// hashRate is how many passwords all processors hash per second and nothing else.
func hashRate(d time.Duration) float64 {
	var done atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Since(begin) < d {
				if _, err := scrypt.Key([]byte(password), []byte("0123456789abcdef0123456789abcdef"), 16384, 16, 1, 64); err == nil {
					done.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds()
}

// rest is what each holds after its start, and at most while clients sign in. The pages of the program's own
// file are a part of it that processes share and the kernel takes back when it needs them.
func rest(ctx context.Context, l *lab) error {
	fmt.Println("| resident MB | idle, 2 s after the start | of these pages of its file | 16 clients signing in, most | 500 clients, most | sign-ins per second then | refused with 503 |\n|---|---|---|---|---|---|---|")
	for _, c := range []command{l.betterAuth("scrypt"), l.ours("scrypt", "SALLYPORT_PLUGINS=email-password"),
		l.ours("argon2id", "SALLYPORT_PLUGINS=email-password", "SALLYPORT_PASSWORD_HASH=argon2id")} {
		s, err := l.start(ctx, c)
		if err != nil {
			return err
		}
		time.Sleep(2 * time.Second)
		idle, file := memory(s.cmd.Process.Pid, "VmRSS"), memory(s.cmd.Process.Pid, "RssFile")
		if strings.HasSuffix(c.name, "argon2id") {
			if err := l.rehash(ctx, s); err != nil {
				return err
			}
		}
		few, err := l.drive(ctx, s, signInLoad(), 16, max(*each, 8*time.Second))
		if err != nil {
			return err
		}
		many, err := l.drive(ctx, s, signInLoad(), 500, max(*each, 15*time.Second))
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f | %.0f | %.0f | %.0f | %.1f | %d |\n", c.name, idle, file, few.peak, many.peak, many.rate, many.failed)
		s.stop()
	}
	fmt.Println()
	return nil
}

// rehash gives all users the hash that the server makes of their password.
func (l *lab) rehash(ctx context.Context, s *server) error {
	status, _, body, err := call(ctx, "POST", s.base+"/api/auth/sign-in/email", "", map[string]string{"email": email, "password": password})
	if err != nil || status != 200 {
		return fmt.Errorf("sign-in: %d %s %w", status, body, err)
	}
	_, err = l.DB.ExecContext(ctx, `UPDATE account SET password = (SELECT a.password FROM account a JOIN "user" u ON u.id = a."userId" WHERE u.email = $1)`, email)
	return err
}
