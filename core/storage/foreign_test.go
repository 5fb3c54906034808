package storage

import (
	"slices"
	"testing"
)

func TestDetailColumns(t *testing.T) {
	for _, c := range []struct {
		detail string
		want   []string
	}{
		{`Key (email)=(a@example.com) already exists.`, []string{"email"}},
		{`Schlüssel »("orgId", user_id)=(1, 2)« existiert bereits.`, []string{"orgId", "user_id"}},
		{`Key (a)=(x)=(y) already exists.`, []string{"a"}},
		{`Key ("a""b, c")=(x)`, []string{`a"b, c`}},
		{`Key ("a)=(b", c)=(x, y)`, nil}, // a name that looks like the end: not told, rather than told wrong
		{`Key (lower(email))=(a) already exists.`, nil},
		{`Key (a, )=(x)`, nil},
		{`Key (a,b)=(x)`, nil},
		{`Key ()=(x)`, nil},
		{`Key ("a)=(x)`, nil},
		{`)=(`, nil},
		{``, nil},
	} {
		if got := detailColumns(c.detail); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.detail, got, c.want)
		}
	}
}

// Names come from before the first ")=(": never a value.
func FuzzDetailColumns(f *testing.F) {
	f.Add("email", "a@example.com")
	f.Add(`"a""b", c`, `x)=(y`)
	f.Fuzz(func(t *testing.T, columns, values string) {
		with := detailColumns("Key (" + columns + ")=(" + values + ") already exists.")
		without := detailColumns("Key (" + columns + ")=(")
		if !slices.Equal(with, without) {
			t.Fatalf("columns %q depend on the values %q: %q, %q", columns, values, with, without)
		}
	})
}
