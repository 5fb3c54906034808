package server

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// metricsURL is where a running server says that its metrics are.
func metricsURL(t testing.TB, ts *testServer) string {
	t.Helper()
	if status, _ := fetch(t, request(t, "GET", ts.url+"/healthz", "")); status != 200 { // then it has begun
		t.Fatal(status)
	}
	m := regexp.MustCompile(`metrics are served" address=(\S+)`).FindStringSubmatch(ts.logs.String())
	if m == nil {
		t.Fatalf("the log does not say where the metrics are:\n%s", ts.logs)
	}
	return "http://" + m[1]
}

func TestMetricsOnTheirOwnAddress(t *testing.T) {
	ts := startServer(t, func(c *Config) { c.Metrics.Listen, c.Version = "127.0.0.1:0", "1.2.3" })
	url := metricsURL(t, ts)
	fetch(t, request(t, "GET", ts.url+"/api/auth/get-session", ""))
	status, body := fetch(t, request(t, "GET", url+"/metrics", ""))
	for _, want := range []string{`sallyport_requests_total{class="",code="",endpoint="/api/auth/get-session",method="GET",status="200",via="http"} 1`,
		`version="1.2.3"`, "go_goroutines", "process_open_fds", "sallyport_database_up 1"} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("%d lacks %s", status, want)
		}
	}
	if status, _ := fetch(t, request(t, "GET", ts.url+"/metrics", "")); status != 404 {
		t.Errorf("the address of the users answers %d", status)
	}
	for _, r := range []*http.Request{request(t, "GET", url+"/", ""), request(t, "GET", url+"/api/auth/get-session", "")} {
		if status, _ := fetch(t, r); status != 404 {
			t.Errorf("the address of the metrics answers %s with %d", r.URL.Path, status)
		}
	}
	if status, _ := fetch(t, request(t, "POST", url+"/metrics", "")); status != 405 {
		t.Errorf("POST: %d", status)
	}
	if err := ts.stop(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url + "/metrics"); err == nil {
		t.Error("the metrics outlive the server")
	}
}

func TestNoMetricsUnlessWanted(t *testing.T) {
	ts := startServer(t, nil)
	if ts.metrics != nil || ts.auth.Host() == nil {
		t.Error("metrics nobody asked for")
	}
	if status, _ := fetch(t, request(t, "GET", ts.url+"/metrics", "")); status != 404 {
		t.Errorf("/metrics answers %d", status)
	}
}

func TestMetricsAddressTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dir := t.TempDir()
	c, err := Load(Source{Data: dir, Env: []string{"SALLYPORT_METRICS_LISTEN=" + ln.Addr().String(), "SALLYPORT_LISTEN=127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(t.Context(), c, io.Discard, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "metrics.listen: listen tcp") {
		t.Errorf("Run: %v", err)
	}
}

func TestMetricsListenFaults(t *testing.T) {
	for _, tt := range []struct{ listen, want string }{
		{"nonsense", `metrics.listen: expected "host:port" or ":port"`},
		{"127.0.0.1:8080", "metrics.listen: is the address of listen: it must be one of its own"},
		{"127.0.0.1:9464", ""},
	} {
		_, err := Load(Source{Env: []string{"SALLYPORT_METRICS_LISTEN=" + tt.listen}})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.listen, err)
		}
	}
}
