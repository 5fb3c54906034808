package webhooks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// TestAllows holds the list of addresses to what attackers write.
func TestAllows(t *testing.T) {
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.0.1", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
		"203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::7f00:1", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:53aa:64c:0:fbff:80ff:fffe", "2001:10::1", "2001:20::1",
		"2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if (guard{}).allows(netip.MustParseAddr(text)) {
			t.Errorf("%s is allowed", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
		"169.253.255.255", "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255",
		"::ffff:8.8.8.8", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2003::1", "3ffe::1"} {
		if !(guard{}).allows(netip.MustParseAddr(text)) {
			t.Errorf("%s is refused", text)
		}
	}
	g := guard{prefixes("10.1.2.0/24", "fd00::/64")}
	for text, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.1.3.1": false, "fd00::5": true, "fd00:0:0:1::5": false, "127.0.0.1": false, "8.8.8.8": true} {
		if got := g.allows(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// names is a DNS server: the n-th look-up of a name (from 0) has the n-th list of addresses,
// the last one for ever.
func names(t *testing.T, answers map[string][][]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var mu sync.Mutex
	asked := map[string]int{}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			q.Response, q.Authoritative = true, true
			q.Additionals = nil
			name := strings.TrimSuffix(q.Questions[0].Name.String(), ".")
			mu.Lock()
			if list := answers[name]; len(list) > 0 && q.Questions[0].Type == dnsmessage.TypeA {
				for _, a := range list[min(asked[name], len(list)-1)] {
					q.Answers = append(q.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
						Body:   &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()}})
				}
				asked[name]++
			}
			mu.Unlock()
			if out, err := q.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestRefusedWhenConnecting: names that lead inside are refused at the connection, with
// a receiver there that would have answered.
func TestRefusedWhenConnecting(t *testing.T) {
	r := listen(t, nil)
	_, port, err := net.SplitHostPort(r.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resolver := names(t, map[string][][]string{
		"inside.example":   {{"127.0.0.1"}},
		"metadata.example": {{"169.254.169.254"}},
		"any.example":      {{"0.0.0.0"}},
		"two.example":      {{"10.0.0.1", "127.0.0.1"}},
	})
	for _, host := range []string{"inside.example", "metadata.example", "any.example", "two.example", "inside.example.",
		"2130706433", "0x7f000001", "127.1", "017700000001"} { // numbers that some resolvers take for 127.0.0.1
		t.Run(host, func(t *testing.T) {
			h := newHarness(t, Options{Endpoints: []Endpoint{{URL: "http://" + host + ":" + port + "/", Secret: secretA}}, AllowHTTP: true, Resolver: resolver})
			h.CreateUser("ada@example.com")
			h.RunJobs()
			list := waiting(t, h)
			if len(r.take()) != 0 || len(list) != 1 {
				t.Fatalf("it was reached; waiting: %+v", list)
			}
			if text := list[0].LastError; strings.HasSuffix(host, "example") && !strings.Contains(text, "is no public address") {
				t.Error(text)
			}
		})
	}
}

// TestRebinding: a name that led to an address that is allowed leads to another one the
// next time. What counts is the address that is connected to.
func TestRebinding(t *testing.T) {
	r := listen(t, nil)
	_, port, _ := strings.Cut(r.Listener.Addr().String(), ":")
	reached := &receiver{t: t}
	allowed, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	reached.Server = &httptest.Server{Listener: allowed, Config: &http.Server{Handler: reached}}
	reached.Start()
	t.Cleanup(reached.Close)
	o := Options{Endpoints: []Endpoint{{URL: "http://moves.example:" + port + "/", Secret: secretA, Events: []string{UserCreated}}}, AllowHTTP: true,
		AllowNetworks: []string{"127.0.0.2/32"}, Resolver: names(t, map[string][][]string{"moves.example": {{"127.0.0.2"}, {"127.0.0.1"}}})}
	h := newHarness(t, o)
	h.CreateUser("ada@example.com")
	if h.RunJobs(); len(reached.take()) != 1 {
		t.Fatalf("the first address was not reached: %+v", waiting(t, h))
	}
	h.CreateUser("bob@example.com")
	h.RunJobs()
	list := waiting(t, h)
	if len(r.take()) != 0 || len(list) != 1 || !strings.Contains(list[0].LastError, "127.0.0.1 is no public address") {
		t.Errorf("waiting: %+v", list)
	}
}

// TestRedirects: none is followed, neither to the metadata service nor to a neighbour.
func TestRedirects(t *testing.T) {
	inside := listen(t, nil)
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"http://169.254.169.254/latest/meta-data/", inside.URL, "/again"} {
			t.Run(fmt.Sprint(code, " ", location[:5]), func(t *testing.T) {
				r := listen(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Location", location)
					w.WriteHeader(code)
				})
				h := newHarness(t, loopback(to(r, UserCreated)))
				h.CreateUser("ada@example.com")
				h.RunJobs()
				list := waiting(t, h)
				if len(r.take()) != 1 || len(inside.take()) != 0 || len(list) != 1 || !strings.HasSuffix(list[0].LastError, fmt.Sprint("answered ", code)) {
					t.Errorf("waiting: %+v", list)
				}
			})
		}
	}
}

// TestProxy: the environment's is not used; a configured one gets everything, and looks up
// the names.
func TestProxy(t *testing.T) {
	if New(loopback()).client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy that nobody configured")
	}
	var asked []string
	proxy := listen(t, nil)
	proxy.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked = append(asked, q.URL.String())
		proxy.ServeHTTP(w, q)
	})
	h := newHarness(t, Options{Endpoints: []Endpoint{{URL: "http://receiver.invalid/hook", Secret: secretA, Events: []string{UserCreated}}},
		AllowHTTP: true, Proxy: proxy.URL})
	h.CreateUser("ada@example.com")
	h.RunJobs()
	if got := proxy.take(); len(got) != 1 || len(asked) != 1 || asked[0] != "http://receiver.invalid/hook" {
		t.Errorf("%v, waiting: %+v", asked, waiting(t, h))
	}
}

// TestTLS: a certificate of an authority that nobody knows is refused.
func TestTLS(t *testing.T) {
	r := &receiver{t: t}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ErrorLog = quiet()
	r.StartTLS()
	t.Cleanup(r.Close)
	o := loopback(to(r, UserCreated))
	h := newHarness(t, o)
	h.CreateUser("ada@example.com")
	h.RunJobs()
	if list := waiting(t, h); len(r.take()) != 0 || len(list) != 1 || !strings.HasSuffix(list[0].LastError, "its certificate is not accepted") {
		t.Fatalf("%+v", list)
	}
	o.TLS = r.Client().Transport.(*http.Transport).TLSClientConfig
	later(t, h)
	if _, err := another(t, h, o).RunJobs(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(r.take()) != 1 {
		t.Error("not delivered to a receiver whose authority is known")
	}
}
