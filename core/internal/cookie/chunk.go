package cookie

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// maxLine is the longest serialised cookie in bytes: a little under the lowest
	// browser limit, Safari's 4093.
	maxLine = 4050
	// MaxChunks is how many cookies one value may be spread over.
	MaxChunks = 100
	// maxValue bounds what a chunked value can be, in bytes, before it is parsed.
	maxValue = MaxChunks * maxLine
)

// Split spreads an encoded value over as many cookies as it needs: one with the plain
// name if it fits, else name.0, name.1 and so on, with attrs' attributes. It returns nil
// if more than MaxChunks would be needed or the attributes leave no room: nothing is
// set then. The caller deletes what it no longer writes: writing chunks retires the
// plain name, writing the plain name retires all chunks.
func Split(name, value string, attrs Cookie) []Cookie {
	attrs.Name, attrs.Value = name+".99", ""
	line := attrs.String()
	if line == "" || len(line) >= maxLine {
		return nil
	}
	limit := maxLine - len(line)
	if len(value) <= limit {
		attrs.Name, attrs.Value = name, value
		return []Cookie{attrs}
	}
	n := (len(value) + limit - 1) / limit
	if n > MaxChunks {
		return nil
	}
	out := make([]Cookie, n)
	for i := range out {
		out[i] = attrs
		out[i].Name = name + "." + strconv.Itoa(i)
		out[i].Value = value[i*limit : min((i+1)*limit, len(value))]
	}
	return out
}

// ChunkIndex returns n if the cookie name is "<base>.<n>", n in canonical decimal.
func ChunkIndex(base, name string) (int, bool) {
	if len(name) < len(base)+2 || name[:len(base)] != base || name[len(base)] != '.' {
		return 0, false
	}
	s := name[len(base)+1:]
	if len(s) > 15 || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// Join returns the value of a cookie that may be chunked: the plain name (its first
// occurrence) unless it is empty, else all chunks by rising number, of a repeated chunk
// the last. Escapes are left as they were sent, for the Decode functions; chunks with a
// malformed escape, more than MaxChunks of them, or an over-long whole give nothing.
func Join(header, name string) (value string, ok bool) {
	if v, found := Lookup(header, name); found && unquote(v) != "" {
		return v, len(v) <= maxValue
	}
	type chunk struct {
		index int
		value string
	}
	var chunks []chunk
	bad := false
	Each(header, func(n, v string) {
		i, is := ChunkIndex(name, n)
		if !is || bad {
			return
		}
		if _, fine := decode(v); !fine {
			bad = true
			return
		}
		at, found := slices.BinarySearchFunc(chunks, i, func(c chunk, i int) int { return c.index - i })
		switch {
		case found:
			chunks[at].value = v
		case len(chunks) == MaxChunks:
			bad = true
		default:
			chunks = slices.Insert(chunks, at, chunk{i, v})
		}
	})
	if bad || len(chunks) == 0 {
		return "", false
	}
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString(c.value)
	}
	return b.String(), b.Len() > 0 && b.Len() <= maxValue
}
