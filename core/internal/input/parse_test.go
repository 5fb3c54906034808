package input

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func jsonSource(body string) Source {
	return Source{Body: []byte(body), HasBody: true, ContentType: "application/json"}
}

func wantError(t *testing.T, name string, err error, status int, code, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || *e != (Error{status, code, message}) {
		t.Errorf("%s: got %v, want %d %s: %s", name, err, status, code, message)
	}
}

func TestMediaType(t *testing.T) {
	const both = "application/x-www-form-urlencoded, application/json"
	for _, c := range []struct {
		header string
		form   bool
		want   string // of the message; "" if taken
	}{
		{"application/json", false, ""},
		{"Application/JSON; charset=utf-8", true, ""},
		{"application/json ;x", false, ""},
		{" application/json ", false, ""},
		{"application/x-www-form-urlencoded", true, ""},
		{"", false, "Content-Type is required. Allowed types: application/json"},
		{" ", false, "Content-Type is required. Allowed types: application/json"},
		{"", true, "Content-Type is required. Allowed types: " + both},
		{"text/plain", false, `Content-Type "text/plain" is not allowed. Allowed types: application/json`},
		{"text/plain", true, `Content-Type "text/plain" is not allowed. Allowed types: ` + both},
		{"Text/Plain; x=y", false, `Content-Type "Text/Plain; x=y" is not allowed. Allowed types: application/json`},
		{"application/x-www-form-urlencoded", false, `Content-Type "application/x-www-form-urlencoded" is not allowed. Allowed types: application/json`},
		{"application/vnd.api+json", false, `Content-Type "application/vnd.api+json" is not allowed. Allowed types: application/json`},
		{"application/jſon", false, `Content-Type "application/jÅ¿on" is not allowed. Allowed types: application/json`},
		{";application/json", false, `Content-Type ";application/json" is not allowed. Allowed types: application/json`},
		{"\xff", false, `Content-Type "ÿ" is not allowed. Allowed types: application/json`},
	} {
		form, err := mediaType(c.header, c.form)
		if c.want != "" {
			wantError(t, c.header, err, 415, "UNSUPPORTED_MEDIA_TYPE", c.want)
		} else if err != nil || form != strings.Contains(c.header, "form") {
			t.Errorf("%q: %v, %v", c.header, form, err)
		}
	}
	for _, src := range []Source{{ContentType: "text/plain"}, {ContentType: "text/plain", HasBody: true, Body: []byte("{"), NoBody: true}} {
		if _, err := Parse(src); err != nil {
			t.Errorf("a body that is not there, or ignored, is looked at: %v", err)
		}
	}
}

func TestJSONRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }
	object := func(n int, last string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":1,`, i)
		}
		return "{" + b.String() + `"` + last + `":1}`
	}
	for _, body := range []string{
		"", " ", "{", "}", "[", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `[1,]`, `[,]`, `[1 2]`, `{"a":1 "b":2}`, `{"a" 1}`,
		"nul", "True", "NaN", "Infinity", "undefined", "01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "0x1", "1_0", "- 1",
		`"`, `"\`, `"\x"`, `"\u"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\x00\"", "\"\x1f\"", `"\'"`, `"\0"`,
		"{} {}", "{}x", "1 1", "null,", "{}\x00", "/**/{}", "{}//", "\u00a0{}", "\uFEFF\uFEFF{}", "\xff", "{\xff}", `[1}`, `{"a":1]`,
	} {
		_, err := Parse(jsonSource(body))
		wantError(t, body, err, 400, "BAD_REQUEST", "Invalid JSON in request body")
	}
	for _, c := range []struct {
		body, message string
	}{
		{`{"a":1,"a":2}`, "Duplicate key in request body"},
		{`{"a":1,"\u0061":2}`, "Duplicate key in request body"},
		{`{"x":[{"a":1,"b":2,"a":3}]}`, "Duplicate key in request body"},
		{`{"":1,"":2}`, "Duplicate key in request body"},
		{object(100, "k3"), "Duplicate key in request body"},
		{object(16, "k15"), "Duplicate key in request body"},
		{object(17, "k16"), "Duplicate key in request body"},
		{"\"\xff\"", "Invalid UTF-8 in request body"},
		{"\"\xc0\x80\"", "Invalid UTF-8 in request body"},
		{"\"\xed\xa0\x80\"", "Invalid UTF-8 in request body"},
		{"\"\xff\\n\"", "Invalid UTF-8 in request body"},
		{"\"\\n\xff\"", "Invalid UTF-8 in request body"},
		{"{\"\xff\":1}", "Invalid UTF-8 in request body"},
		{`"\ud800"`, "Unpaired surrogate in request body"},
		{`"\udc00"`, "Unpaired surrogate in request body"},
		{`"\ud800\ud800"`, "Unpaired surrogate in request body"},
		{`"\ud800x"`, "Unpaired surrogate in request body"},
		{`{"\ud800":1}`, "Unpaired surrogate in request body"},
		{`"\u0000"`, "Null character in request body"},
		{`{"a\u0000":1}`, "Null character in request body"},
		{"1e999", "Number out of range in request body"},
		{`{"x":[-1e309]}`, "Number out of range in request body"},
		{strings.Repeat("9", 400), "Number out of range in request body"},
	} {
		_, err := Parse(jsonSource(c.body))
		wantError(t, c.body, err, 400, "BAD_REQUEST", c.message)
	}
	_, err := Parse(jsonSource(deep(MaxDepth + 1)))
	wantError(t, "deep", err, 413, "JSON_TOO_DEEP", "Request body is nested too deeply")
	_, err = Parse(jsonSource(strings.Repeat(`{"a":`, 100_000)))
	wantError(t, "deeper", err, 413, "JSON_TOO_DEEP", "Request body is nested too deeply")
	for _, body := range []string{list(MaxMembers + 1), object(MaxMembers, "x"), "[" + list(1200) + "," + list(800) + "]"} {
		_, err = Parse(jsonSource(body))
		wantError(t, "members", err, 413, "PAYLOAD_TOO_LARGE", "Request body has too many members")
	}
	_, err = Parse(jsonSource(strings.Repeat(" ", maxBody+1)))
	wantError(t, "huge", err, 413, "PAYLOAD_TOO_LARGE", "Request body is too large")
	for _, body := range []string{
		deep(MaxDepth), list(MaxMembers), object(MaxMembers-1, "x"), "\uFEFF{}", " \t\r\n{ } ", `{"a":1,"A":2}`, `"\ud83d\ude00"`, `"\"\\\/\b\f\n\r\t"`,
		"-0", "1E+2", "1e308", "0.1e-400", "\"\u007f\u2028\"", `[{"a":1},{"a":2}]`, `{"a":{"a":{"a":1}}}`,
	} {
		if _, err := Parse(jsonSource(body)); err != nil {
			t.Errorf("%.40s: %v", body, err)
		}
	}
}

