package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's times: USER_HZ is 100 on every Linux of today.
const tick = 10 * time.Millisecond

// cpuOf is what a process has used, children that ended included.
func cpuOf(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ") // the name before it may hold spaces
	f := strings.Fields(rest)
	var total int64
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
		n, _ := strconv.ParseInt(f[i], 10, 64)
		total += n
	}
	return time.Duration(total) * tick
}

// cpuOfPostgres is what all processes called postgres have used.
func cpuOfPostgres() (total time.Duration) {
	all, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, p := range all {
		if name, err := os.ReadFile(p); err == nil && strings.TrimSpace(string(name)) == "postgres" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
			total += cpuOf(pid)
		}
	}
	return total
}

// memory is a line of /proc/PID/status, in MB: VmRSS, or VmHWM for the most since resetPeak.
func memory(pid int, line string) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for l := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n / 1024
		}
	}
	return 0
}

func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

func processor() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for l := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unknown processor"
}
