package adaptertest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports for servers of tests lie below those that systems give to whoever asks for any, and
// to outgoing connections: from there another test would take one between its being found
// and its server's listening, or while that is started anew.
const firstPort, ports = 20000, 10000

// FreePort returns a TCP port of 127.0.0.1 that is the test's own until it ends, for a server
// that is told where to listen. UDP's port of that number is what keeps it from other tests,
// of other programs too.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := "127.0.0.1:" + strconv.Itoa(firstPort+rand.IntN(ports))
		mark, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		ln, err := net.Listen("tcp", address)
		if err != nil {
			mark.Close()
			continue
		}
		ln.Close()
		t.Cleanup(func() { mark.Close() })
		_, port, _ := net.SplitHostPort(address)
		return port
	}
	t.Fatal("no port is free")
	return ""
}
