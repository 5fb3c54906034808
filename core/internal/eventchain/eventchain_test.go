package eventchain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func ptr[T any](v T) *T { return &v }

func erased(id *string) bool { return id != nil && strings.HasPrefix(*id, "erased-") }

// chain is one of n records of which nothing was taken off.
func chain(n int) (records []*Record, ends Ends) {
	return add(nil, Ends{}, n, "")
}

func add(records []*Record, ends Ends, n int, other string) ([]*Record, Ends) {
	for range n {
		i := len(records) + 1
		r := &Record{ID: fmt.Sprint("event-", i, other), Type: "sign-in", UserID: ptr("user-1"), Actor: ptr("admin"), Reason: ptr("why"), IPAddress: ptr("192.0.2.1"),
			UserAgent: ptr("agent"), RequestID: ptr("request"), Detail: ptr("{}"), CreatedAt: time.UnixMilli(int64(i))}
		ends.Append(r, [16]byte{byte(i)})
		records = append(records, r)
	}
	return records, ends
}

// walk goes on as far as the records fit.
func walk(records []*Record, ends Ends, kept *Head) *Walk {
	w := Begin(ends, kept, erased)
	for _, r := range records {
		if !w.Going() || !w.Next(r) {
			break
		}
	}
	w.End()
	return w
}

func wantFault(t *testing.T, what string, w *Walk, fault string) {
	t.Helper()
	got := ""
	if w.Fault != nil {
		got = fmt.Sprintf("%d %s: %s", w.Fault.Seq, w.Fault.ID, w.Fault.What)
	}
	if !strings.Contains(got, fault) || (fault == "") != (got == "") {
		t.Errorf("%s: %q, want %q", what, got, fault)
	}
	if w.Fault != nil && w.Going() {
		t.Errorf("%s: it goes on behind a fault", what)
	}
}

