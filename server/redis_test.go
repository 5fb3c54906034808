package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core"
)

// Two programs share the limits. When Redis is killed they go on, each for itself, say so
// at /readyz, and find it again.
func TestLimitsInRedis(t *testing.T) {
	r := storetest.StartRedis(t)
	var url string // of the database
	start := func() *testServer {
		return startServer(t, func(c *Config) {
			if url == "" {
				url = filepath.Join(t.TempDir(), "test.db")
			}
			on := true
			c.Core.Secret = "the secret that replicas share, 32+" // keys of limits are hashed with it
			c.Database.Path, c.Redis.URL, c.Redis.Pause = url, r.URL(), 100*time.Millisecond
			c.Redis.Timeout = 5 * time.Second // slow is not down: then each would count for itself
			c.Core.RateLimit = core.RateLimitConfig{Enabled: &on, Storage: "redis", Rules: []core.RateLimit{{Paths: []string{"/ok"}, Max: 4, Window: 60}}}
		})
	}
	servers := []*testServer{start(), start()}
	hits := func(n int) (passed int) {
		for i := range n {
			switch status, body := fetch(t, request(t, "GET", servers[i%2].url+"/api/auth/ok", "")); status {
			case 200:
				passed++
			case 429:
			default:
				t.Errorf("%d %s", status, body)
			}
		}
		return passed
	}
	if got := hits(20); got != 4 {
		t.Errorf("%d passed, want 4 in sum", got)
	}
	ready := func(want string) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			servers[0].health.mu.Lock()
			servers[0].health.checked = time.Time{} // as if the kept answer were old
			servers[0].health.mu.Unlock()
			status, body := fetch(t, request(t, "GET", servers[0].url+"/readyz", ""))
			var got readiness
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if status != 200 || strings.Contains(body, "127.0.0.1") {
				t.Fatalf("%d %s: a Redis that is down takes no replica out of service, and no answer quotes a driver", status, body)
			}
			if got.Status == want && got.Checks["redis"].OK == (want == "ready") {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%s, want %s", body, want)
			}
		}
	}
	ready("ready")
	r.Kill()
	if got := hits(20); got != 8 {
		t.Errorf("%d passed, want 4 at each of the two", got)
	}
	ready("degraded")
	r.Start()
	ready("ready")
	if got := hits(20); got < 4 || got > 8 { // the other one may have to find it first
		t.Errorf("%d passed after Redis came back, want about 4", got)
	}
	if s := servers[0].auth.Host().Stores().Limits; s.Failures == 0 || s.Failing {
		t.Errorf("%+v", s)
	}
}

func TestRedisOptions(t *testing.T) {
	dir := t.TempDir()
	load := func(text string, env ...string) error {
		file := filepath.Join(dir, "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Source{File: file, Data: filepath.Join(dir, "data"), Env: env}, toys()...)
		if err == nil {
			_, err = Describe(c, toys()...)
		}
		return err
	}
	secretFile := filepath.Join(dir, "url")
	if err := os.WriteFile(secretFile, []byte("redis://:hidden@127.0.0.1:1/0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text, want string
		env              []string
	}{
		{"a URL in a file", "plugins: [toy]\nrateLimit: {storage: redis}\nredis: {urlFile: " + secretFile + "}", "", nil},
		{"a URL in a variable", "plugins: [toy]\nrateLimit: {storage: redis}", "", []string{"SALLYPORT_REDIS_URL=redis://127.0.0.1:1"}},
		{"no URL", "plugins: [toy]\nrateLimit: {storage: redis}", `rateLimit.storage: "redis" needs a store`, nil},
		{"sessions", "plugins: [toy]\nsession: {storage: redis}\nredis: {url: 'redis://127.0.0.1:1'}", "", nil},
		{"locks", "plugins: [toy]\nlockout: {storage: redis}\nredis: {url: 'redis://127.0.0.1:1'}", "", nil},
		{"no URL for locks", "plugins: [toy]\nlockout: {storage: redis}", `lockout.storage: "redis" needs a store`, nil},
		{"no URL for sessions", "plugins: [toy]\nsession: {storage: redis}", `session.storage: "redis" needs a store`, nil},
		{"no use", "plugins: [toy]\nredis: {url: 'redis://127.0.0.1:1'}", "redis: nothing uses it", nil},
		{"no URL of Redis", "plugins: [toy]\nrateLimit: {storage: redis}\nredis: {url: 'http://u:hidden@x'}", "redis.url: want redis://", nil},
		{"too short", "plugins: [toy]\nrateLimit: {storage: redis}\nredis: {url: 'redis://x', timeout: 1ms}", "redis.timeout: must be from 10ms to 5s", nil},
	} {
		err := load(tt.text, tt.env...)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hidden")):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
