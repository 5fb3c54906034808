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

// requests is what wrk sends, one after the other: each line of the file is one.
const script = `
local requests, i = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    if args[2] == "POST" then
      requests[#requests + 1] = wrk.format("POST", nil, {["Content-Type"] = "application/json", ["Origin"] = args[3]}, line)
    else
      requests[#requests + 1] = wrk.format("GET", nil, {[args[2]] = line})
    end
  end
end
function request()
  i = i % #requests + 1
  return requests[i]
end
`

// load is one kind of request with values that take turns.
type load struct {
	path   string
	header string // that holds the values, or "POST" for bodies
	values []string
}

// turn is what one run of wrk has found.
type turn struct {
	rate, cpu, pg, p50, p99 float64 // per second; microseconds per request; milliseconds
	failed                  int64
	peak                    float64 // MB
}

var (
	rateLine    = regexp.MustCompile(`(?m)^ *(\d+) requests in ([\d.]+)(ms|s|m)`)
	failedLine  = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	latencyLine = regexp.MustCompile(`(?m)^ *(50|99)% +([\d.]+)(us|ms|s)`)
)

func (l *lab) drive(ctx context.Context, s *server, w load, connections int, d time.Duration) (t turn, err error) {
	lua, values := filepath.Join(l.Dir, "load.lua"), filepath.Join(l.Dir, "values")
	if err := os.WriteFile(lua, []byte(script), 0o600); err != nil {
		return t, err
	}
	if err := os.WriteFile(values, []byte(strings.Join(w.values, "\n")+"\n"), 0o600); err != nil {
		return t, err
	}
	pid := s.cmd.Process.Pid
	if err := resetPeak(pid); err != nil {
		return t, err
	}
	own, pg := cpuOf(pid), cpuOfPostgres()
	out, err := exec.CommandContext(ctx, "wrk", "-t1", "-c", strconv.Itoa(connections), "-d", fmt.Sprintf("%ds", max(1, int(d.Seconds()))),
		"--timeout", "60s", "--latency", "-s", lua, s.base+w.path, "--", values, w.header, origin).CombinedOutput()
	if err != nil {
		return t, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	own, pg = cpuOf(pid)-own, cpuOfPostgres()-pg
	m := rateLine.FindStringSubmatch(string(out))
	if m == nil {
		return t, fmt.Errorf("wrk says\n%s", out)
	}
	done, _ := strconv.ParseFloat(m[1], 64)
	took, _ := time.ParseDuration(m[2] + m[3])
	if f := failedLine.FindStringSubmatch(string(out)); f != nil {
		t.failed, _ = strconv.ParseInt(f[1], 10, 64)
	}
	for _, q := range latencyLine.FindAllStringSubmatch(string(out), -1) {
		d, _ := time.ParseDuration(q[2] + q[3])
		if q[1] == "50" {
			t.p50 = float64(d.Microseconds()) / 1000
		} else {
			t.p99 = float64(d.Microseconds()) / 1000
		}
	}
	t.rate = (done - float64(t.failed)) / took.Seconds()
	t.cpu, t.pg = float64(own.Microseconds())/done, float64(pg.Microseconds())/done
	t.peak = memory(pid, "VmHWM")
	return t, nil
}

// series is the turns of one contestant.
type series []turn

func (s series) of(f func(turn) float64) (median, least, most float64) {
	var all []float64
	for _, t := range s {
		all = append(all, f(t))
	}
	slices.Sort(all)
	return all[len(all)/2], all[0], all[len(all)-1]
}

func (s series) median(f func(turn) float64) float64 { m, _, _ := s.of(f); return m }

func rate(t turn) float64 { return t.rate }

// ratios compares turn by turn, which takes out what slows both down.
func ratios(a, b series) (median, least, most float64) {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i].rate/b[i].rate)
	}
	slices.Sort(all)
	return all[len(all)/2], all[0], all[len(all)-1]
}
