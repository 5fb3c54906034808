// Command size measures whether endpoints take as long with a million users as with a
// thousand: see bench/README.md.
package main

import (
	"context"
	"crypto/md5" //nolint:gosec // names rows
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

func main() {
	small := flag.Int("small", 1000, "users of the small database")
	large := flag.Int("users", 1_000_000, "users of the large database")
	n := flag.Int("n", 2000, "how often a quick operation is done on each")
	cleanUps := flag.Int("cleanups", 7, "how many clean-ups on each")
	keep := flag.Bool("keep", false, "leave the databases there, and use those that are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *small, *large, *n, *cleanUps, *keep); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to be stopped
	}
}

// server is where the databases are made: as the tests find it.
func server() string {
	if s := os.Getenv("SALLYPORT_TEST_POSTGRES"); s != "" {
		return s
	}
	return "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
}

func run(ctx context.Context, small, large, n, cleanUps int, keep bool) (err error) {
	u, err := url.Parse(server())
	if err != nil {
		return err
	}
	admin, err := sql.Open("postgres", u.String())
	if err != nil {
		return err
	}
	defer admin.Close()
	var sites []*site
	for _, users := range []int{small, large} {
		name := "sallyport_size_" + strconv.Itoa(users)
		there, made := database(ctx, admin, name, keep)
		if made != nil {
			return made
		}
		if !keep {
			defer func() {
				_, e := admin.Exec(`DROP DATABASE "` + name + `" WITH (FORCE)`)
				err = errors.Join(err, e)
			}()
		}
		at := *u
		at.Path = "/" + name
		begun := time.Now()
		s, filled := newSite(ctx, name, at.String(), users, !there)
		if filled != nil {
			return filled
		}
		fmt.Fprintf(os.Stderr, "%s: filled in %v\n", name, time.Since(begun).Round(time.Second))
		sites = append(sites, s)
	}
	for _, s := range sites {
		s.warm(ctx)
	}
	if err := describe(ctx, sites); err != nil {
		return err
	}
	// The large one twice: with as many users at work as the small one has, and with all of them, so
	// that hardly a row is in any cache.
	all := *sites[1]
	sites[1].active = sample(large, small)
	sites = append(sites, &all)
	fmt.Printf("\n| µs, median (quartiles) | %[1]d users | %[2]d users, of whom %[1]d are at work | ratio | %[2]d users, all at work | ratio |\n|---|---|---|---|---|---|\n", small, large)
	for _, o := range operations {
		rounds := n * o.share / 100
		if o.share == 0 {
			rounds = cleanUps
		}
		if err := compare(ctx, o, sites, rounds); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return nil
}

// database makes one, or takes one that is there.
func database(ctx context.Context, admin *sql.DB, name string, keep bool) (there bool, err error) {
	if err := admin.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil || there && keep {
		return there, err
	}
	_, err = admin.ExecContext(ctx, `CREATE DATABASE "`+name+`"`)
	return false, err
}

// warm reads tables and indexes into shared_buffers as far as they have room.
func (s *site) warm(ctx context.Context) {
	_, err := s.db.ExecContext(ctx, `CREATE EXTENSION IF NOT EXISTS pg_prewarm; SELECT pg_prewarm(oid) FROM pg_class
		WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace`)
	if err != nil { // the extension is not installed
		fmt.Printf("%s is not warmed: %v\n", s.name, err)
	}
}

// compare does an operation in turns on both, after a tenth as often to warm up.
func compare(ctx context.Context, o operation, sites []*site, rounds int) error {
	took := make([][]float64, len(sites)) // microseconds for one thing
	warm := max(1, rounds/10)
	for i := range rounds + warm {
		if err := ctx.Err(); err != nil { // interrupted: the databases are dropped
			return err
		}
		for k := range sites {
			k = (k + i) % len(sites) // each goes first every other time
			d, things, err := o.once(ctx, sites[k])
			if err != nil {
				return err
			}
			if i >= warm {
				took[k] = append(took[k], float64(d.Nanoseconds())/1000/float64(things))
			}
		}
	}
	for _, t := range took {
		slices.Sort(t)
	}
	at := func(k, percent int) float64 { return took[k][len(took[k])*percent/100] }
	fmt.Printf("| %s |", o.name)
	for k := range took {
		fmt.Printf(" %.0f (%.0f to %.0f) |", at(k, 50), at(k, 25), at(k, 75))
		if k > 0 {
			fmt.Printf(" %.2f |", at(k, 50)/at(0, 50))
		}
	}
	fmt.Println()
	return nil
}

// sample are n users of many.
func sample(users, n int) []int { return rand.Perm(users)[:min(n, users)] }

// describe prints what is compared, and on what.
func describe(ctx context.Context, sites []*site) error {
	for _, s := range sites {
		var version, buffers, size, sessions string
		if err := s.db.QueryRowContext(ctx, `SELECT current_setting('server_version'), current_setting('shared_buffers'),
			pg_size_pretty(pg_database_size(current_database())), pg_size_pretty(pg_total_relation_size('session'))`).Scan(&version, &buffers, &size, &sessions); err != nil {
			return err
		}
		fmt.Printf("%s: PostgreSQL %s, shared_buffers %s, %d users, %d sessions (%s), %d organizations, %s in all\n",
			s.name, version, buffers, s.users, s.users*s.sessionsEach, sessions, s.organizations+2, size)
	}
	return nil
}

func hexMD5(kind string, n int) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(kind+strconv.Itoa(n)))) //nolint:gosec // names rows
}
