package otel_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector is a strict OTLP/HTTP collector: what the specification does not allow fails
// the test.
type collector struct {
	t   testing.TB
	url string

	mu      sync.Mutex
	answers []int // statuses of the next answers; then 200
	retry   string
	seen    int
	headers http.Header
	raw     []byte
	spans   []*tracepb.Span
	service string
}

func newCollector(t testing.TB) *collector {
	c := &collector{t: t}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen++
	c.headers = r.Header.Clone()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != "POST" || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || len(body) == 0 {
		c.t.Errorf("%s %s, %s, %d bytes, %v", r.Method, r.URL, r.Header.Get("Content-Type"), len(body), err)
	}
	if len(c.answers) > 0 {
		status := c.answers[0]
		c.answers = c.answers[1:]
		if c.retry != "" {
			w.Header().Set("Retry-After", c.retry)
		}
		w.WriteHeader(status)
		return
	}
	var data tracepb.TracesData
	if err := proto.Unmarshal(body, &data); err != nil || len(data.ProtoReflect().GetUnknown()) > 0 {
		c.t.Errorf("no ExportTraceServiceRequest: %v", err)
	}
	c.raw = append(c.raw, body...)
	for _, rs := range data.ResourceSpans {
		c.service = attr(rs.GetResource().GetAttributes(), "service.name")
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				c.check(s)
				c.spans = append(c.spans, s)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) check(s *tracepb.Span) {
	if len(s.TraceId) != 16 || len(s.SpanId) != 8 || len(s.ParentSpanId) != 0 && len(s.ParentSpanId) != 8 {
		c.t.Errorf("%s: ids %x %x %x", s.Name, s.TraceId, s.SpanId, s.ParentSpanId)
	}
	if s.Name == "" || s.Kind == tracepb.Span_SPAN_KIND_UNSPECIFIED || s.StartTimeUnixNano == 0 || s.EndTimeUnixNano < s.StartTimeUnixNano {
		c.t.Errorf("span %v", s)
	}
	for _, a := range s.Attributes {
		if a.Key == "" || a.Value.GetValue() == nil {
			c.t.Errorf("%s: attribute %v", s.Name, a)
		}
	}
}

// span returns the only span of that name.
func (c *collector) span(name string) *tracepb.Span {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *tracepb.Span
	var names []string
	for _, s := range c.spans {
		names = append(names, s.Name)
		if s.Name == name {
			if found != nil {
				c.t.Errorf("two spans %q", name)
			}
			found = s
		}
	}
	if found == nil {
		c.t.Fatalf("no span %q in %q", name, names)
	}
	return found
}

func attr(list []*commonpb.KeyValue, key string) string {
	for _, a := range list {
		if a.Key == key {
			if _, isInt := a.Value.GetValue().(*commonpb.AnyValue_IntValue); isInt {
				return "int"
			}
			return a.Value.GetStringValue()
		}
	}
	return ""
}
