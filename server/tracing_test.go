package server

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestTracingOptions(t *testing.T) {
	for _, tt := range []struct {
		name, env         string
		endpoint, headers string
	}{
		{"off", "", "", ""},
		{"option", "SALLYPORT_TRACING_ENDPOINT=http://a:4318 OTEL_EXPORTER_OTLP_ENDPOINT=http://b:4318", "http://a:4318", ""},
		{"collector", "OTEL_EXPORTER_OTLP_ENDPOINT=http://b:4318/otlp/ OTEL_EXPORTER_OTLP_HEADERS=k=v", "http://b:4318/otlp/v1/traces", "k=v"},
		{"collector of traces", "OTEL_EXPORTER_OTLP_ENDPOINT=http://b:4318 OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/x OTEL_EXPORTER_OTLP_HEADERS=k=v OTEL_EXPORTER_OTLP_TRACES_HEADERS=k=w",
			"http://c/x", "k=w"},
		{"disabled", "SALLYPORT_TRACING_ENDPOINT=http://a:4318 OTEL_SDK_DISABLED=true", "", ""},
		{"another exporter", "OTEL_EXPORTER_OTLP_ENDPOINT=http://b:4318 OTEL_TRACES_EXPORTER=none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(Source{Env: strings.Fields(tt.env)})
			if err != nil || c.Tracing.Endpoint != tt.endpoint || c.Tracing.Headers != tt.headers {
				t.Errorf("%q %q, %v", c.Tracing.Endpoint, c.Tracing.Headers, err)
			}
		})
	}
	file := writeFile(t, "headers", "authorization=Bearer%20x\n", 0o600)
	c, err := Load(Source{Env: []string{"SALLYPORT_TRACING_HEADERS_FILE=" + file}})
	if err != nil || c.Tracing.Headers != "authorization=Bearer%20x" {
		t.Errorf("%q, %v", c.Tracing.Headers, err)
	}
}

// TestTracing sees that what waits is delivered when the server stops.
func TestTracing(t *testing.T) {
	var mu sync.Mutex
	var got []byte
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, body...)
	}))
	defer collector.Close()
	ts := startServer(t, func(c *Config) { c.Tracing.Endpoint, c.Metrics.Listen = collector.URL, "127.0.0.1:0" })
	r := request(t, "GET", ts.url+"/api/auth/get-session", "")
	r.Header.Set("X-Request-Id", "r-77")
	fetch(t, r)
	if err := ts.stop(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"GET /api/auth/get-session", "r-77", "sallyport", "service.version"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("the spans lack %q", want)
		}
	}
}

func TestTracingFault(t *testing.T) {
	_, err := Load(Source{Env: []string{"SALLYPORT_TRACING_ENDPOINT=collector:4318"}})
	if err == nil || !strings.Contains(err.Error(), "tracing: otel: the endpoint is no http or https URL") {
		t.Errorf("%v", err)
	}
}
