package webhooks

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/organization"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type m = plugintest.M

// Three secrets of tests, 32 bytes each.
const (
	secretA = "whsec_q0kP2ZlH8n3v9Yd5sW7xJ1bT4mR6cE0uKfGhAiLoNpQ="
	secretB = "whsec_Zx3nC8vB1mL6kJ9hG4fD7sA2pO5iU0yTrEwQqWeRtYU="
	secretC = "whsec_M1n2B3v4C5x6Z7l8K9j0H1g2F3d4S5a6P7o8I9u0YtR="
)

// receiver is a server that takes events. answer says what comes back to the n-th request,
// from 1; nil is 200 for all.
type receiver struct {
	*httptest.Server
	t      testing.TB
	mu     sync.Mutex
	got    []request
	n      int // all requests
	answer func(n int, w http.ResponseWriter, r *http.Request)
}

type request struct {
	Type      string
	Timestamp time.Time
	Data      map[string]any
	header    http.Header
	body      string
}

func (r request) id() string { return r.header.Get("webhook-id") }

func listen(t testing.TB, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	r := &receiver{t: t, answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	raw, err := io.ReadAll(q.Body)
	got := request{header: q.Header, body: string(raw)}
	if err != nil || q.Method != "POST" || q.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &got) != nil {
		r.t.Errorf("%s %s with %q: %v", q.Method, q.URL, raw, err)
	}
	r.mu.Lock()
	r.got = append(r.got, got)
	r.n++
	n := r.n
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(n, w, q)
	}
}

// take returns what came since the last time, and checks the signatures by a library that
// is not ours.
func (r *receiver) take(secrets ...string) []request {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	if len(secrets) == 0 {
		secrets = []string{secretA}
	}
	for _, q := range got {
		for _, s := range secrets {
			verify(r.t, s, q, true)
		}
	}
	return got
}

func verify(t testing.TB, secret string, q request, want bool) {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := wh.VerifyIgnoringTimestamp([]byte(q.body), q.header); (err == nil) != want {
		t.Errorf("the signature of %s %s: %v", q.Type, q.id(), err)
	}
}

func types(list []request) (out []string) {
	for _, q := range list {
		out = append(out, q.Type)
	}
	slices.Sort(out)
	return out
}

func status(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[min(n, len(codes))-1])
	}
}

// loopback lets receivers be on this machine.
func loopback(endpoints ...Endpoint) Options {
	return Options{Endpoints: endpoints, AllowNetworks: []string{"127.0.0.0/8"}}
}

func to(r *receiver, events ...string) Endpoint {
	return Endpoint{URL: r.URL + "/hook?key=url-secret", Secret: secretA, Events: events}
}

func plugins(o Options) []core.Plugin {
	return []core.Plugin{emailpassword.New(emailpassword.Options{}), organization.New(organization.Options{}), New(o)}
}

func newHarness(t testing.TB, o Options, change ...func(*plugintest.Options)) *plugintest.Harness {
	t.Helper()
	po := plugintest.Options{Plugins: plugins(o)}
	for _, f := range change {
		f(&po)
	}
	h := plugintest.New(t, po)
	t.Cleanup(func() {
		if text := h.Logs.String(); strings.Contains(text, "url-secret") || strings.Contains(text, secretA[8:20]) {
			t.Errorf("the log holds a secret: %s", text)
		}
	})
	return h
}

// another is another process on the database of h.
func another(t testing.TB, h *plugintest.Harness, o Options) *core.Auth {
	t.Helper()
	cfg := h.Config
	cfg.Plugins, cfg.DisabledPaths = plugins(o), nil
	auth, err := core.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := auth.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return auth
}

// waiting are the deliveries that are not done.
func waiting(t testing.TB, h *plugintest.Harness) []core.JobInfo {
	t.Helper()
	list, err := h.Host.Jobs(context.Background(), core.JobQuery{Name: "webhooks.deliver"})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// stamped tells whether an attempt has the time of the clock.
func stamped(h *plugintest.Harness, q request) bool {
	return q.header.Get("webhook-timestamp") == strconv.FormatInt(h.Clock.Now().Unix(), 10)
}

// quiet is for servers whose complaints a test provokes.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
