package adaptertest

import (
	"net"
	"strconv"
	"testing"
)

// A port is a test's own, also while nobody listens there, and free again behind its end.
func TestFreePort(t *testing.T) {
	var port string
	t.Run("holds", func(t *testing.T) {
		port = FreePort(t)
		if n, err := strconv.Atoi(port); err != nil || n < firstPort || n >= firstPort+ports {
			t.Errorf("port %s", port)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatalf("its server cannot listen: %v", err)
		}
		ln.Close()
		if mark, err := net.ListenPacket("udp", "127.0.0.1:"+port); err == nil {
			mark.Close()
			t.Error("another test could get it")
		}
	})
	mark, err := net.ListenPacket("udp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("after the test's end: %v", err)
	}
	mark.Close()
}
