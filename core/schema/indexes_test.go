package schema

import (
	"strings"
	"testing"
)

// The names are what better-auth 1.7.25 makes of the same tables and columns.
func TestIndexName(t *testing.T) {
	for _, c := range []struct {
		table   string
		columns []string
		unique  bool
		want    string
	}{
		{"user", []string{"email"}, true, "user_email_uidx"},
		{"session", []string{"userId"}, false, "session_userId_idx"},
		{"vaultItem", []string{"aColumnWhoseNameIsSoLongThatNoIndexOnItCanKeepAllOfIt"}, false,
			"vaultItem_aColumnWhoseNameIsSoLongThatNoIndexOnItC_4f6a1a87_idx"},
		{"t", []string{strings.Repeat("ä", 31)}, true, "t_" + strings.Repeat("ä", 23) + "_1aad586f_uidx"},
		{strings.Repeat("😀", 10), []string{strings.Repeat("b", 30), "c"}, false, strings.Repeat("😀", 10) + "_bbbbbbbbb_71d42cec_idx"},
		{strings.Repeat("a", 30), []string{strings.Repeat("b", 27)}, true, strings.Repeat("a", 30) + "_" + strings.Repeat("b", 27) + "_uidx"},
		{strings.Repeat("a", 30), []string{strings.Repeat("b", 28)}, true, strings.Repeat("a", 30) + "_" + strings.Repeat("b", 18) + "_816eb703_uidx"},
	} {
		got := IndexName(c.table, c.columns, c.unique)
		if got != c.want || len(got) > MaxName {
			t.Errorf("IndexName(%q, %q, %v) = %q, want %q", c.table, c.columns, c.unique, got, c.want)
		}
	}
}

// The names are what PostgreSQL 15 gives to constraints without a name.
func TestConstraintName(t *testing.T) {
	long := strings.Repeat("a", 58)
	for _, c := range []struct{ table, column, label, want string }{
		{"user", "email", "key", "user_email_key"},
		{"user", "", "pkey", "user_pkey"},
		{"user", "o", "fkey", "user_o_fkey"},
		{long, "", "pkey", long + "_pkey"},
		{long, strings.Repeat("b", 50), "key", strings.Repeat("a", 29) + "_" + strings.Repeat("b", 29) + "_key"},
		{long, "c", "key", long[:57] + "_c_key"},
		{long, strings.Repeat("ä", 31), "key", strings.Repeat("a", 29) + "_" + strings.Repeat("ä", 14) + "_key"},
	} {
		if got := ConstraintName(c.table, c.column, c.label); got != c.want {
			t.Errorf("ConstraintName(%q, %q, %q) = %q, want %q", c.table, c.column, c.label, got, c.want)
		}
	}
}
