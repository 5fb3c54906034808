package core

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/schema"
)

// FuzzMembers: whatever valid JSON a session is read from, it says what encoding/json reads
// there, or that it is none.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `null`, `{"id":1}`, `{"id":"a","id":"b"}`, `{"id":"a\u0041\n","token":"t","userId":"u","expiresAt":"2026-01-02T03:04:05.678Z"}`,
		`{"expiresAt":"2026-13-01T00:00:00.000Z"}`, `{"expiresAt":"2026-01-01T00:00:00.Z"}`, `{"ipAddress":null,"userAgent":"a"}`, `{"tier":"gold","n":{"id":"x","a":[1,"}"]}}`, `{"": ""}`, `{"__proto__":{"id":"x"}}`} {
		f.Add(s)
	}
	m := newModel(&schema.Table{Name: "session", Columns: []schema.Column{{Name: "tier", Nullable: true}}}, 0, map[string]*field{})
	f.Fuzz(func(t *testing.T, text string) {
		var raw bytes.Buffer
		if json.Compact(&raw, []byte(text)) != nil {
			return
		}
		s := &Session{model: m}
		if s.fromJSON(raw.Bytes()) != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(raw.Bytes(), &want); err != nil {
			t.Fatalf("%s is no object", raw.Bytes())
		}
		if strings.Contains(raw.String(), `\`) {
			return // names with escapes are others
		}
		for name, got := range map[string]string{"id": s.ID, "token": s.Token, "userId": s.UserID} {
			if w, _ := want[name].(string); got != w {
				t.Errorf("%s: %q, want %q", name, got, w)
			}
		}
		if got, _ := s.Extra["tier"].(string); got != "" && got != want["tier"] {
			t.Errorf("tier: %q, want %v", got, want["tier"])
		}
	})
}
