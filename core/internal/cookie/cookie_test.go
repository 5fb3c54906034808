package cookie

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

const sessionName = "better-auth.session_token"

func TestSignedCases(t *testing.T) {
	v := load(t)
	keys := [][]byte{[]byte(v.Secret)}
	if len(v.Cases) != 15 {
		t.Fatalf("%d cases", len(v.Cases))
	}
	for _, c := range v.Cases {
		raw, found := Lookup(c.Cookie, sessionName)
		plain, key, ok := Verify(keys, raw)
		if (found && ok) != c.Valid {
			t.Errorf("%s: %v, want %v", c.What, ok, c.Valid)
		}
		if c.Valid && plain != v.Signed[0].Token {
			t.Errorf("%s: plain %q", c.What, plain)
		}
		if !ok && (plain != "" || key != -1) {
			t.Errorf("%s: %q and key %d beside a refusal", c.What, plain, key)
		}
	}
	for _, b := range v.Bearer {
		_, value, ok := strings.Cut(b.Authorization, "Bearer ")
		if ok && strings.Contains(value, ".") {
			if _, _, ok := Verify(keys, value); ok != b.Valid {
				t.Errorf("bearer %s: %v", b.What, ok)
			}
		}
		if b.Value != "" && Decode(b.Value) != b.Token {
			t.Errorf("Decode(%s) = %s", b.Value, Decode(b.Value))
		}
	}
}

func TestVerifyRotation(t *testing.T) {
	v := load(t)
	old, r := []byte(v.Secret), v.Rotation[0]
	keys := [][]byte{[]byte(r.Secret), old}
	if plain, key, ok := Verify(keys, r.Value); !ok || key != 0 || plain != r.Token {
		t.Errorf("current: %q %d %v", plain, key, ok)
	}
	if plain, key, ok := Verify(keys, v.Signed[0].Value); !ok || key != 1 || plain != v.Signed[0].Token {
		t.Errorf("older: %q %d %v", plain, key, ok)
	}
	if _, _, ok := Verify(keys[:1], v.Signed[0].Value); ok {
		t.Error("a key that is not listed verifies")
	}
}

