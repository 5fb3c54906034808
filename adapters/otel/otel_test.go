package otel_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/sallyport-auth/sallyport/adapters/otel"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugintest"
)

const (
	email    = "ada@example.com"
	password = "correct horse battery"
)

func newTracer(t testing.TB, o otel.Options) *otel.Tracer {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	tracer, err := otel.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.Close(context.Background()) })
	return tracer
}

func traced(t testing.TB, tracer *otel.Tracer) *plugintest.Harness {
	t.Helper()
	return plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{})},
		Config: func(c *core.Config) { c.Observer = tracer; yes := true; c.Email.SendOnSignUp = &yes }})
}

func signIn(pass string, header map[string]string) plugintest.Request {
	return plugintest.Request{Method: "POST", Path: "/sign-in/email", Body: plugintest.M{"email": email, "password": pass}, Header: header}
}

func TestTraceOfASignIn(t *testing.T) {
	c := newCollector(t)
	tracer := newTracer(t, otel.Options{Endpoint: c.url, Headers: "x-key=a%20key", Version: "1.2.3", System: "sqlite"})
	h := traced(t, tracer)
	h.Client().Post("/sign-up/email", plugintest.M{"name": "Ada Lovelace", "email": email, "password": password}).Want(200)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	client := h.Client()
	client.Do(signIn(password, map[string]string{"traceparent": parent, "X-Request-Id": "r-1"})).Want(200)
	h.Client().Do(signIn("wrong password", nil)).Want(401)
	h.Client().Get("/reset-password/a-secret-token?callbackURL=/x")
	h.RunJobs()
	cookie := client.Cookie("session_token")
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.service != "sallyport" || c.headers.Get("X-Key") != "a key" {
		t.Errorf("service %q, headers %v", c.service, c.headers)
	}
	var request *tracepb.Span
	below := map[string]*tracepb.Span{}
	for _, s := range c.spans {
		if hex(s.TraceId) != "0af7651916cd43dd8448eb211c80319c" {
			continue
		}
		if s.Kind == tracepb.Span_SPAN_KIND_SERVER {
			request = s
		} else {
			below[s.Name] = s
		}
	}
	if request == nil || request.Name != "POST /api/auth/sign-in/email" || hex(request.ParentSpanId) != "b7ad6b7169203331" {
		t.Fatalf("the request's span: %v", request)
	}
	for key, want := range map[string]string{"http.request.method": "POST", "http.route": "/api/auth/sign-in/email",
		"http.response.status_code": "int", "sallyport.request_id": "r-1"} {
		if got := attr(request.Attributes, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for _, name := range []string{"password verify", "SELECT user", "INSERT attempt"} {
		if s := below[name]; s == nil || !bytes.Equal(s.ParentSpanId, request.SpanId) {
			t.Errorf("span %q: %v", name, s)
		}
	}
	if s := below["SELECT user"]; s != nil && (attr(s.Attributes, "db.system.name") != "sqlite" || attr(s.Attributes, "db.operation.name") != "SELECT" || attr(s.Attributes, "db.collection.name") != "user") {
		t.Errorf("a statement's attributes: %v", s.Attributes)
	}
	if len(request.Events) == 0 || request.Events[0].Name != "sign-in" {
		t.Errorf("the security event: %v", request.Events)
	}
	if mail := c.span("mail verify-email"); !bytes.Equal(mail.ParentSpanId, c.span("job mail").SpanId) {
		t.Error("the mail is no part of its job")
	}
	c.span("GET /api/auth/reset-password/:token")
	for _, secret := range []string{email, "Ada", password, "wrong password", "a-secret-token", "callbackURL", cookie, strings.Split(cookie, ".")[0], "192.0.2.", "INSERT INTO"} {
		if bytes.Contains(c.raw, []byte(secret)) {
			t.Errorf("the spans hold %q", secret)
		}
	}
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

// TestFailures: a failure of ours is an error of the span, a client's is not; with its
// class, and nothing of the cause's text.
func TestFailures(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	tracer := newTracer(t, otel.Options{Provider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorded))})
	h := traced(t, tracer)
	h.Client().Do(signIn("wrong password", nil)).Want(401)
	h.Auth.Database().Close()
	h.Client().Do(signIn(password, nil)).Want(503)
	if err := tracer.Close(t.Context()); err != nil { // leaves the app's provider alone
		t.Error(err)
	}
	var wrong, down []string
	for _, s := range recorded.Ended() {
		if s.Name() != "POST /api/auth/sign-in/email" {
			continue
		}
		line := []string{s.Status().Code.String(), s.Status().Description}
		for _, a := range s.Attributes() {
			line = append(line, string(a.Key)+"="+a.Value.String())
		}
		if wrong == nil {
			wrong = line
		} else {
			down = line
		}
	}
	if got := strings.Join(wrong, " "); !strings.HasPrefix(got, "Unset ") || !strings.Contains(got, "sallyport.class=INVALID_CREDENTIALS") || strings.Contains(got, "error.type") {
		t.Errorf("a wrong password: %s", got)
	}
	if got := strings.Join(down, " "); !strings.HasPrefix(got, "Error SERVICE_UNAVAILABLE ") || !strings.Contains(got, "error.type=SERVICE_UNAVAILABLE") || !strings.Contains(got, "http.response.status_code=503") {
		t.Errorf("no database: %s", got)
	}
}

// TestBackgroundIsQuiet: what looks for work every few seconds is no trace.
func TestBackgroundIsQuiet(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	h := traced(t, newTracer(t, otel.Options{Provider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorded))}))
	h.RunJobs()
	if _, err := h.Auth.Backlog(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range recorded.Started() {
		t.Errorf("span %q", s.Name())
	}
}

