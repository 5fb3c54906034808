package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/bench/internal/rig"
)

const (
	secret = "n9Yq3vT8wZ2rB6mK4xS7dF1gH5jL0pQa"
	origin = "https://auth.example.com" // as in production: with __Secure- cookies
	users  = 1000
)

// lab is the database and the programs that are compared on it.
type lab struct {
	*rig.Rig
	root, limit string // the module, the program of limits
	running     []*server
	tokens      []string // signed session tokens
}

func newLab(ctx context.Context) (l *lab, err error) {
	for program, what := range map[string]string{"wrk": "apt-get install wrk", "node": "https://nodejs.org", "npm": "https://nodejs.org"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%s is needed: %s", program, what)
		}
	}
	l = &lab{}
	if l.root, err = moduleRoot(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "building")
	if l.Rig, err = rig.New(ctx); err != nil {
		return nil, err
	}
	if err = l.build(ctx); err == nil {
		err = l.seed(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "go.mod") {
		return "", errors.New("run it inside of the module")
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// build makes what Rig does not: the program of limits, and the packages of Better Auth.
func (l *lab) build(ctx context.Context) error {
	l.limit = filepath.Join(l.Dir, "limits")
	if err := l.command(ctx, l.root, nil, "go", "build", "-ldflags", "-s -w", "-o", l.limit, "./bench/compare/limits"); err != nil {
		return err
	}
	conformance := filepath.Join(l.root, "conformance")
	if _, err := os.Stat(filepath.Join(conformance, "node_modules", "better-auth")); err == nil {
		return nil
	}
	return l.command(ctx, conformance, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
}

func (l *lab) command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}

func (l *lab) close() error {
	for _, s := range l.running {
		s.stop()
	}
	return l.Close()
}

// describe prints what the figures are of.
func (l *lab) describe(ctx context.Context) error {
	var pg string
	if err := l.DB.QueryRowContext(ctx, "SHOW server_version").Scan(&pg); err != nil {
		return err
	}
	node, _ := exec.CommandContext(ctx, "node", "--version").Output()
	fmt.Printf("%s, %d processors, Linux; Go %s, Node.js %s, PostgreSQL %s, better-auth %s.\n", processor(), runtime.NumCPU(),
		strings.TrimPrefix(runtime.Version(), "go"), strings.TrimSpace(string(node)), pg, l.version("better-auth"))
	fmt.Printf("Turns of %v, %d of each, medians; in brackets the least and the most.\n\n", *each, *rounds)
	return nil
}

// server is a program that answers.
type server struct {
	name, base string
	cmd        *exec.Cmd
	took       time.Duration // from its start to its first answer
}

type command struct {
	name, dir string
	args, env []string
	health    string // path that answers
}

func (l *lab) start(ctx context.Context, c command) (*server, error) {
	port, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	s := &server{name: c.name, base: "http://127.0.0.1:" + port}
	log, err := os.Create(filepath.Join(l.Dir, strings.ReplaceAll(c.name, " ", "-")+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(c.args[0], c.args[1:]...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = c.dir, append(os.Environ(), append(c.env, "PORT="+port)...), log, log
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	l.running = append(l.running, s)
	for {
		if res, err := http.Get(s.base + c.health); err == nil {
			res.Body.Close()
			if res.StatusCode == 200 {
				s.took = time.Since(begin)
				return s, nil
			}
		}
		if time.Since(begin) > 30*time.Second {
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("%s does not answer:\n%s", c.name, text)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (s *server) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(os.Interrupt)
		end := time.AfterFunc(5*time.Second, func() { _ = s.cmd.Process.Kill() })
		_ = s.cmd.Wait()
		end.Stop()
	}
}
