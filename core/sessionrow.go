package core

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// On PostgreSQL a session and its user are read as one text, an array in JSON: the driver
// makes one value of it instead of some twenty, each with allocations of its own, and the
// server's work is the same. JSON has each value in a form that no setting of the server's
// changes (dates do not depend on DateStyle).

// packMax is how many values one array may have: PostgreSQL's functions take 100 arguments.
const packMax = 100

// packed is the list of all columns as one value; empty where there are too many of them,
// or bytes, which JSON has not.
func packed(models ...*model) string {
	var list []string
	for _, m := range models {
		for _, c := range m.cols {
			name := "{" + m.table + "." + c.Name + "}"
			switch c.Kind {
			case schema.Bytes:
				return ""
			case schema.JSON: // its text, whether the column is of json, jsonb or text
				name = "CAST(" + name + " AS text)"
			}
			list = append(list, name)
		}
	}
	if len(list) > packMax {
		return ""
	}
	return "CAST(pg_catalog.json_build_array(" + strings.Join(list, ", ") + ") AS text)"
}

// scanPacked reads what packed selects.
func (h *Host) scanPacked(rows storage.Rows) (*Session, *User, error) {
	var text string
	if err := rows.Scan(&text); err != nil {
		return nil, nil, err
	}
	b := &struct {
		s                Session
		u                User
		ip, agent, image string
	}{}
	s, u := &b.s, &b.u
	s.model, u.model = h.sessionModel, h.userModel
	r := packReader{rest: text}
	r.begin()
	s.ID, s.ExpiresAt, s.Token, s.CreatedAt, s.UpdatedAt = r.text(), r.time(), r.text(), r.time(), r.time()
	s.IPAddress, s.UserAgent, s.UserID = r.pointer(&b.ip), r.pointer(&b.agent), r.text()
	s.Extra = r.extra(s.model)
	u.ID, u.Name, u.Email, u.EmailVerified, u.Image = r.text(), r.text(), r.text(), r.bool(), r.pointer(&b.image)
	u.CreatedAt, u.UpdatedAt = r.time(), r.time()
	u.Extra = r.extra(u.model)
	if r.err == nil && r.rest != "" {
		r.err = errPacked
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	return s, u, nil
}

var errPacked = errors.New("core: the database's array of columns cannot be read")

// packReader takes the values of an array one by one. Texts without escapes are parts of
// the text itself. The first failure stays.
type packReader struct {
	rest string // behind "[" or ","
	err  error
}

func (r *packReader) begin() {
	var ok bool
	if r.rest, ok = strings.CutPrefix(r.rest, "["); !ok {
		r.err = errPacked
	}
}

// next returns the next value as text; null for NULL.
func (r *packReader) next() (text string, null bool) {
	if r.err != nil {
		return "", false
	}
	rest := strings.TrimLeft(r.rest, " ")
	end := 0
	if strings.HasPrefix(rest, `"`) {
		if end = textEnd(rest); end > 0 {
			text = rest[1 : end-1]
			if strings.IndexByte(text, '\\') >= 0 {
				text, r.err = unescaped(rest[:end])
			}
		}
	} else if end = strings.IndexAny(rest, ",] "); end > 0 {
		text = rest[:end]
		null = text == "null"
	}
	if end <= 0 || r.err != nil {
		r.err = errPacked
		return "", false
	}
	rest = strings.TrimLeft(rest[end:], " ")
	if rest == "" || rest[0] != ',' && rest != "]" {
		r.err = errPacked
		return "", false
	}
	r.rest = rest[1:]
	return text, null
}

// textEnd is where a JSON string that s begins with ends, or -1.
func textEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

func unescaped(s string) (text string, err error) {
	err = json.Unmarshal([]byte(s), &text)
	return text, err
}

// value is next where NULL is none.
func (r *packReader) value() string {
	text, null := r.next()
	if null {
		r.err = errors.New("core: NULL in a column that should hold none")
	}
	return text
}

func (r *packReader) text() string { return r.value() }

func (r *packReader) bool() bool {
	text := r.value()
	if text != "true" && text != "false" {
		return r.other(schema.Bool, text) == true
	}
	return text == "true"
}

func (r *packReader) time() time.Time {
	text := r.value()
	if t, ok := jsonTime(text); ok {
		return t
	}
	t, _ := r.other(schema.Time, text).(time.Time)
	return t
}

// other reads a value whose form is not the usual one.
func (r *packReader) other(kind schema.Kind, text string) any {
	if r.err != nil {
		return nil
	}
	v := extraValue{kind: kind}
	r.err = v.Scan(text)
	return v.v
}

// jsonTime reads YYYY-MM-DDTHH:MM:SS.ffffff+00:00, PostgreSQL's form of a time in JSON where
// the session's zone is UTC, which is what connections mostly have; or with Z, JavaScript's.
func jsonTime(s string) (time.Time, bool) {
	rest, ok := strings.CutSuffix(s, "Z")
	if !ok {
		rest, ok = strings.CutSuffix(s, "+00:00")
	}
	if !ok || len(rest) < 19 || len(rest) > 29 || len(rest) > 19 && rest[19] != '.' {
		return time.Time{}, false
	}
	n := [7]int{}
	for i, at := range [6]int{0, 5, 8, 11, 14, 17} {
		end := at + 2
		if i == 0 {
			end = 4
		} else if rest[at-1] != "--T::"[i-1] {
			return time.Time{}, false
		}
		for ; at < end; at++ {
			if rest[at] < '0' || rest[at] > '9' {
				return time.Time{}, false
			}
			n[i] = n[i]*10 + int(rest[at]-'0')
		}
	}
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 59 || len(rest) == 20 {
		return time.Time{}, false // the library's parser says what is wrong
	}
	for i, unit := 20, 100_000_000; i < len(rest); i, unit = i+1, unit/10 {
		if rest[i] < '0' || rest[i] > '9' {
			return time.Time{}, false
		}
		n[6] += unit * int(rest[i]-'0')
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6], time.UTC), true
}

// pointer puts a text that may be NULL into to.
func (r *packReader) pointer(to *string) *string {
	text, null := r.next()
	if null {
		return nil
	}
	*to = text
	return to
}

func (r *packReader) extra(m *model) map[string]any {
	cols := m.cols[m.core:]
	if len(cols) == 0 {
		return nil
	}
	out := make(map[string]any, len(cols))
	for i := range cols {
		text, null := r.next()
		switch {
		case r.err != nil:
		case null:
			out[cols[i].Name] = nil
		case cols[i].Kind == schema.String:
			out[cols[i].Name] = text
		case cols[i].Kind == schema.Time:
			if t, ok := jsonTime(text); ok {
				out[cols[i].Name] = t
				continue
			}
			fallthrough
		default:
			out[cols[i].Name] = r.other(cols[i].Kind, text)
		}
	}
	return out
}
