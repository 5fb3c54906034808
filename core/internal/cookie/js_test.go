package cookie

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

func TestJavaScriptForms(t *testing.T) {
	b, err := os.ReadFile("testdata/javascript.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases []struct{ Text, Plain, Dates string }
	}
	if err := json.Unmarshal(b, &f); err != nil || len(f.Cases) < 300 {
		t.Fatal(len(f.Cases), err)
	}
	for _, c := range f.Cases {
		if got, err := rewrite([]byte(c.Text), false); err != nil || string(got) != c.Plain {
			t.Errorf("%s: %s, %v; want %s", c.Text, got, err, c.Plain)
		}
		got, err := rewrite([]byte(c.Text), true)
		if err != nil || string(got) != c.Dates {
			t.Errorf("%s with dates: %s, %v; want %s", c.Text, got, err, c.Dates)
		}
		if again, err := rewrite(got, true); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: not stable: %s", got, again)
		}
	}
}

func TestRewriteRefuses(t *testing.T) {
	for _, s := range []string{
		"", " ", "{", "[", "[1,]", "{,}", `{"a":1,}`, `{"a" 1}`, `{a:1}`, `"a`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\x01\"", "\"\n\"",
		"\"\xff\"", "\"\xed\xa0\x80\"", "01", "-", "1.", ".5", "1e", "+1", "1e400", "NaN", "tru", "nulll", "1 2", "[1}",
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"__proto__":1}`, `[{"x":{"__proto__":1}}]`,
		`{"k":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + "}",
		strings.Repeat("[", 100000), "\ufeff{}",
	} {
		if got, err := rewrite([]byte(s), false); err == nil || got != nil {
			t.Errorf("%.40q: %.40q, %v", s, got, err)
		}
	}
	if got, err := rewrite([]byte(`"9999-12-31T24:00:00Z"`), true); err == nil {
		t.Errorf("year 10000: %s", got)
	}
}

func TestMarshalJS(t *testing.T) {
	got, err := MarshalJS(struct {
		S string            `json:"s"`
		N float64           `json:"n"`
		I int64             `json:"i"`
		M map[string]string `json:"m"`
		R json.RawMessage   `json:"r"`
		D string            `json:"d"`
	}{"<>&\u2028\u2029\b\f\x01\x7f\xff", 1e21, 1795426634277, map[string]string{"b": "", "10": "", "9": ""}, json.RawMessage(` { "z" : "\ud800" } `), "2026-01-01T00:00:00Z"})
	want := "{\"s\":\"<>&\u2028\u2029\\b\\f\\u0001\x7f\ufffd\",\"n\":1e+21,\"i\":1795426634277,\"m\":{\"9\":\"\",\"10\":\"\",\"b\":\"\"},\"r\":{\"z\":\"\\ud800\"},\"d\":\"2026-01-01T00:00:00Z\"}"
	if err != nil || string(got) != want {
		t.Errorf("%s %v\nwant %s", got, err, want)
	}
	if _, err := MarshalJS(math.Inf(1)); err == nil {
		t.Error("infinity was written")
	}
}