// TestStrangeRequests: what no endpoint answers, made-up methods and ids.
func TestStrangeRequests(t *testing.T) {
	recorded := tracetest.NewSpanRecorder()
	tracer := newTracer(t, otel.Options{Provider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorded))})
	for _, w := range []contract.Work{
		{Kind: contract.WorkRequest, Method: "other", Request: header{"X-Request-Id": "has a space"}},
		{Kind: contract.WorkRequest, Method: "GET", Request: header{"traceparent": "nonsense", "X-Request-Id": strings.Repeat("x", 65)}},
	} {
		ctx := tracer.Begin(t.Context(), w)
		tracer.End(ctx, w, contract.Outcome{Status: 404, Code: "NOT_FOUND", Class: "NOT_FOUND", Canceled: true})
		tracer.Event(t.Context(), "of nobody")
	}
	ended := recorded.Ended()
	if len(ended) != 2 || ended[0].Name() != "other" || ended[1].Name() != "GET" || ended[1].Parent().IsValid() {
		t.Fatalf("%v", ended)
	}
	for _, s := range ended {
		for _, a := range s.Attributes() {
			if a.Key == "sallyport.request_id" || a.Key == "http.route" {
				t.Errorf("%s: %v", s.Name(), a)
			}
		}
	}
}

type header map[string]string

func (h header) Header(name string) string { return h[name] }

func TestExportIsTriedAgain(t *testing.T) {
	c := newCollector(t)
	c.answers = []int{503, 429}
	var logs bytes.Buffer
	tracer := newTracer(t, otel.Options{Endpoint: c.url + "/", Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	otel.NoWait(tracer)
	w := contract.Work{Kind: contract.WorkJob, Name: "mail"}
	tracer.End(tracer.Begin(t.Context(), w), w, contract.Outcome{})
	if err := tracer.Close(t.Context()); err != nil || c.seen != 3 || len(c.spans) != 1 || logs.Len() > 0 {
		t.Errorf("%v, %d requests, %d spans, log %s", err, c.seen, len(c.spans), logs.String())
	}
}

func TestExportFails(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	elsewhere := newCollector(t)
	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.url+"/v1/traces", http.StatusTemporaryRedirect))
	defer redirecting.Close()
	refusing := newCollector(t)
	refusing.answers = []int{400}
	for _, url := range []string{away.URL, redirecting.URL, refusing.url} {
		var logs bytes.Buffer
		tracer := newTracer(t, otel.Options{Endpoint: url, Headers: "authorization=Bearer%20s3cret", Logger: slog.New(slog.NewTextHandler(&logs, nil))})
		otel.NoWait(tracer)
		w := contract.Work{Kind: contract.WorkJob, Name: "mail"}
		tracer.End(tracer.Begin(t.Context(), w), w, contract.Outcome{})
		if err := tracer.Close(t.Context()); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if !strings.Contains(logs.String(), "traces cannot be delivered") || strings.Contains(logs.String(), "s3cret") {
			t.Errorf("%s: log %q", url, logs.String())
		}
	}
	if elsewhere.seen != 0 || refusing.seen != 1 {
		t.Errorf("%d followed a redirect, %d asked who refuses", elsewhere.seen, refusing.seen)
	}
}

func TestOptionFaults(t *testing.T) {
	for _, o := range []otel.Options{
		{}, {Endpoint: "collector:4318"}, {Endpoint: "ftp://collector"}, {Endpoint: "http://"}, {Endpoint: "http://user:pw@collector"},
		{Endpoint: "http://collector/?key=x"}, {Endpoint: "http://collector", Headers: "novalue"}, {Endpoint: "http://collector", Headers: "a=%zz"},
		{Endpoint: "http://collector", Headers: "a=b%0d%0ac"}, {Endpoint: "http://collector", Headers: "a b=c"},
	} {
		if _, err := otel.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		} else if strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "key=x") {
			t.Errorf("the error quotes a secret: %v", err)
		}
	}
}