func TestVerifyRefuses(t *testing.T) {
	key := []byte("k")
	good := Sign(key, "abc")
	unused := []byte(Decode(good)) // same bytes, another unused bit
	unused[len(unused)-2]++
	for name, raw := range map[string]string{
		"empty":               "",
		"dot first":           Sign(key, ""),
		"no dot":              "abc",
		"too long":            Sign(key, strings.Repeat("a", maxSigned)),
		"malformed escape":    good + "%",
		"unused bits changed": string(unused),
		"one quote":           `"` + good,
		"newline in it":       Decode(good)[:10] + "\n" + Decode(good)[10:],
	} {
		if _, _, ok := Verify([][]byte{key}, raw); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, keys := range map[string][][]byte{"none": nil, "nil key": {nil}, "empty key": {{}}, "other": {[]byte("l")}} {
		var sig [sigLen]byte
		NewSigner([][]byte{nil}).keys[0].signature(&sig, "abc") // what anybody can make
		for _, raw := range []string{good, "abc." + string(sig[:])} {
			if _, _, ok := Verify(keys, raw); ok {
				t.Errorf("keys %s: accepted %s", name, raw)
			}
		}
	}
	if plain, _, ok := Verify([][]byte{key}, Sign(key, "a.b%;\" é!")); !ok || plain != "a.b%;\" é!" {
		t.Errorf("a plain text of any kind: %q %v", plain, ok)
	}
	defer func() {
		if recover() == nil {
			t.Error("Sign with an empty key returned")
		}
	}()
	Sign(nil, "abc")
}

func TestEncodeDecode(t *testing.T) {
	if got := Encode("AZaz09-_.!~*'() é+/=;\""); got != "AZaz09-_.!~*'()%20%C3%A9%2B%2F%3D%3B%22" {
		t.Error(got)
	}
	for in, want := range map[string]string{
		"a%2Bb": "a+b", "a%2bb": "a+b", "a%252B": "a%2B", `"a%20b"`: "a b", "a+b": "a+b",
		"%": "%", "%4": "%4", "%zz": "%zz", "%ff": "%ff", "%C3%A9": "é", `"`: `"`, `""`: "", "%22a%22": `"a"`,
	} {
		if got := Decode(in); got != want {
			t.Errorf("Decode(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		header, name, want string
		ok                 bool
	}{
		{"a=1; b=2", "b", "2", true},
		{"a=1;b=2", "b", "2", true},
		{"a=1; a=2", "a", "1", true},
		{" a\t=  1\t ", "a", "1", true},
		{"a=", "a", "", true},
		{"a", "a", "", false},
		{"a; b=2", "b", "2", true},
		{"a=b=c", "a", "b=c", true},
		{"A=1", "a", "", false},
		{"xa=1", "a", "", false},
		{`a="x%20y"`, "a", `"x%20y"`, true},
		{"", "a", "", false},
		{";;;=;", "a", "", false},
	} {
		if got, ok := Lookup(c.header, c.name); got != c.want || ok != c.ok {
			t.Errorf("Lookup(%q, %q) = %q, %v", c.header, c.name, got, ok)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Lookup("x=1; yy=2; a=3", "a") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEach(t *testing.T) {
	var got []string
	Each("a=1; b = \"x y\" ;c; =d; e f=1; g=\x01; h=\xe9; i=a\\b; j=a\"b; a=2; k=%zz; l=", func(n, v string) { got = append(got, n+":"+v) })
	if want := []string{"a:1", "b:x y", "a:2", "k:%zz", "l:"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestCookieString(t *testing.T) {
	age := func(n int) *int { return &n }
	for _, c := range []struct {
		c    Cookie
		want string
	}{
		{Cookie{Name: "a"}, "a="},
		{Cookie{Name: "a", Value: "b", MaxAge: age(MaxMaxAge + 1)}, "a=b; Max-Age=34560000"},
		{Cookie{Name: "a", MaxAge: age(-5)}, "a=; Max-Age=0"},
		{Cookie{Name: "a", SameSite: "none"}, "a=; Secure; SameSite=None"},
		{Cookie{Name: "a", Partitioned: true}, "a=; Secure; Partitioned"},
		{Cookie{Name: "__Secure-a"}, "__Secure-a=; Secure"},
		{Cookie{Name: "__host-a", Domain: "x.y", Path: "/z"}, "__host-a=; Path=/; Secure"},
		{Cookie{Name: "a b"}, ""},
		{Cookie{Name: ""}, ""},
		{Cookie{Name: "a", Value: "b; Domain=evil"}, ""},
		{Cookie{Name: "a", Value: "b\r\nX: y"}, ""},
		{Cookie{Name: "a", Path: "/;x"}, ""},
		{Cookie{Name: "a", Domain: "x\n"}, ""},
		{Cookie{Name: "a", SameSite: "Lax; x"}, ""},
	} {
		if got := c.c.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.c, got, c.want)
		}
	}
}

func TestChunksOfVectors(t *testing.T) {
	v := load(t).Chunked[0]
	var whole strings.Builder
	for i := range v.Cookies {
		whole.WriteString(v.Values["better-auth.session_data."+strconv.Itoa(i)])
	}
	attrs := parseLine(t, "x=; "+v.Cookies[0].Attributes)
	got := Split("better-auth.session_data", whole.String(), attrs)
	if len(got) != len(v.Cookies) || len(got) < 2 {
		t.Fatalf("%d chunks, want %d", len(got), len(v.Cookies))
	}
	var header []string
	for i, c := range v.Cookies {
		if got[i].Name != c.Name || got[i].Value != v.Values[c.Name] || len(got[i].Value) != c.Length || len(got[i].String()) != c.LineLength {
			t.Errorf("chunk %d: %s of %d, line %d", i, got[i].Name, len(got[i].Value), len(got[i].String()))
		}
		header = append([]string{c.Name + "=" + v.Values[c.Name]}, header...) // in reverse
	}
	if joined, ok := Join(strings.Join(header, "; "), "better-auth.session_data"); !ok || joined != whole.String() {
		t.Errorf("joined %d bytes, %v", len(joined), ok)
	}
}

func TestSplitLimits(t *testing.T) {
	attrs := Cookie{Path: "/"}
	limit := maxLine - len("n.99=; Path=/")
	for _, c := range []struct{ size, want int }{
		{0, 1}, {limit, 1}, {limit + 1, 2}, {2 * limit, 2}, {MaxChunks * limit, MaxChunks}, {MaxChunks*limit + 1, 0},
	} {
		got := Split("n", strings.Repeat("v", c.size), attrs)
		if len(got) != c.want || (c.want == 0) != (got == nil) {
			t.Errorf("%d bytes: %d cookies, want %d", c.size, len(got), c.want)
		}
		if c.want == 1 && got[0].Name != "n" || c.want > 1 && got[c.want-1].Name != "n."+strconv.Itoa(c.want-1) {
			t.Errorf("%d bytes: names %q", c.size, got[len(got)-1].Name)
		}
	}
	if Split("n", "v", Cookie{Path: "/" + strings.Repeat("p", maxLine)}) != nil {
		t.Error("attributes without room for a value")
	}
}

func TestJoin(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("n." + strconv.Itoa(i) + "=x;")
		}
		return b.String()
	}
	for _, c := range []struct {
		header, want string
		ok           bool
	}{
		{"n=a; n.0=b", "a", true},
		{"n=; n.0=b; n.1=c", "bc", true},
		{`n=""; n.0=b`, "b", true},
		{"n.10=c; n.2=b; n.0=a", "abc", true},
		{"n.0=a; n.0=b", "b", true},
		{`n.0="a"; n.1=b`, "ab", true},
		{"n.00=a", "", false},
		{"n.01=a; n.1=b", "b", true},
		{"n.-1=a", "", false},
		{"n.+1=a", "", false},
		{"n.1e0=a", "", false},
		{"n.=a", "", false},
		{"n.9007199254740993=a", "", false},
		{"m.0=a", "", false},
		{"n.0=%4; n.1=1", "", false},
		{"n.0=", "", false},
		{"", "", false},
		{many(MaxChunks), strings.Repeat("x", MaxChunks), true},
		{many(MaxChunks + 1), "", false},
		{"n=" + strings.Repeat("v", maxValue+1), strings.Repeat("v", maxValue+1), false},
	} {
		if got, ok := Join(c.header, "n"); ok != c.ok || (ok && got != c.want) {
			t.Errorf("Join(%.60q) = %.60q, %v", c.header, got, ok)
		}
	}
}
