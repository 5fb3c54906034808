package rig

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process holds at a moment.
type Usage struct {
	RSS, Peak  int64 // bytes, with pages of the program's file, which all its processes share
	Own        int64 // bytes of RSS that are no file's
	FDs        int
	Goroutines int
	CPU        time.Duration
}

// Usage asks the kernel and /metrics. false: the process does not run, or not for long any more.
func (s *Server) Usage() (u Usage, ok bool) {
	pid := s.pid.Load()
	if pid == 0 {
		return u, false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, false
	}
	u.RSS, u.Peak = kilobytes(string(status), "VmRSS:"), kilobytes(string(status), "VmHWM:")
	u.Own = kilobytes(string(status), "RssAnon:")
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return u, false
	}
	u.FDs = len(fds)
	metrics := NewClient(s.Metrics, 2*time.Second)
	defer metrics.Close() // or each look would be one goroutine more
	a, err := metrics.Do(Request{Method: "GET", Path: "/metrics"})
	if err != nil {
		return u, false
	}
	u.Goroutines = int(metric(a.Body, "go_goroutines"))
	u.CPU = time.Duration(metric(a.Body, "process_cpu_seconds_total") * float64(time.Second))
	return u, u.RSS > 0 && u.Goroutines > 0
}

// kilobytes reads a line of /proc/PID/status, in bytes.
func kilobytes(status, name string) int64 {
	_, rest, _ := strings.Cut(status, name)
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(line, "kB")), 10, 64)
	return n << 10
}

// metric reads one value without labels; 0 where there is none.
func metric(body, name string) float64 {
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return n
		}
	}
	return 0
}

// RedisInfo reads one number of INFO.
func RedisInfo(address, name string) (int, error) {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := fmt.Fprint(conn, "INFO\r\nQUIT\r\n"); err != nil {
		return 0, err
	}
	for in := bufio.NewScanner(conn); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), name+":"); ok {
			return strconv.Atoi(strings.TrimSpace(rest))
		}
	}
	return 0, fmt.Errorf("redis does not tell %s", name)
}
