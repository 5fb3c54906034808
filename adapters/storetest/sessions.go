package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Sessions runs the suite of contract.SessionStore. open returns an empty store, and every
// further way into the same one: the clients of other replicas.
func Sessions(t *testing.T, open func(t *testing.T) []contract.SessionStore) {
	for name, test := range map[string]func(*sessionSuite){
		"a copy is served":              (*sessionSuite).served,
		"a copy ends":                   (*sessionSuite).ends,
		"a block voids":                 (*sessionSuite).blockVoids,
		"a release voids":               (*sessionSuite).releaseVoids,
		"no copy while blocked":         (*sessionSuite).noneWhileBlocked,
		"a read before the change":      (*sessionSuite).readBefore,
		"two changes at once":           (*sessionSuite).twoChanges,
		"the last change ends first":    (*sessionSuite).lastEndsFirst,
		"many changes at once":          (*sessionSuite).manyChanges,
		"a block ends by itself":        (*sessionSuite).blockEnds,
		"others stay":                   (*sessionSuite).othersStay,
		"a version is needed":           (*sessionSuite).versionNeeded,
		"a change wins every race":      (*sessionSuite).races,
		"a copy is written over by one": (*sessionSuite).overwritten,
	} {
		t.Run(name, func(t *testing.T) { test(&sessionSuite{T: t, stores: open(t)}) })
	}
}

type sessionSuite struct {
	*testing.T
	stores []contract.SessionStore
	turn   atomic.Int64
}

// any is one of the ways into the store, each time the next.
func (s *sessionSuite) any() contract.SessionStore {
	return s.stores[int(s.turn.Add(1))%len(s.stores)]
}

func (s *sessionSuite) read(key string) (data string, version int64) {
	s.Helper()
	b, version, err := s.any().Read(s.Context(), key)
	if err != nil {
		s.Fatalf("Read: %v", err)
	}
	if (b == nil) == (version == 0) {
		s.Fatalf("Read: data %q and version %d: want one of them", b, version)
	}
	return string(b), version
}

func (s *sessionSuite) write(key, data string, version int64, subjects ...string) bool {
	s.Helper()
	kept, err := s.any().Write(s.Context(), key, contract.SessionCopy{Data: []byte(data), Subjects: subjects, Life: time.Minute}, version)
	if err != nil {
		s.Fatalf("Write: %v", err)
	}
	return kept
}

// keep has a copy under a key.
func (s *sessionSuite) keep(key, data string, subjects ...string) {
	s.Helper()
	_, version := s.read(key)
	if version == 0 || !s.write(key, data, version, subjects...) {
		s.Fatalf("a copy that nothing speaks against was not kept (version %d)", version)
	}
}

func (s *sessionSuite) block(limit time.Duration, subjects ...string) int64 {
	s.Helper()
	mark, err := s.any().Block(s.Context(), limit, subjects...)
	if err != nil || mark == 0 {
		s.Fatalf("Block: %d, %v", mark, err)
	}
	return mark
}

func (s *sessionSuite) release(mark int64, subjects ...string) {
	s.Helper()
	if err := s.any().Release(s.Context(), mark, subjects...); err != nil {
		s.Fatalf("Release: %v", err)
	}
}

func (s *sessionSuite) none(when, key string) (version int64) {
	s.Helper()
	data, version := s.read(key)
	if version == 0 {
		s.Errorf("%s: %q is served", when, data)
	}
	return version
}

func (s *sessionSuite) served() {
	s.none("nothing was written", "k")
	binary := "\x00\xff {\"a\":\"b\"}\r\n"
	s.keep("k", binary, "s1", "u1")
	for range 2 * len(s.stores) {
		if data, _ := s.read("k"); data != binary {
			s.Fatalf("read %q", data)
		}
	}
}

func (s *sessionSuite) ends() {
	_, version := s.read("k")
	kept, err := s.any().Write(s.Context(), "k", contract.SessionCopy{Data: []byte("d"), Subjects: []string{"s1"}, Life: 50 * time.Millisecond}, version)
	if err != nil || !kept {
		s.Fatal(kept, err)
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, version := s.read("k"); version != 0 {
			return
		}
		if time.Now().After(until) {
			s.Fatal("a copy of 50 ms is there after 10 s")
		}
	}
}

func (s *sessionSuite) blockVoids() {
	s.keep("k", "d", "s1", "u1")
	s.keep("l", "d", "s2", "u1")
	mark := s.block(time.Minute, "u1")
	s.none("blocked", "k")
	s.none("blocked", "l")
	s.release(mark, "u1")
	s.none("released", "k")
	s.keep("k", "new", "s1", "u1")
	mark = s.block(time.Minute, "s9", "s1")
	s.none("blocked by its session", "k")
	s.release(mark, "s9", "s1")
}

