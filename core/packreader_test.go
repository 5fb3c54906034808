package core

import (
	"testing"
	"time"
)

// What is no array of values is an error, never a session.
func FuzzPackReader(f *testing.F) {
	for _, s := range []string{`["a", "b"]`, `["a\"", null]`, `[null, null]`, `["a"`, `["a" "b"]`, `[`, ``, `["`, `["\`, `[,]`, `["a","b"] x`, `["a", "b", "c"]`, `[1, true]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := packReader{rest: s}
		r.begin()
		r.next()
		r.next()
		if r.err == nil && r.rest == "" && (s[0] != '[' || s[len(s)-1] != ']') {
			t.Errorf("%q was read", s)
		}
	})
}

func TestJSONTime(t *testing.T) {
	for s, want := range map[string]time.Time{
		"2026-03-04T05:06:07+00:00":        time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		"2026-03-04T05:06:07.8+00:00":      time.Date(2026, 3, 4, 5, 6, 7, 800_000_000, time.UTC),
		"2026-03-04T05:06:07.123456+00:00": time.Date(2026, 3, 4, 5, 6, 7, 123_456_000, time.UTC),
		"2026-03-04T05:06:07.123+05:30":    {}, "2026-03-04T05:06:07.123": {}, "2026-03-04 05:06:07+00:00": {}, "infinity": {}, "": {}, "+00:00": {},
		"2026-03-04T05:06:07.x+00:00": {}, "20260304T05:06:07.123456+00:00": {}, "2026-03-04T05:06:0x+00:00": {},
	} {
		if got, ok := jsonTime(s); ok == want.IsZero() || !got.Equal(want) {
			t.Errorf("%s: %v, %v", s, got, ok)
		}
	}
}
