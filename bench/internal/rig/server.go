package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Server is one place behind the load balancer: a configuration, and the process that runs
// with it now.
type Server struct {
	Name    string
	Address string // host:port of users
	Metrics string // host:port of /metrics

	rig     *Rig
	file    string
	cmd     *exec.Cmd
	ended   chan struct{}
	pid     atomic.Int64 // 0 while it does not run
	started atomic.Int64 // when that was, in Unix nanoseconds
	env     []string
}

// Server writes a configuration, which is given the ports and the database, and starts nothing yet.
func (r *Rig) Server(name string, config func(address, metrics, database string) string, env ...string) (*Server, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	metrics, err := FreePort()
	if err != nil {
		return nil, err
	}
	s := &Server{Name: name, Address: "127.0.0.1:" + port, Metrics: "127.0.0.1:" + metrics, rig: r,
		file: filepath.Join(r.Dir, name+".yaml"), env: env}
	return s, os.WriteFile(s.file, []byte(config(s.Address, s.Metrics, r.Named(name))), 0o600)
}

// Run runs another command of the program with the configuration, to its end.
func (s *Server) Run(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, s.rig.Program, append(args, "--config", s.file)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("sallyport %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Log is the file with everything that its processes wrote.
func (s *Server) Log() string { return filepath.Join(s.rig.Dir, s.Name+".log") }

// Start starts a process, and waits until /readyz says that it is ready.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(s.rig.Program, "serve", "--config", s.file)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, append(os.Environ(), s.env...)
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return err
	}
	s.cmd, s.ended = cmd, make(chan struct{})
	s.started.Store(time.Now().UnixNano())
	s.pid.Store(int64(cmd.Process.Pid))
	ended := s.ended
	s.rig.Later(func() error { _ = cmd.Process.Kill(); <-ended; return nil })
	go func() {
		_ = cmd.Wait()
		s.pid.Store(0)
		close(ended)
	}()
	c := NewClient(s.Address, time.Second)
	for until := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			return fmt.Errorf("%s ended at its start: see %s", s.Name, s.Log())
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if a, err := c.Do(Request{Method: "GET", Path: "/readyz"}); err == nil && a.Status == 200 {
			return nil
		} else if time.Now().After(until) {
			return fmt.Errorf("%s is not ready: %v %s", s.Name, err, a.Body)
		}
	}
}

// Started is when the process that runs now was started.
func (s *Server) Started() time.Time { return time.Unix(0, s.started.Load()) }

// Stop asks the process to end (SIGTERM) and waits for that. It returns how long it took and
// the exit code.
func (s *Server) Stop() (time.Duration, int) { return s.end(syscall.SIGTERM) }

// Kill ends the process at once.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(signal os.Signal) (time.Duration, int) {
	begin := time.Now()
	_ = s.cmd.Process.Signal(signal) // one that has ended has ended
	<-s.ended
	return time.Since(begin), s.cmd.ProcessState.ExitCode()
}
