package storetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
)

// Environment variables of the tests that need Redis.
const (
	// RedisEnv is the URL of a Redis or Valkey for tests that do not break it. Default: one
	// of the test's own.
	RedisEnv = "SALLYPORT_TEST_REDIS"
	// RedisServerEnv is the program that tests start which stop, kill or fill it. Default:
	// redis-server or valkey-server of the PATH.
	RedisServerEnv = "SALLYPORT_TEST_REDIS_SERVER"
)

// RedisURL returns a Redis for a test, and a prefix of its own for its keys.
func RedisURL(t testing.TB) (url, prefix string) {
	t.Helper()
	prefix = "test-" + rand.Text() + ":"
	if url = os.Getenv(RedisEnv); url != "" {
		return url, prefix
	}
	return StartRedis(t).URL(), prefix
}

// Redis is a Redis server of a test's own, which may be broken.
type Redis struct {
	t    testing.TB
	args []string
	port string
	cmd  *exec.Cmd
}

// StartRedis starts a server that keeps nothing on the disk, with more options if given,
// and ends it with the test. Without the program the test fails: a skipped test would look
// like a passed one.
func StartRedis(t testing.TB, options ...string) *Redis {
	t.Helper()
	port := adaptertest.FreePort(t)
	r := &Redis{t: t, port: port, args: append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "no", "--dir", t.TempDir()}, options...)}
	t.Cleanup(r.Kill)
	r.Start()
	return r
}

func program(t testing.TB) string {
	for _, name := range []string{os.Getenv(RedisServerEnv), "redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatalf("no redis-server (7 or later) or valkey-server in PATH: install one, or set %s", RedisServerEnv)
	return ""
}

// URL is where it listens, also after it was started again.
func (r *Redis) URL() string { return "redis://127.0.0.1:" + r.port }

// Start starts it, empty, and waits until it answers.
func (r *Redis) Start() {
	r.t.Helper()
	r.cmd = exec.Command(program(r.t), r.args...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		answer, err := r.Do("PING")
		if err == nil && (answer == "+PONG" || strings.HasPrefix(answer, "-NOAUTH")) {
			return
		}
		if ctx.Err() != nil {
			r.t.Fatalf("redis-server does not answer: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Kill ends it at once (SIGKILL).
func (r *Redis) Kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// Hang stops it (SIGSTOP): connections are taken, and nothing is answered. Continue ends
// that.
func (r *Redis) Hang() { r.signal(syscall.SIGSTOP) }

// Continue ends Hang.
func (r *Redis) Continue() { r.signal(syscall.SIGCONT) }

func (r *Redis) signal(s os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// Do sends one command, words apart by a space, and returns the answer's lines without
// lengths: for what a test wants to see with its own eyes.
func (r *Redis) Do(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+r.port, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	// QUIT makes the server close behind the answer, so that its end is seen.
	if _, err := fmt.Fprintf(conn, "%s\r\nQUIT\r\n", command); err != nil {
		return "", err
	}
	var lines []string
	for in := bufio.NewScanner(conn); in.Scan(); {
		if line := in.Text(); !strings.HasPrefix(line, "$") && !strings.HasPrefix(line, "*") {
			lines = append(lines, line)
		}
	}
	if n := len(lines); n > 0 && lines[n-1] == "+OK" {
		lines = lines[:n-1]
	}
	return strings.Join(lines, "\n"), nil
}
