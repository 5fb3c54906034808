package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// watcher is an Observer that remembers.
type watcher struct {
	mu    sync.Mutex
	lines []string
	kept  []string // names and methods as they were given, which must not be the server's memory
	open  int
}

type spanKey struct{}

func (w *watcher) Begin(ctx context.Context, work contract.Work) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	w.kept = append(w.kept, work.Name, work.Method)
	line := "begin " + work.Kind.String() + " " + work.Method + " " + work.Name
	if work.Request != nil {
		line += " " + work.Request.Header("X-Request-Id")
	}
	w.lines = append(w.lines, line)
	parent, _ := ctx.Value(spanKey{}).(string)
	return context.WithValue(ctx, spanKey{}, parent+"/"+work.Kind.String())
}

func (w *watcher) End(ctx context.Context, work contract.Work, o contract.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
	span, _ := ctx.Value(spanKey{}).(string)
	w.lines = append(w.lines, fmt.Sprintf("end %s %s %d %s %v %v", span, work.Name, o.Status, o.Code, o.Failed, o.Canceled))
	if o.Duration <= 0 && work.Kind == contract.WorkHash {
		w.lines = append(w.lines, "no duration")
	}
}

func (w *watcher) Event(ctx context.Context, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	span, _ := ctx.Value(spanKey{}).(string)
	w.lines = append(w.lines, "event "+span+" "+name)
}

// take returns what was seen since the last call, and finds work that never ended.
func (w *watcher) take(t *testing.T) []string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open != 0 {
		t.Errorf("%d pieces of work have not ended", w.open)
	}
	for _, s := range w.kept {
		if strings.Contains(s, "#") {
			t.Errorf("%q is memory that the server used again", s)
		}
	}
	lines := w.lines
	w.lines, w.kept = nil, nil
	return lines
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("lacks %q in\n%s", l, strings.Join(got, "\n"))
		}
	}
}

var (
	refusingRoute = core.NewRoute[struct {
		ID string `path:"id"`
	}, core.None]("GET /observed/:id", core.Public)
	oddRoute       = core.NewRoute[core.None, core.None]("POST /observed-odd", core.Public)
	panickingRoute = core.NewRoute[core.None, core.None]("POST /observed-panic", core.Public)
)

// watchable serves what a watcher should see.
type watchable struct{}

func (watchable) Spec() core.Spec {
	return core.Spec{ID: "watchable", Endpoints: []core.Endpoint{
		refusingRoute.Handle(func(context.Context, *core.Call, struct {
			ID string `path:"id"`
		}) (out core.None, err error) {
			return out, core.ErrNotFound
		}),
		oddRoute.Handle(func(context.Context, *core.Call, core.None) (out core.None, err error) {
			return out, core.NewError("OF_A_REQUESTS_OWN_TEXT", 400, "x")
		}),
		panickingRoute.Handle(func(context.Context, *core.Call, core.None) (core.None, error) { panic("told to") }).Alias(core.Alias{Method: "POST", Path: "/other/panic"}),
	}}
}

func TestObserver(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		w := &watcher{}
		e := start(t, db, with(watchable{}), config(func(c *core.Config) { c.Observer = w; c.Email.SendOnSignUp = ptr(true) }))
		w.take(t)
		c := e.client()
		c.header["X-Request-Id"] = "r-1"
		c.signUp("a@example.com")
		got := w.take(t)
		wantLines(t, got, "begin request POST /api/auth/sign-up/email r-1", "end /request /api/auth/sign-up/email 200  false false",
			"end /request/hash hash 0  false false", "begin statement  BEGIN", "end /request/statement COMMIT 0  false false", "event /request sign-up")
		if !slices.ContainsFunc(got, func(l string) bool {
			return strings.HasPrefix(l, "end /request/statement INSERT ") || strings.HasPrefix(l, "end /request/statement BATCH ")
		}) {
			t.Errorf("no insert in\n%s", strings.Join(got, "\n"))
		}
		for _, tt := range []struct {
			do   func() answer
			want []string
		}{
			{func() answer { return c.get("/get-session") }, []string{"begin statement  SELECT session", "end /request /api/auth/get-session 200  false false"}},
			{func() answer { return e.client().signIn("a@example.com", wrong) }, []string{"end /request/hash verify 0  false false",
				"end /request /api/auth/sign-in/email 401 INVALID_EMAIL_OR_PASSWORD false false"}},
			{func() answer { return c.get("/observed/a-secret") }, []string{"end /request /api/auth/observed/:id 404 NOT_FOUND false false"}},
			{func() answer { return c.post("/observed-panic", nil) }, []string{"end /request /api/auth/observed-panic 500 INTERNAL_SERVER_ERROR true false"}},
			{func() answer { return e.do(request{method: "POST", path: "/other/panic"}) }, []string{"end /request /other/panic 500 INTERNAL_SERVER_ERROR true false"}},
			{func() answer { return c.post("/observed-odd", nil) }, []string{"end /request /api/auth/observed-odd 400 unregistered false false"}},
			{func() answer { return c.post("/sign-in/email", m{"email": 5}) }, []string{"end /request /api/auth/sign-in/email 400 VALIDATION_ERROR false false"}},
			{func() answer { return c.get("/no-such-thing") }, []string{"end /request  404 NOT_FOUND false false"}},
			{func() answer { return e.do(request{method: "BREW", path: "/api/auth/ok"}) }, []string{"begin request other  "}},
		} {
			tt.do()
			got := w.take(t)
			wantLines(t, got, tt.want...)
			if all := strings.Join(got, "\n"); strings.Contains(all, "a-secret") || strings.Contains(all, "example.com") {
				t.Errorf("what a client sent is in a name:\n%s", all)
			}
		}
	})
}

// TestObserverHearsOfEventsOnce: a failure that waits to be written comes by twice.
func TestObserverHearsOfEventsOnce(t *testing.T) {
	w := &watcher{}
	e := start(t, config(func(c *core.Config) { c.Observer = w }),
		hooks(core.EventRecorded.Before(func(context.Context, *core.Event) error { return nil })))
	e.auth.Host().RecordLater(nil, &core.Event{Type: core.EventServiceError})
	if err := e.auth.FlushEvents(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range w.take(t) {
		if l == "event  service.error" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("heard of %d events, want 1", n)
	}
}

func TestObserverSeesCallsAndJobs(t *testing.T) {
	w := &watcher{}
	e := start(t, with(watchable{}), config(func(c *core.Config) { c.Observer = w; c.Email.SendOnSignUp = ptr(true) }))
	e.client().signUp("a@example.com")
	w.take(t)
	if _, err := refusingRoute.Call(t.Context(), e.auth, struct {
		ID string `path:"id"`
	}{"x"}); !errors.Is(err, core.ErrNotFound) {
		t.Fatal(err)
	}
	wantLines(t, w.take(t), "begin call GET /api/auth/observed/:id", "end /call /api/auth/observed/:id 0 NOT_FOUND false false")
	e.mail.fail = func(contract.Message) error { return errors.New("the mail server is away") }
	e.deliver()
	wantLines(t, w.take(t), "end /job/mail verify-email 0 INTERNAL_SERVER_ERROR true false", "end /job mail 0 INTERNAL_SERVER_ERROR true false")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := core.GetSession.Call(ctx, e.auth, core.None{}, core.AsToken("abc")); err == nil {
		t.Fatal("no error")
	}
	wantLines(t, w.take(t), "end /call /api/auth/get-session 0 SERVICE_UNAVAILABLE false true")
}
