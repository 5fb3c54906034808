package magiclink

import (
	"encoding/json"
	"os"
	"testing"
)

// vector is a row of Better Auth's own.
type vector struct {
	What, Token string
	Row         struct{ Identifier, Value string }
}

func TestRows(t *testing.T) {
	raw, err := os.ReadFile("testdata/magic_link_row.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil || len(vectors) != 3 {
		t.Fatalf("%d vectors: %v", len(vectors), err)
	}
	for i, v := range vectors {
		p := New(Options{StoreToken: []string{"plain", "plain", "hashed"}[i]})
		if got, err := p.identifier(v.Token); err != nil || got != v.Row.Identifier {
			t.Errorf("%s: identifier %q, want %q: %v", v.What, got, v.Row.Identifier, err)
		}
		r, ok := parseRecord(v.Row.Value)
		if !ok {
			t.Errorf("%s: the value is refused", v.What)
		}
		if got, err := r.encode(); err != nil || got != v.Row.Value {
			t.Errorf("%s: value %q, want %q: %v", v.What, got, v.Row.Value, err)
		}
	}
}

func TestParseRecord(t *testing.T) {
	for value, want := range map[string]bool{
		`{"type":"magic-link","email":"a@b.co"}`:                       true,
		`{"email":"a@b.co","name":"","type":"magic-link"}`:             true,
		`{"type":"magic-link","email":"a@b.co","attempt":0}`:           false,
		`{"type":"magic-link","Email":"a@b.co"}`:                       false,
		`{"type":"magic-link","email":"a@b.co","name":null}`:           false,
		`{"type":"magic-link","email":"a@b.co","name":{}}`:             false,
		`{"type":"magic-link","email":"nobody"}`:                       false,
		`{"type":"magic-link","email":["a@b.co"]}`:                     false,
		`{"type":"registration","email":"a@b.co"}`:                     false,
		`{"email":"a@b.co"}`:                                           false,
		`{"type":"magic-link"}`:                                        false,
		`{"type":"magic-link","email":"a@b.co"} {"type":"magic-link"}`: false,
		`"magic-link"`:                     false,
		`null`:                             false,
		`kTn3ZQ2h1m4vYb7cXw9sLp6dFg8jHr5e`: false, // a user's id, as in rows of other flows
		``:                                 false,
	} {
		if _, ok := parseRecord(value); ok != want {
			t.Errorf("parseRecord(%s) = %v, want %v", value, ok, want)
		}
	}
}

func TestTexts(t *testing.T) {
	got, err := texts(map[string]any{"a": "x", "b": map[string]any{"c": 1.5}, "d": nil})
	if err != nil || len(got) != 3 || got["a"] != "x" || got["b"] != `{"c":1.5}` || got["d"] != "null" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := texts(map[string]any{"a": string(make([]byte, maxMetadata-1))}); err != nil {
		t.Errorf("%d bytes are refused: %v", maxMetadata, err)
	}
	if _, err := texts(map[string]any{"a": string(make([]byte, maxMetadata))}); err != ErrMetadataTooLarge {
		t.Errorf("one byte more: %v", err)
	}
}

func TestLifeText(t *testing.T) {
	for seconds, want := range map[int]string{45: "45 seconds", 60: "1 minute", 300: "5 minutes", 3600: "1 hour", 7200: "2 hours", 5400: "90 minutes"} {
		if got := New(Options{ExpiresIn: seconds}).lifeText(); got != want {
			t.Errorf("%d s: %q, want %q", seconds, got, want)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(`{"type":"magic-link","email":"a@b.co","name":"x"}`)
	f.Add(`{"type":"magic-link","email":"a@b.co","type":"other"}`)
	f.Add(`[{}]`)
	f.Fuzz(func(t *testing.T, value string) {
		r, ok := parseRecord(value)
		if !ok {
			return
		}
		again, err := r.encode()
		if err != nil {
			t.Fatalf("%q is read and cannot be written: %v", value, err)
		}
		if s, ok := parseRecord(again); !ok || s.Email != r.Email || (s.Name == nil) != (r.Name == nil) {
			t.Fatalf("%q becomes %q", value, again)
		}
	})
}
