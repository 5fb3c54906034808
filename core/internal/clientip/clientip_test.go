package clientip

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func addr(t testing.TB, s string) netip.Addr {
	t.Helper()
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func resolver(t testing.TB, proxies ...string) *Resolver {
	t.Helper()
	r, err := New(proxies)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestResolve(t *testing.T) {
	none := resolver(t)
	nets := resolver(t, "10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48", "::ffff:198.51.100.1")
	for _, c := range []struct {
		name string
		r    *Resolver
		peer string
		xff  []string
		want string
	}{
		{"none trusted", none, "203.0.113.9", []string{"1.1.1.1"}, "203.0.113.9"},
		{"nil resolver", nil, "203.0.113.9", []string{"1.1.1.1"}, "203.0.113.9"},
		{"peer not trusted", nets, "203.0.113.9", []string{"1.1.1.1"}, "203.0.113.9"},
		{"peer next to a single address", nets, "192.0.2.8", []string{"1.1.1.1"}, "192.0.2.8"},
		{"single address", nets, "192.0.2.7", []string{"1.1.1.1"}, "1.1.1.1"},
		{"range", nets, "10.255.0.1", []string{"1.1.1.1"}, "1.1.1.1"},
		{"mapped peer", nets, "::ffff:10.0.0.1", []string{"1.1.1.1"}, "1.1.1.1"},
		{"mapped peer, untrusted", nets, "::ffff:203.0.113.9", nil, "203.0.113.9"},
		{"mapped proxy entry", nets, "198.51.100.1", []string{"1.1.1.1"}, "1.1.1.1"},
		{"IPv6 proxy", nets, "2001:db8:ffff::1", []string{"2001:db8::9"}, "2001:db8::9"},
		{"zone of the peer is dropped", none, "fe80::1%eth0", nil, "fe80::1"},
		{"right-most untrusted", nets, "10.0.0.1", []string{"9.9.9.9, 1.1.1.1, 10.0.0.2"}, "1.1.1.1"},
		{"lines in order", nets, "10.0.0.1", []string{"9.9.9.9", "1.1.1.1, 10.0.0.3", "10.0.0.2"}, "1.1.1.1"},
		{"forged left part is not looked at", nets, "10.0.0.1", []string{"junk, 1.1.1.1"}, "1.1.1.1"},
		{"invalid hop in the way", nets, "10.0.0.1", []string{"1.1.1.1, junk, 10.0.0.2"}, ""},
		{"invalid hop in a later line", nets, "10.0.0.1", []string{"1.1.1.1", "unknown"}, ""},
		{"hop with port", nets, "10.0.0.1", []string{"1.1.1.1:80"}, ""},
		{"hop in brackets", nets, "10.0.0.1", []string{"[2001:db8::1]"}, ""},
		{"hop with zone", nets, "10.0.0.1", []string{"fe80::1%eth0"}, ""},
		{"hop with leading zero", nets, "10.0.0.1", []string{"1.1.1.01"}, ""},
		{"empty members", nets, "10.0.0.1", []string{" ,1.1.1.1,, ,"}, "1.1.1.1"},
		{"no header from a proxy", nets, "10.0.0.1", nil, ""},
		{"empty header from a proxy", nets, "10.0.0.1", []string{""}, ""},
		{"only proxies", nets, "10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, ""},
		{"unknown peer", nets, "", []string{"1.1.1.1"}, ""},
		{"mapped hop", nets, "10.0.0.1", []string{"::ffff:1.1.1.1"}, "1.1.1.1"},
		{"mapped proxy hop", nets, "10.0.0.1", []string{"1.1.1.1, ::ffff:10.0.0.2"}, "1.1.1.1"},
	} {
		if got, want := c.r.Resolve(addr(t, c.peer), c.xff), addr(t, c.want); got != want {
			t.Errorf("%s: got %v, want %v", c.name, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for entry, reason := range map[string]string{
		"":                   "neither",
		"proxy":              "neither",
		"10.0.0.0/33":        "neither",
		"10.0.0.0/":          "neither",
		"10.0.0.0/-1":        "neither",
		"10.0.0/8":           "neither",
		" 10.0.0.1":          "neither",
		"10.0.0.1:80":        "neither",
		"fe80::1%eth0":       "neither",
		"0.0.0.0/0":          "every address",
		"10.0.0.0/0":         "every address",
		"::/0":               "every address",
		"::ffff:10.0.0.0/96": "IPv4 range written as IPv6",
		"::ffff:0.0.0.0/0":   "IPv4 range written as IPv6",
	} {
		r, err := New([]string{"10.0.0.1", entry})
		if r != nil || err == nil || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("New(%q) = %v, %v", entry, r, err)
		}
	}
}

// hostBits shows that a range may be written by any address in it.
func TestHostBits(t *testing.T) {
	if got := resolver(t, "10.1.2.3/8").Resolve(addr(t, "10.9.9.9"), []string{"1.1.1.1"}); got != addr(t, "1.1.1.1") {
		t.Errorf("got %v", got)
	}
}

type vectors struct {
	Normalize []struct{ Input, Output string } `json:"ip_normalize"`
	Header    []struct {
		Header  string   `json:"header"`
		Proxies []string `json:"trusted_proxies"`
		Output  *string  `json:"output"`
	} `json:"ip_header"`
}

func TestBetterAuthVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil || len(v.Normalize) != 11 || len(v.Header) != 7 {
		t.Fatal(err, len(v.Normalize), len(v.Header))
	}
	for _, c := range v.Normalize {
		want := c.Output
		a, ok := parseHop(c.Input)
		if !ok { // Better Auth hands back what is no address
			if want != c.Input {
				t.Errorf("%s is refused, Better Auth makes it %s", c.Input, want)
			}
			continue
		}
		if c.Input == "::FFFF:c000:0201" {
			// In this spelling Better Auth does not see the mapped address, and counts all
			// such clients as the one client "::".
			want = "192.0.2.1"
		}
		if got := Key(a); got != want {
			t.Errorf("Key(%s) = %q, want %q", c.Input, got, want)
		}
	}
	for _, c := range v.Header {
		want := ""
		if c.Output != nil {
			want = *c.Output
		}
		got := Compat(addr(t, "198.51.100.200"), []string{c.Header})
		if len(c.Proxies) > 0 {
			got = resolver(t, c.Proxies...).Resolve(addr(t, "10.0.0.9"), []string{c.Header})
		}
		if Key(got) != want {
			t.Errorf("%q behind %v: got %q, want %q", c.Header, c.Proxies, Key(got), want)
		}
	}
}

func TestCompat(t *testing.T) {
	for _, c := range []struct {
		xff  []string
		want string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"1.1.1.1"}, "1.1.1.1"},
		{[]string{" 1.1.1.1 ,"}, "1.1.1.1"},
		{[]string{"1.1.1.1", "2.2.2.2"}, ""},
		{[]string{"1.1.1.1, 2.2.2.2"}, ""},
		{[]string{"junk"}, ""},
	} {
		if got := Compat(addr(t, "10.0.0.1"), c.xff); got != addr(t, c.want) {
			t.Errorf("%q: got %v, want %q", c.xff, got, c.want)
		}
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"203.0.113.9":         "203.0.113.9",
		"::ffff:203.0.113.9":  "203.0.113.9",
		"::1":                 "0000:0000:0000:0000:0000:0000:0000:0000",
		"2001:db8:1:2:3::9":   "2001:0db8:0001:0002:0000:0000:0000:0000",
		"2001:db8:1:2:ffff::": "2001:0db8:0001:0002:0000:0000:0000:0000",
		"fe80::1%eth0":        "fe80:0000:0000:0000:0000:0000:0000:0000",
	} {
		if got := Key(addr(t, in)); got != want {
			t.Errorf("Key(%s) = %q, want %q", in, got, want)
		}
	}
}

// A client behind one trusted proxy cannot change what it is taken for, whatever it
// sends: the proxy appends the true address.
func FuzzForgery(f *testing.F) {
	r := resolver(f, "10.0.0.0/8")
	f.Add("1.1.1.1")
	f.Add("10.0.0.1, ")
	f.Fuzz(func(t *testing.T, forged string) {
		want := addr(t, "203.0.113.9")
		for _, xff := range [][]string{{forged + ", 203.0.113.9"}, {forged, "203.0.113.9"}, {forged, "203.0.113.9, 10.0.0.2"}} {
			if got := r.Resolve(addr(t, "10.0.0.1"), xff); got != want {
				t.Fatalf("%q: got %v", xff, got)
			}
		}
		if got := r.Resolve(want, []string{forged}); got != want {
			t.Fatalf("%q: got %v", forged, got)
		}
		Compat(want, []string{forged})
	})
}