func TestForm(t *testing.T) {
	d := compile(t, signIn{})
	src := Source{HasBody: true, Form: true, ContentType: "application/x-www-form-urlencoded"}
	for body, want := range map[string]signIn{
		"email=a%40b.co&password=p+w%2B%26": {Email: "a@b.co", Password: "p w+&", RememberMe: true},
		"&&password=%zz&email&":             {Email: "", Password: "%zz", RememberMe: true},
		"email=a=b&password=%E2%82%AC":      {Email: "a=b", Password: "€", RememberMe: true},
	} {
		var in signIn
		src.Body = []byte(body)
		if err := d.Decode(&in, src); err != nil || in != want {
			t.Errorf("%s: %+v, %v", body, in, err)
		}
	}
	for body, message := range map[string]string{
		"email=a&email=b": "Duplicate key in request body",
		"email=%ff":       "Invalid UTF-8 in request body",
		"%ff=1":           "Invalid UTF-8 in request body",
		"email=%00":       "Null character in request body",
		"a%00=1":          "Null character in request body",
	} {
		src.Body = []byte(body)
		_, err := Parse(src)
		wantError(t, body, err, 400, "BAD_REQUEST", message)
	}
	src.Body = []byte(strings.Repeat("&", 5000))
	if _, err := Parse(src); err != nil {
		t.Error(err)
	}
	src.Body = []byte("email=a&password=b&rememberMe=true")
	wantError(t, "form strings", d.Decode(&signIn{}, src), 400, "VALIDATION_ERROR", "[body.rememberMe] Invalid input: expected boolean, received string")
	var b strings.Builder
	for i := range MaxMembers + 1 {
		fmt.Fprintf(&b, "k%d&", i)
	}
	src.Body = []byte(b.String())
	_, err := Parse(src)
	wantError(t, "many", err, 413, "PAYLOAD_TOO_LARGE", "Request body has too many members")
}

func TestQuery(t *testing.T) {
	var b strings.Builder
	for i := range MaxMembers {
		fmt.Fprintf(&b, "k%d=%d&", i%100, i)
	}
	v, err := Parse(Source{Query: b.String()})
	if err != nil {
		t.Fatal(err)
	}
	if i := v.query.member(0, "k7"); v.query.count(i) != MaxMembers/100 || !strings.HasPrefix(v.query.jsString(i), "7,107,207,307,407,507,607,707,807,907,1007") {
		t.Errorf("got %q", v.query.jsString(i))
	}
	_, err = Parse(Source{Query: b.String() + "x"})
	wantError(t, "many", err, 413, "PAYLOAD_TOO_LARGE", "Query has too many parameters")

	d := compile(t, queryRules{})
	for _, q := range []string{"token=%00", "token=a%ff", "token=a&list=b&list=%ff", "token=a&callbackURL=%ed%a0%80"} {
		wantError(t, q, d.Decode(&queryRules{}, Source{Query: q}), 400, "BAD_REQUEST", "Invalid character in query")
	}
	var in queryRules
	if err := d.Decode(&in, Source{Query: "token=a&utm=%ff&x=%00&%ff=1"}); err != nil || in.Token != "a" {
		t.Errorf("a foreign parameter: %+v, %v", in, err)
	}
}

func TestPeek(t *testing.T) {
	v, err := Parse(Source{
		Body: []byte(`{"s":"x","e":"","n":null,"f":false,"z":0,"zz":-0.0,"t":true,"o":1,"a":[],"m":{}}`), HasBody: true, ContentType: "application/json",
		Query: "s=x&r=1&r=2&e=&callbackURL=%2Fa%3Fb",
	})
	if err != nil {
		t.Fatal(err)
	}
	type peek struct {
		value             string
		isString, present bool
	}
	check := func(name string, want peek, get func(string) (string, bool, bool)) {
		t.Helper()
		var got peek
		if got.value, got.isString, got.present = get(name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for name, want := range map[string]peek{
		"s": {"x", true, true}, "e": {"", true, true}, "missing": {}, "S": {}, "n": {}, "f": {}, "z": {}, "zz": {},
		"t": {present: true}, "o": {present: true}, "a": {present: true}, "m": {present: true},
	} {
		check(name, want, v.BodyString)
	}
	for name, want := range map[string]peek{"s": {"x", true, true}, "r": {present: true}, "e": {"", true, true}, "callbackURL": {"/a?b", true, true}, "x": {}} {
		check(name, want, v.QueryString)
	}
	for _, body := range []string{`"s"`, `["s"]`, "null", "1"} {
		if v, err = Parse(jsonSource(body)); err != nil {
			t.Fatal(err)
		}
		check("s", peek{}, v.BodyString)
	}
	if v, err = Parse(Source{}); err != nil {
		t.Fatal(err)
	}
	check("s", peek{}, v.BodyString)
	check("s", peek{}, v.QueryString)
}