// A release without a block is what a job does that has to make up for one.
func (s *sessionSuite) releaseVoids() {
	s.keep("k", "d", "s1", "u1")
	version := s.none("another key", "l")
	s.release(0, "u1")
	s.none("released", "k")
	if s.write("l", "d", version, "s2", "u1") {
		s.Error("what was read before the release was kept")
	}
	s.keep("k", "new", "s1", "u1")
}

func (s *sessionSuite) noneWhileBlocked() {
	mark := s.block(time.Minute, "u1")
	for range 3 {
		if version := s.none("blocked", "k"); s.write("k", "d", version, "s1", "u1") {
			s.Fatal("a copy was kept while its user was blocked")
		}
	}
	s.release(mark, "u1")
	s.keep("k", "d", "s1", "u1")
}

// The database was read before the change, the copy is written behind it.
func (s *sessionSuite) readBefore() {
	version := s.none("at first", "k")
	inside := int64(0)
	mark := s.block(time.Minute, "u1")
	inside = s.none("blocked", "k")
	s.release(mark, "u1")
	for _, v := range []int64{version, inside} {
		if s.write("k", "old", v, "s1", "u1") {
			s.Error("what was read before the change ended was kept behind it")
		}
	}
	s.none("afterwards", "k")
}

func (s *sessionSuite) twoChanges() {
	first := s.block(time.Minute, "u1")
	second := s.block(time.Minute, "u1")
	if first == second {
		s.Error("two blocks have one mark")
	}
	version := s.none("both", "k")
	s.release(first, "u1")
	if s.write("k", "old", version, "u1") {
		s.Error("kept although the first change is over since")
	}
	version = s.none("the second", "k")
	if s.write("k", "old", version, "u1") {
		s.Error("kept although the second change is under way")
	}
	s.release(second, "u1")
	if s.write("k", "old", version, "u1") {
		s.Error("kept although the second change is over since")
	}
	s.keep("k", "d", "u1")
}

// The change that began last ends first. The other one is under way still: until it ends,
// nobody may keep what the database said before.
func (s *sessionSuite) lastEndsFirst() {
	first := s.block(time.Minute, "u1")
	second := s.block(time.Minute, "u1", "s1")
	third := s.block(time.Minute, "s1")
	during := func(when string) {
		s.Helper()
		version := s.none(when, "k")
		if s.write("k", "old", version, "s1", "u1") {
			s.Errorf("%s: kept although a change is under way", when)
		}
	}
	s.release(second, "u1", "s1")
	during("the first and the third")
	s.release(third, "s1")
	during("the first")
	s.release(third, "s1") // again: it ends no other's
	during("the first still")
	version := s.none("at the end", "k")
	s.release(first, "u1")
	if s.write("k", "old", version, "s1", "u1") {
		s.Error("kept although the first change is over since")
	}
	s.keep("k", "d", "s1", "u1")
}

// However many change a subject at once, it is free when none does.
func (s *sessionSuite) manyChanges() {
	var marks []int64
	for range 6 {
		marks = append(marks, s.block(time.Minute, "u1"))
	}
	for i, n := range []int{3, 0, 5, 1, 4, 2} {
		if version := s.none("blocked", "k"); s.write("k", "old", version, "u1") {
			s.Errorf("kept although %d changes are under way", len(marks)-i)
		}
		s.release(marks[n], "u1")
	}
	s.keep("k", "d", "u1")
}

// Who blocked a subject may have died before the release.
func (s *sessionSuite) blockEnds() {
	s.keep("k", "old", "s1", "u1")
	s.block(50*time.Millisecond, "u1")
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if version := s.none("after the block", "k"); s.write("k", "new", version, "s1", "u1") {
			break
		}
		if time.Now().After(until) {
			s.Fatal("a block of 50 ms holds after 10 s")
		}
	}
	if data, _ := s.read("k"); data != "new" {
		s.Errorf("read %q", data)
	}
}

func (s *sessionSuite) othersStay() {
	for i := range 10 {
		s.keep(fmt.Sprint("k", i), fmt.Sprint("d", i), fmt.Sprint("s", i), fmt.Sprint("u", i))
	}
	s.release(s.block(time.Minute, "u3"), "u3")
	for i := range 10 {
		if data, _ := s.read(fmt.Sprint("k", i)); (data == fmt.Sprint("d", i)) != (i != 3) {
			s.Errorf("copy %d: %q", i, data)
		}
	}
}

func (s *sessionSuite) versionNeeded() {
	for _, version := range []int64{0, -1} {
		if s.write("k", "d", version, "u1") {
			s.Errorf("kept with version %d", version)
		}
	}
	s.none("at last", "k")
}

func (s *sessionSuite) overwritten() {
	a, b := s.none("first", "k"), s.none("second", "k")
	if !s.write("k", "a", a, "u1") || !s.write("k", "b", b, "u1") {
		s.Fatal("two readers who found none may both write one")
	}
	if data, _ := s.read("k"); data != "b" {
		s.Errorf("read %q", data)
	}
}
