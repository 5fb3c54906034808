package server

import (
	"net"
	"testing"
	"time"
)

// A connection on which nothing is asked does not hold the shut-down up, and is no request
// that was cut off.
func TestSilentConnectionsEnd(t *testing.T) {
	ts := startServer(t, func(c *Config) { c.ShutdownGrace = 5 * time.Minute }) // more than the test may take
	for _, half := range []string{"", "GET /api/auth/ok HTTP/1.1\r\nHost: local"} {
		conn, err := net.Dial("tcp", ts.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(half)); err != nil {
			t.Fatal(err)
		}
	}
	if status, _ := fetch(t, request(t, "GET", ts.url+"/api/auth/ok", "")); status != 200 { // by now both are accepted
		t.Fatal(status)
	}
	if err := ts.stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}
