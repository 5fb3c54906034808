package cookie

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Members calls fn for each member of a JSON object that is known to be valid and without
// white space, as the Decode functions and json.Compact give it; it panics on others. name
// is without quotes, its escapes stand. It reports whether v is an object.
func Members(v []byte, fn func(name, value []byte)) bool { return members(v, fn) }

// Text returns what a JSON string says; false if v is none.
func Text(v []byte) (string, bool) { return text(v) }

// members calls fn for each member of a canonical JSON object (one that rewrite gave),
// name without quotes and escapes as they stand. It reports whether v is an object.
func members(v []byte, fn func(name, value []byte)) bool {
	if len(v) < 2 || v[0] != '{' {
		return false
	}
	for pos := 1; v[pos] != '}'; {
		if v[pos] == ',' {
			pos++
		}
		end := skip(v, pos)
		name := v[pos+1 : end-1]
		pos = end + 1
		end = skip(v, pos)
		fn(name, v[pos:end])
		pos = end
	}
	return true
}

// skip returns where the canonical value that starts at pos ends.
func skip(v []byte, pos int) int {
	depth := 0
	for pos < len(v) {
		switch v[pos] {
		case '"':
			for pos++; v[pos] != '"'; pos++ {
				if v[pos] == '\\' {
					pos++
				}
			}
			pos++
			if depth == 0 {
				return pos
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return pos
			}
			if depth == 0 {
				return pos + 1
			}
		case ',':
			if depth == 0 {
				return pos
			}
		}
		pos++
	}
	return pos
}

func isString(v []byte) bool { return len(v) > 0 && v[0] == '"' }

func isNull(v []byte) bool { return string(v) == "null" }

func isBool(v []byte) bool { return string(v) == "true" || string(v) == "false" }

// text returns the content of a canonical JSON string.
func text(v []byte) (string, bool) {
	if !isString(v) {
		return "", false
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1]), true
	}
	var s string
	return s, json.Unmarshal(v, &s) == nil
}

// integer returns a canonical JSON number that is an integer of at most 53 bits, as all
// times are.
func integer(v []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil && n < 1<<53 && n > -1<<53
}
