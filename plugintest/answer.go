package plugintest

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
)

// Answer is what came back.
type Answer struct {
	Status int
	Header []core.Field
	Body   []byte
	What   string // method and path of the request

	t testing.TB
}

// Want ends the test unless the status is that one.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s: status %d, want %d: %s", a.What, a.Status, status, a.Body)
	}
	return a
}

// WantCode ends the test unless status and error code are these.
func (a *Answer) WantCode(status int, code string) *Answer {
	a.t.Helper()
	if got := a.Code(); a.Status != status || got != code {
		a.t.Fatalf("%s: %d %q, want %d %q: %s", a.What, a.Status, got, status, code, a.Body)
	}
	return a
}

// Code returns the error code, or "".
func (a *Answer) Code() string {
	if a.Status < 400 {
		return ""
	}
	var e struct{ Code string }
	_ = json.Unmarshal(a.Body, &e) // an answer without a body has no code
	return e.Code
}

// Values returns all header lines of a name, in any case.
func (a *Answer) Values(name string) []string {
	var out []string
	for _, f := range a.Header {
		if strings.EqualFold(f.Name, name) {
			out = append(out, f.Value)
		}
	}
	return out
}

// Value returns the first header line of a name, or "".
func (a *Answer) Value(name string) string {
	if v := a.Values(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Into decodes the body.
func (a *Answer) Into(dst any) *Answer {
	a.t.Helper()
	if err := json.Unmarshal(a.Body, dst); err != nil {
		a.t.Fatalf("%s: body: %v: %s", a.What, err, a.Body)
	}
	return a
}

// Get returns the member at a dotted path ("user.id", "0.name"), or nil.
func (a *Answer) Get(path string) any {
	var v any
	_ = json.Unmarshal(a.Body, &v) // no JSON has no members
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// Text is Get for a string that must be there.
func (a *Answer) Text(path string) string {
	a.t.Helper()
	s, ok := a.Get(path).(string)
	if !ok {
		a.t.Fatalf("%s: no text at %q: %s", a.What, path, a.Body)
	}
	return s
}
