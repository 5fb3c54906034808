package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// report prints everything and returns what should not be.
func report(w io.Writer, c *crowd, r *restarts, s *samples, took time.Duration) []string {
	b, l := c.b, c.l
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(w, "%s; %d replicas stopped (the longest took %s), %d killed\n", took.Round(time.Second), r.stopped, r.longest.Round(time.Millisecond), r.killed)
	fmt.Fprintf(w, "connections: %d refused and sent elsewhere, %d broken by killing, %d broken otherwise\n", b.refused, b.killed, len(b.cut))
	fmt.Fprintf(w, "writes: %d acknowledged, %d without an answer; %d times read back, %d lost\n", l.writes, l.unknown, l.checks, len(l.lost))
	fmt.Fprintln(w, c.s.summary())
	worst := c.revoked.Summary()
	fmt.Fprintf(w, "revocations: watched at %d replicas, last served after p50 %s, p99 %s, worst %s; %d beyond %s\n", worst.N,
		worst.P50.Round(10*time.Microsecond), worst.P99.Round(10*time.Microsecond), worst.Most.Round(10*time.Microsecond), c.late.Load(), c.bound)
	fmt.Fprintln(w, "\n| endpoint | answers | p50 | p99 | worst |\n|---|---|---|---|---|")
	for _, name := range slices.Sorted(maps.Keys(b.times)) {
		var statuses []string
		for _, key := range slices.Sorted(maps.Keys(b.status)) {
			if status, ok := strings.CutPrefix(key, name+" "); ok {
				statuses = append(statuses, fmt.Sprintf("%s: %d", status, b.status[key]))
			}
		}
		t := b.times[name].Summary()
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", name, strings.Join(statuses, ", "), t.P50.Round(10*time.Microsecond), t.P99.Round(10*time.Microsecond), t.Most.Round(10*time.Microsecond))
	}
	reasons := s.report(w)
	for what, n := range b.told {
		fmt.Fprintf(w, "announced: %d times %s\n", n, what)
	}
	reasons = append(reasons, r.reasons...)
	reasons = append(reasons, some("an unannounced answer", b.fives)...)
	reasons = append(reasons, some("a connection broke", b.cut)...)
	reasons = append(reasons, some("lost or wrong", l.lost)...)
	if n := c.late.Load(); n > 0 {
		reasons = append(reasons, fmt.Sprintf("%d times a revoked session was served after %s, at worst after %s", n, c.bound, worst.Most))
	}
	return append(reasons, logs(w, b)...)
}

// some keeps the output readable.
func some(what string, list []string) (out []string) {
	for i, s := range list {
		if i == 20 {
			return append(out, fmt.Sprintf("%s: %d more", what, len(list)-i))
		}
		out = append(out, what+": "+s)
	}
	return out
}

var message = regexp.MustCompile(`"level":"(WARN|ERROR)","msg":"([^"]*)"`)

// logs counts what the servers complained of. An error or a panic is a reason.
func logs(w io.Writer, b *balancer) (reasons []string) {
	counts, examples := map[string]int{}, map[string]string{}
	for _, p := range b.places {
		f, err := os.Open(p.Log())
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		in := bufio.NewScanner(f)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			line, what := in.Text(), ""
			if m := message.FindStringSubmatch(line); m != nil {
				what = m[1] + " " + m[2]
			} else if strings.Contains(line, "panic") || !strings.HasPrefix(line, "{") {
				what = "ERROR not a line of the log"
			}
			if what != "" {
				counts[what]++
				examples[what] = line
			}
		}
		f.Close()
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "log: %d times %s\n", counts[what], what)
		if strings.HasPrefix(what, "ERROR") {
			reasons = append(reasons, fmt.Sprintf("the log says %d times %s: %s", counts[what], what, examples[what]))
		}
	}
	return reasons
}