// What is in a database stays a chain: these were computed by another program.
func TestVector(t *testing.T) {
	r := Record{ID: "event-1", Type: "sign-in", UserID: ptr("user-1"), Reason: ptr("bad password"), IPAddress: ptr("192.0.2.1"), RequestID: ptr(""),
		Detail: ptr(`{"a":"ü"}`), CreatedAt: time.Date(2001, 2, 3, 4, 5, 6, 789_999_999, time.UTC)}
	var ends Ends
	ends.Append(&r, [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	if *r.Seq != 1 || *r.Salt != "AAECAwQFBgcICQoLDA0ODw" || *r.Commitment != "gV3UYmr8GDQatkGg09ZIObdd0A-0_oeXdATIFV_fbI8" || *r.Hash != "TSl5SIT0rC6JQdsXH1IuXERkXMIGllWZ9A4n9eKZFlo" ||
		ends != (Ends{Head: 1, HeadHash: *r.Hash}) {
		t.Errorf("seq %d, salt %s, commitment %s, hash %s, ends %+v", *r.Seq, *r.Salt, *r.Commitment, *r.Hash, ends)
	}
}

func TestWhole(t *testing.T) {
	records, ends := chain(6)
	w := walk(records, ends, nil)
	wantFault(t, "whole", w, "")
	if w.First != 1 || w.Last != 6 || w.Linked != 6 || w.Erased != 0 || w.Head != ends.HeadHash {
		t.Errorf("%+v", w)
	}
	wantFault(t, "nothing", walk(nil, Ends{}, nil), "")
	shorter := Ends{Base: 2, BaseHash: *records[1].Hash, Head: 6, HeadHash: ends.HeadHash}
	w = walk(records[2:], shorter, nil)
	wantFault(t, "shortened", w, "")
	if w.First != 3 || w.Last != 6 || w.Linked != 4 {
		t.Errorf("%+v", w)
	}
	w = walk(nil, Ends{Base: 6, BaseHash: ends.HeadHash, Head: 6, HeadHash: ends.HeadHash}, nil)
	wantFault(t, "all taken off", w, "")
	if w.First != 0 || w.Last != 6 || w.Head != ends.HeadHash {
		t.Errorf("%+v", w)
	}
}

// Each way to tamper with the third of six records is found, at the right place.
func TestTampering(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(r *Record)
		fault  string
	}{
		"nothing":                 {func(*Record) {}, ""},
		"the id":                  {func(r *Record) { r.ID = "x" }, "3 x: altered, put"},
		"the type":                {func(r *Record) { r.Type = "x" }, "3 event-3: altered, put"},
		"the actor":               {func(r *Record) { r.Actor = nil }, "3 event-3: altered, put"},
		"the reason":              {func(r *Record) { r.Reason = ptr("") }, "3 event-3: altered, put"},
		"the reason as the actor": {func(r *Record) { r.Actor, r.Reason = ptr("adminwhy"), ptr("") }, "3 event-3: altered, put"},
		"the time":                {func(r *Record) { r.CreatedAt = r.CreatedAt.Add(time.Millisecond) }, "3 event-3: altered, put"},
		"the hash":                {func(r *Record) { r.Hash = ptr("x") }, "3 event-3: altered, put"},
		"no hash":                 {func(r *Record) { r.Hash = nil }, "3 event-3: altered, put"},
		"the commitment":          {func(r *Record) { r.Commitment = ptr("x") }, "3 event-3: altered, put"},
		"no commitment":           {func(r *Record) { r.Commitment = nil }, "3 event-3: altered, put"},
		"no commitment, and a hash that fits": {func(r *Record) {
			before, _ := chain(2)
			r.Commitment = nil
			r.Hash = ptr(r.link(*before[1].Hash))
		}, "3 event-3: altered, put"},
		"the place":                    {func(r *Record) { r.Seq = ptr(int64(4)) }, "3 : missing: the next event is 4"},
		"the user":                     {func(r *Record) { r.UserID = ptr("x") }, "3 event-3: altered: user"},
		"the address":                  {func(r *Record) { r.IPAddress = ptr("x") }, "3 event-3: altered: user"},
		"the agent":                    {func(r *Record) { r.UserAgent = nil }, "3 event-3: altered: user"},
		"the request id":               {func(r *Record) { r.RequestID = ptr("x") }, "3 event-3: altered: user"},
		"the detail":                   {func(r *Record) { r.Detail = ptr("x") }, "3 event-3: altered: user"},
		"the salt":                     {func(r *Record) { r.Salt = ptr("x") }, "3 event-3: altered: user"},
		"no salt":                      {func(r *Record) { r.Salt = nil }, "3 event-3: altered: the salt"},
		"erased":                       {erase, ""},
		"erased, and somebody's":       {func(r *Record) { erase(r); r.UserID = ptr("user-1") }, "3 event-3: altered: the salt"},
		"erased, and nobody's":         {func(r *Record) { erase(r); r.UserID = nil }, "3 event-3: altered: the salt"},
		"erased but for the address":   {func(r *Record) { erase(r); r.IPAddress = ptr("") }, "3 event-3: altered: the salt"},
		"erased but for the agent":     {func(r *Record) { erase(r); r.UserAgent = ptr("") }, "3 event-3: altered: the salt"},
		"erased but for the request":   {func(r *Record) { erase(r); r.RequestID = ptr("") }, "3 event-3: altered: the salt"},
		"erased but for the detail":    {func(r *Record) { erase(r); r.Detail = ptr("") }, "3 event-3: altered: the salt"},
		"erased, and the type altered": {func(r *Record) { erase(r); r.Type = "x" }, "3 event-3: altered, put"},
	} {
		t.Run(name, func(t *testing.T) {
			records, ends := chain(6)
			tt.change(records[2])
			w := walk(records, ends, nil)
			wantFault(t, name, w, tt.fault)
			if tt.fault != "" && (w.First != 1 || w.Last != 2 || w.Linked != 2 || w.Head != *records[1].Hash) {
				t.Errorf("%+v", w)
			}
			if tt.fault == "" && (w.Erased == 1) != (records[2].Salt == nil) {
				t.Errorf("%+v", w)
			}
		})
	}
}

func erase(r *Record) {
	r.UserID, r.IPAddress, r.UserAgent, r.RequestID, r.Detail, r.Salt = ptr("erased-1"), nil, nil, nil, nil, nil
}

// Records are taken away or exchanged, and the sealed ends show it.
func TestRecordsGone(t *testing.T) {
	records, ends := chain(6)
	other, _ := add(records[:5], Ends{Head: 5, HeadHash: *records[4].Hash}, 1, "x")
	for name, tt := range map[string]struct {
		records []*Record
		fault   string
	}{
		"the first":           {records[1:], "1 : missing: the next event is 2"},
		"one":                 {append(records[:2:2], records[3:]...), "3 : missing: the next event is 4"},
		"the last":            {records[:5], "6 : missing: the chain ends here, and went on to 6"},
		"all":                 {nil, "1 : missing: the chain ends here"},
		"another as the last": {other, "6 : the last event is another one"},
	} {
		wantFault(t, name, walk(tt.records, ends, nil), tt.fault)
	}
}

// A head that was kept elsewhere shows what the sealed ends cannot.
func TestKeptHead(t *testing.T) {
	records, ends := chain(6)
	head := func(seq int) *Head { return &Head{int64(seq), *records[seq-1].Hash} }
	wantFault(t, "the head", walk(records, ends, head(6)), "")
	wantFault(t, "before it", walk(records, ends, head(3)), "")
	back := Ends{Head: 4, HeadHash: *records[3].Hash}
	wantFault(t, "put back", walk(records[:4], back, head(6)), "6 : missing: the chain is shorter")
	again, other := add(records[:4:4], back, 2, "x")
	wantFault(t, "put back and gone on from there", walk(again, other, head(6)), "6 : the hash is "+other.HeadHash)
	base := Ends{Base: 3, BaseHash: *records[2].Hash, Head: 6, HeadHash: ends.HeadHash}
	wantFault(t, "the base", walk(records[3:], base, head(3)), "")
	wantFault(t, "another base", walk(records[3:], base, &Head{3, "x"}), "3 : the hash is")
	wantFault(t, "taken off", walk(records[3:], base, &Head{2, "x"}), "")
}

// Records are taken off in front of a walk.
func TestSkip(t *testing.T) {
	records, ends := chain(6)
	w := Begin(ends, nil, erased)
	w.Next(records[0])
	if w.Skip(Ends{Base: 1, BaseHash: "x", Head: 6}) || !w.Skip(Ends{Base: 4, BaseHash: *records[3].Hash, Head: 6}) {
		t.Error("it skips what it has seen, or nothing")
	}
	for _, r := range records[4:] {
		if !w.Going() || !w.Next(r) {
			t.Fatalf("%+v", w.Fault)
		}
	}
	if w.Going() {
		t.Error("it goes on behind the head")
	}
	w.End()
	wantFault(t, "skipped", w, "")
	if w.First != 1 || w.Last != 6 || w.Linked != 3 {
		t.Errorf("%+v", w)
	}
	w.Break(9, "", "a second")
	w.Break(10, "", "a third")
	if w.Fault.Seq != 9 || w.Going() {
		t.Errorf("%+v", w.Fault)
	}
}
