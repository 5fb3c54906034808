// Package rig is what the programs of bench share: a database, a Redis and processes of the
// server of their own, a client that is cheap, and what the kernel knows of a process.
package rig

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// Rig is where the processes of one run live. Close ends and removes everything.
type Rig struct {
	Dir     string  // of files: the program, configurations, logs
	Program string  // the built cmd/sallyport
	URL     string  // of the database
	DB      *sql.DB // the same, for looking

	closers []func() error
}

// New builds the program, as it is released, and makes an empty database. Each run has its own of both.
func New(ctx context.Context) (*Rig, error) {
	r := &Rig{}
	var err error
	if r.Dir, err = os.MkdirTemp("", "sallyport-bench-"); err != nil {
		return nil, err
	}
	r.Later(func() error { return os.RemoveAll(r.Dir) })
	r.Program = filepath.Join(r.Dir, "sallyport")
	out, err := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", r.Program, "github.com/sallyport-auth/sallyport/cmd/sallyport").CombinedOutput()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("go build: %w: %s", err, out), r.Close())
	}
	if err := r.database(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Later has Close do something more.
func (r *Rig) Later(do func() error) { r.closers = append(r.closers, do) }

// Close undoes what was done, the latest first.
func (r *Rig) Close() error {
	var all error
	for i := len(r.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, r.closers[i]())
	}
	r.closers = nil
	return all
}

// database makes a database where the tests find theirs.
func (r *Rig) database(ctx context.Context) error {
	base := os.Getenv("SALLYPORT_TEST_POSTGRES")
	if base == "" {
		base = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	}
	u, err := url.Parse(base)
	if err != nil {
		return errors.New("SALLYPORT_TEST_POSTGRES is no URL")
	}
	admin, err := sql.Open("postgres", base)
	if err != nil {
		return err
	}
	name := "sallyport_bench_" + random()
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE "`+name+`"`); err != nil {
		return errors.Join(fmt.Errorf("no PostgreSQL at %s: %w", u.Host, err), admin.Close())
	}
	r.Later(func() error {
		_, err := admin.Exec(`DROP DATABASE "` + name + `" WITH (FORCE)`)
		return errors.Join(err, admin.Close())
	})
	u.Path = "/" + name
	r.URL = u.String()
	if r.DB, err = sql.Open("postgres", r.URL); err == nil {
		r.DB.SetMaxOpenConns(4)
		r.Later(r.DB.Close)
	}
	return err
}

// Named is the URL of the database for one process, under whose name pg_stat_activity lists it.
func (r *Rig) Named(name string) string {
	u, _ := url.Parse(r.URL) // it was made from a URL
	q := u.Query()
	q.Set("application_name", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Redis starts a server that keeps nothing, and returns its address.
func (r *Rig) Redis(ctx context.Context) (string, error) {
	program := ""
	for _, name := range []string{os.Getenv("SALLYPORT_TEST_REDIS_SERVER"), "redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return "", errors.New("no redis-server or valkey-server in PATH")
	}
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.Dir)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	r.Later(func() error { _ = cmd.Process.Kill(); _ = cmd.Wait(); return nil })
	address := "127.0.0.1:" + port
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := RedisInfo(address, "connected_clients"); err == nil {
			return address, nil
		} else if time.Now().After(until) {
			return "", fmt.Errorf("redis does not answer: %w", err)
		}
	}
}

// FreePort returns a port of the loopback that nobody listens on.
func FreePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}

// Main runs a program that holds something against a bound: it prints what was missed, and
// exits with 1 if that is anything, or if the program failed.
func Main(name string, run func(context.Context) (missed []string, err error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missed, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1) //nolint:gocritic // run has closed everything
	}
	for _, m := range missed {
		fmt.Println("MISSED:", m)
	}
	if len(missed) > 0 {
		os.Exit(1)
	}
	fmt.Println("everything held")
}

func random() string {
	var b [6]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
