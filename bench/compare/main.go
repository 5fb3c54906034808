// Command compare measures Sallyport beside Better Auth (the npm package, Node.js) on one
// machine and one PostgreSQL database, which both read: the same rows, cookies and passwords. They are
// driven by turns, so that a noisy machine is noisy for all, and held against what the machine can do at most.
//
//	go run ./bench/compare
//
// It needs PostgreSQL (found as the tests find it), Node.js, wrk, and pgbench for one line of
// the table. It runs on Linux, whose /proc tells what a process uses.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

var (
	each   = flag.Duration("time", 4*time.Second, "how long one turn lasts")
	rounds = flag.Int("rounds", 5, "how many turns each has; figures are medians of them")
	only   = flag.String("only", "", "measure these alone: session,sign-in,memory,start,allocations,limits")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.describe(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func(context.Context, *lab) error
	}{{"session", sessions}, {"sign-in", signIns}, {"memory", rest}, {"start", starts}, {"allocations", allocations}, {"limits", limits}} {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), part.name) {
			continue
		}
		if err := part.run(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
