package faulttest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

// server is a PostgreSQL of the test's own: it may be stopped and killed.
type server struct {
	t    testing.TB
	dir  string
	port string
	cred *syscall.Credential // the server refuses to run as root
}

// startServer makes a cluster in a temporary directory and starts it.
func startServer(t testing.TB) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "sallyport-fault")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir, port: adaptertest.FreePort(t)}
	t.Cleanup(func() {
		s.signal(syscall.SIGCONT)
		_ = s.ctl("stop", "-m", "immediate")
		os.RemoveAll(dir)
	})
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatalf("as root the test needs a user postgres: %v", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8")
	s.start()
	return s
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) start() {
	s.t.Helper()
	if err := s.ctl(s.starting()...); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("start: %v\n%s", err, log)
	}
}

func (s *server) starting() []string {
	options := fmt.Sprintf("-p %s -k %s -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=30", s.port, s.dir)
	return []string{"start", "-w", "-l", filepath.Join(s.dir, "log"), "-o", options}
}

// restart starts a server that was killed. Its process may still be there for want of
// somebody to reap it, and must not be taken for one that runs.
func (s *server) restart() {
	s.t.Helper()
	for _, path := range []string{filepath.Join(s.data(), "postmaster.pid"), filepath.Join(s.dir, fmt.Sprintf(".s.PGSQL.%s.lock", s.port))} {
		if err := os.Remove(path); err != nil {
			s.t.Fatal(err)
		}
	}
	// Its children may still have to notice, and to let go of the shared memory.
	eventually(s.t, "the server to start again", func() bool { return s.ctl(s.starting()...) == nil })
}

func (s *server) ctl(args ...string) error {
	return s.command("pg_ctl", append(args, "-D", s.data())...).Run()
}

func (s *server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(program(s.t, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	return cmd
}

// program finds a program of PostgreSQL's where its packages put them.
func program(t testing.TB, name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	list, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(list) == 0 {
		t.Fatalf("no %s: the test needs PostgreSQL's server programs", name)
	}
	return list[len(list)-1]
}

// signal sends a signal to the server and all of its processes.
func (s *server) signal(sig syscall.Signal) {
	raw, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return
	}
	all := []int{pid} // found before the first is killed: then they are nobody's children
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats { // "pid (name) state ppid ..."
		raw, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(raw), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == first {
			if n, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				all = append(all, n)
			}
		}
	}
	for _, n := range all {
		_ = syscall.Kill(n, sig)
	}
}

func (s *server) url(options string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/postgres?sslmode=disable%s", s.port, options)
}

// sql runs a statement on a connection of its own.
func (s *server) sql(statement string) {
	s.t.Helper()
	db, err := sql.Open("postgres", s.url("&options=-c%20default_transaction_read_only%3Doff"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // what a fault left unsettled is settled in 30 s
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 2 min", what)
}
