package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

const (
	sampleEvery = 5 * time.Second
	warm        = 20 * time.Second // of a process, in which caches and pools fill
	leastLife   = 12               // samples of a warm process that are enough to compare
	mostGrowth  = 1.2
)

// kinds are what is sampled of a process, with what may come and go without meaning anything:
// of memory, what two hashes leave behind until it is collected.
var kinds = []struct {
	name  string
	slack float64
}{{"RSS MiB", 48}, {"goroutines", 30}, {"fds", 30}, {"database", 6}}

type life struct {
	name    string
	started time.Time
	samples [][]float64 // kinds of each
}

// samples are of processes, and of what they share.
type samples struct {
	lives  []*life
	shared map[string][]float64
}

// watch samples until ctx ends.
func watch(ctx context.Context, b *balancer, db *sql.DB, redis string) *samples {
	s := &samples{shared: map[string][]float64{}}
	current := map[*place]*life{}
	for tick := time.NewTicker(sampleEvery); ; {
		select {
		case <-ctx.Done():
			return s
		case <-tick.C:
		}
		conns := connections(ctx, db)
		for _, p := range b.places {
			started := p.Started()
			u, ok := p.Usage()
			if !ok || p.told.Load() != 0 || !p.ready.Load() {
				continue
			}
			l := current[p]
			if l == nil || !l.started.Equal(started) {
				l = &life{name: p.Name, started: started}
				current[p], s.lives = l, append(s.lives, l)
			}
			if time.Since(started) > warm {
				l.samples = append(l.samples, []float64{float64(u.RSS) / (1 << 20), float64(u.Goroutines), float64(u.FDs), conns[p.Name]})
			}
		}
		total := 0.0
		for _, n := range conns {
			total += n
		}
		s.shared["database connections"] = append(s.shared["database connections"], total)
		if n, err := rig.RedisInfo(redis, "connected_clients"); err == nil {
			s.shared["redis connections"] = append(s.shared["redis connections"], float64(n-1)) // without ours
		}
		var jobs float64
		if db.QueryRowContext(ctx, `SELECT count(*) FROM job WHERE failed_at IS NULL`).Scan(&jobs) == nil {
			s.shared["jobs waiting"] = append(s.shared["jobs waiting"], jobs)
		}
	}
}

// connections are those of each process, by the name in its database URL; those that listen
// have a name of their own.
func connections(ctx context.Context, db *sql.DB) map[string]float64 {
	out := map[string]float64{}
	rows, err := db.QueryContext(ctx, `SELECT application_name, count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'replica%' OR application_name = 'sallyport listener' GROUP BY 1`)
	if err != nil {
		return out
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n float64
		if rows.Scan(&name, &n) == nil {
			out[name] = n
		}
	}
	return out
}

// report prints lives that were long enough, and returns what grew.
func (s *samples) report(w io.Writer) (reasons []string) {
	fmt.Fprintf(w, "\nWarm processes (from %s after their start), median of the first third, of all, of the last third (most), and change an hour:\n\n", warm)
	fmt.Fprint(w, "| process | minutes |")
	for _, k := range kinds {
		fmt.Fprintf(w, " %s |", k.name)
	}
	fmt.Fprintln(w, "\n|---|---|---|---|---|---|")
	for _, l := range s.lives {
		if len(l.samples) < leastLife {
			continue
		}
		fmt.Fprintf(w, "| %s from %s | %.1f |", l.name, l.started.Format("15:04:05"), float64(len(l.samples))*sampleEvery.Minutes())
		for i, k := range kinds {
			var column []float64
			for _, sample := range l.samples {
				column = append(column, sample[i])
			}
			t := thirdsOf(column)
			fmt.Fprintf(w, " %s |", t)
			if t.grew(k.slack) {
				reasons = append(reasons, fmt.Sprintf("%s of %s grew: %s", k.name, l.name, t))
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\nAll together, the same:")
	for _, name := range []string{"database connections", "redis connections", "jobs waiting"} {
		t := thirdsOf(s.shared[name])
		fmt.Fprintf(w, "- %s: %s\n", name, t)
		if t.grew(20) {
			reasons = append(reasons, fmt.Sprintf("%s grew: %s", name, t))
		}
	}
	return reasons
}

// thirds compare the end of a series with its beginning.
type thirds struct{ first, all, last, most, slope float64 }

func thirdsOf(series []float64) (t thirds) {
	n := len(series)
	if n < 3 {
		return t
	}
	t = thirds{median(series[:n/3]), median(series), median(series[n-n/3:]), slices.Max(series), 0}
	// Least squares, per hour.
	var sx, sy, sxx, sxy float64
	for i, y := range series {
		x := float64(i) * sampleEvery.Hours()
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	t.slope = (float64(n)*sxy - sx*sy) / (float64(n)*sxx - sx*sx)
	return t
}

func (t thirds) grew(slack float64) bool { return t.last > t.first*mostGrowth+slack }

func (t thirds) String() string {
	return fmt.Sprintf("%.0f, %.0f, %.0f (%.0f), %+.0f/h", t.first, t.all, t.last, t.most, t.slope)
}

func median(series []float64) float64 {
	sorted := slices.Sorted(slices.Values(series))
	return sorted[len(sorted)/2]
}
