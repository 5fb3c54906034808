package server

import (
	"maps"
	"slices"
	"strings"
)

// suggest finds the name that a mistyped one is nearest to, or "".
func suggest[T any](name string, have map[string]T) string {
	best, at := "", max(1, len(name)/3)+1
	for _, s := range slices.Sorted(maps.Keys(have)) {
		if d := distance(strings.ToLower(name), strings.ToLower(s)); d < at {
			best, at = s, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := i
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost++
			}
			left = row[j+1]
			row[j+1] = min(cost, row[j]+1, left+1)
		}
	}
	return row[len(b)]
}
