package schema

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxName is how many bytes PostgreSQL keeps of a name.
const MaxName = 63

// SchemaName returns the PostgreSQL schema of the tables.
func (n Names) SchemaName() string {
	if n.Schema == "" {
		return "public"
	}
	return n.Schema
}

// IndexName names an index by Better Auth's rule, from names of the database:
// <table>_<columns>_idx, or _uidx for a unique one. A name beyond 63 bytes is cut and
// carries a 32-bit FNV-1a hash of the whole, so that both programs find the same index.
func IndexName(table string, columns []string, unique bool) string {
	kind := "idx"
	if unique {
		kind = "uidx"
	}
	base := table + "_" + strings.Join(columns, "_")
	name := base + "_" + kind
	if len(name) <= MaxName {
		return name
	}
	hash := uint32(2166136261)
	for _, u := range utf16.Encode([]rune(name)) { // over UTF-16 units, as JavaScript sees text
		hash = (hash ^ uint32(u)) * 16777619
	}
	suffix := fmt.Sprintf("_%08x_%s", hash, kind)
	return cut(base, MaxName-len(suffix)) + suffix
}

// ConstraintName names an inline constraint as PostgreSQL does by itself:
// <table>_<column>_<label>, with the longer of the two shortened until it fits. An
// empty column is left out, as in <table>_pkey.
func ConstraintName(table, column, label string) string {
	over := len(label) + 1
	if column != "" {
		over++
	}
	a, b := len(table), len(column)
	for a+b+over > MaxName {
		if a > b {
			a--
		} else {
			b--
		}
	}
	name := cut(table, a)
	if column != "" {
		name += "_" + cut(column, b)
	}
	return name + "_" + label
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
