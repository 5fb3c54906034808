package server

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var (
	slow   = core.NewRoute[core.None, struct{ Done bool }]("POST /toy/slow", core.Public)
	boom   = core.NewRoute[core.None, core.None]("POST /toy/panic", core.Public)
	expose = core.NewRoute[core.None, core.None]("GET /toy/expose", core.Public)
	secret = core.NewRoute[struct {
		Token string `path:"token"`
	}, core.None]("GET /toy/secret/:token", core.Public)
)

// testEntries are email-password and a plugin whose slow endpoint says on entered that a
// request is in it, and answers when release is closed.
func testEntries(entered chan<- struct{}, release <-chan struct{}) []PluginEntry {
	return []PluginEntry{
		Entry(emailpassword.ID, emailpassword.New),
		Entry("toy", func(struct{}) *toy {
			return &toy{spec: core.Spec{Endpoints: []core.Endpoint{
				slow.Handle(func(context.Context, *core.Call, core.None) (out struct{ Done bool }, err error) {
					entered <- struct{}{}
					<-release
					out.Done = true
					return out, nil
				}),
				expose.Handle(func(_ context.Context, c *core.Call, _ core.None) (core.None, error) {
					c.ExposeHeader("X-Toy", "1")
					return core.None{}, nil
				}),
				boom.Handle(func(context.Context, *core.Call, core.None) (core.None, error) { panic("toy") }),
				secret.Handle(func(context.Context, *core.Call, struct {
					Token string `path:"token"`
				}) (core.None, error) {
					return core.None{}, nil
				}),
			}}}
		}),
	}
}

// testServer is a running server.
type testServer struct {
	*Server
	url  string
	addr string
	logs *logBuffer
	stop func() error // ends Serve and returns what it returned
}

func startServer(t testing.TB, change func(*Config), entries ...PluginEntry) *testServer {
	t.Helper()
	if entries == nil {
		entries = testEntries(nil, nil)
	}
	dir := t.TempDir()
	c, err := Load(Source{Data: filepath.Join(dir, "data"), Env: []string{"SALLYPORT_LOG_LEVEL=debug", "SALLYPORT_BASE_URL=http://localhost:3000"}}, entries...)
	if err != nil {
		t.Fatal(err)
	}
	c.Core.Password = core.PasswordConfig{MemoryKiB: 64, Iterations: 1, Parallelism: 1} // not what is tested
	c.Core.MaxBody = 1000
	if change != nil {
		change(&c)
	}
	ts := &testServer{logs: &logBuffer{}}
	if ts.Server, err = newServer(t.Context(), c, io.Discard, ts.logs, entries); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ts.addr = ln.Addr().String()
	ts.url = "http://" + ts.addr
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ts.Serve(ctx, ln) }()
	asked := false
	ts.stop = sync.OnceValue(func() error { asked = true; cancel(); return <-done })
	t.Cleanup(func() {
		if asked {
			return // the test has looked
		}
		if err := ts.stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ts
}

// raw sends bytes on a connection of their own and reads the answer.
func raw(t testing.TB, addr, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}
