package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// starts is how long it takes from the start to the first answer, on a migrated database.
func starts(ctx context.Context, l *lab) error {
	fmt.Println("| | ms from start to the first answer |\n|---|---|")
	for _, c := range []command{l.betterAuth("start"), l.ours("start")} {
		var all []time.Duration
		for range max(5, *rounds) {
			s, err := l.start(ctx, c)
			if err != nil {
				return err
			}
			all = append(all, s.took)
			s.stop()
		}
		slices.Sort(all)
		fmt.Printf("| %s | %d [%d-%d] |\n", strings.TrimSuffix(c.name, " start"), all[len(all)/2].Milliseconds(), all[0].Milliseconds(), all[len(all)-1].Milliseconds())
	}
	fmt.Println()
	return nil
}

var benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s.*?(\d+) allocs/op`)

// allocations come from the benchmarks beside this program.
func allocations(ctx context.Context, l *lab) error {
	c := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(GetSession|GetSessionCached|GetSessionInMemory|NoSession)$", "-benchtime", "2000x", "./bench")
	c.Dir = l.root
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	fmt.Println("| allocations per request | |\n|---|---|")
	for _, m := range benchLine.FindAllStringSubmatch(string(out), -1) {
		fmt.Printf("| %s | %s |\n", m[1], m[2])
	}
	fmt.Println()
	return nil
}

var tps = regexp.MustCompile(`tps = ([\d.]+)`)

// limits is what PostgreSQL itself can do.
func limits(ctx context.Context, l *lab) error {
	if _, err := exec.LookPath("pgbench"); err != nil {
		fmt.Println("pgbench was not found.")
		return nil
	}
	file := filepath.Join(l.Dir, "session.sql")
	text := "\\set n random(1, " + strconv.Itoa(users) + ")\nSELECT s.id, s.\"expiresAt\", u.id, u.email FROM session s JOIN \"user\" u ON u.id = s.\"userId\" WHERE s.token = 't' || lpad((:n)::text, 31, '0');\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	if err := l.command(ctx, l.Dir, nil, "pgbench", "-i", "-q", "-s", "1", l.URL); err != nil {
		return err
	}
	fmt.Println("| PostgreSQL alone, 16 connections | per second |\n|---|---|")
	for _, run := range []struct {
		name string
		args []string
	}{{"`pgbench -S`", []string{"-S"}}, {"pgbench with the join of get-session", []string{"-f", file}}} {
		var all []float64
		for range *rounds {
			args := append(run.args, "-M", "prepared", "-c", "16", "-j", "1", "-n", "-T", strconv.Itoa(max(1, int(each.Seconds()))), l.URL)
			out, err := exec.CommandContext(ctx, "pgbench", args...).CombinedOutput()
			m := tps.FindStringSubmatch(string(out))
			if err != nil || m == nil {
				return fmt.Errorf("pgbench: %w\n%s", err, out)
			}
			n, _ := strconv.ParseFloat(m[1], 64)
			all = append(all, n)
		}
		slices.Sort(all)
		fmt.Printf("| %s | %.0f [%.0f-%.0f] |\n", run.name, all[len(all)/2], all[0], all[len(all)-1])
	}
	fmt.Println()
	return nil
}
