package plugintest

import (
	"fmt"
	"reflect"
	"testing"
)

// Scenario is one request and what must come of it, for tables of tests.
type Scenario struct {
	Name string
	// Setup prepares a fresh harness and returns who sends the request. nil: a client
	// without a session.
	Setup func(*Harness) *Client
	// Method and Path of the request; Body as in Request.
	Method, Path string
	Body         any
	Header       map[string]string

	Status int
	Code   string         // error code; empty for none
	Want   map[string]any // members of the answer by dotted path; nil is null or absent
	Rows   map[string]int // tables, and how many rows each has afterwards
	// Mails are the templates that were sent afterwards, by address, in order.
	Mails map[string][]string
	// After looks at whatever else there is to see.
	After func(*Harness, *Answer)
}

// Run runs scenarios, each in a harness of its own. options is called for each, since a
// plugin value belongs to one Auth.
func Run(t *testing.T, options func() Options, scenarios []Scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.Name, func(t *testing.T) {
			for _, f := range s.run(New(t, options())) {
				t.Error(f)
			}
		})
	}
}

// run returns what is not as it should be.
func (s *Scenario) run(h *Harness) (faults []string) {
	h.T.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	client := h.Client()
	if s.Setup != nil {
		client = s.Setup(h)
	}
	a := client.Do(Request{Method: s.Method, Path: s.Path, Body: s.Body, Header: s.Header})
	if a.Status != s.Status || a.Code() != s.Code {
		fault("%s: %d %q, want %d %q: %s", a.What, a.Status, a.Code(), s.Status, s.Code, a.Body)
	}
	for path, want := range s.Want {
		if n, ok := want.(int); ok {
			want = float64(n) // as JSON has it
		}
		if got := a.Get(path); !reflect.DeepEqual(got, want) {
			fault("%s: %s is %#v, want %#v", a.What, path, got, want)
		}
	}
	for table, want := range s.Rows {
		if got := h.Count(table); got != want {
			fault("%s: %d rows in %s, want %d", a.What, got, table, want)
		}
	}
	if h.RunJobs(); s.Mails != nil {
		got := map[string][]string{}
		for _, m := range h.Outbox.All() {
			got[m.To] = append(got[m.To], m.Template)
		}
		if !reflect.DeepEqual(got, s.Mails) {
			fault("%s: sent %v, want %v", a.What, got, s.Mails)
		}
	}
	if s.After != nil {
		s.After(h, a)
	}
	return faults
}
