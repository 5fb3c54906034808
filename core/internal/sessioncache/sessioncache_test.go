package sessioncache

import (
	"errors"
	"fmt"
	"testing"
	"time"
	"unsafe"
)

// clock is a process's clock in the test's hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time      { return c.now }
func (c *clock) Add(d time.Duration) { c.now = c.now.Add(d) }

// newTest makes a cache that has heard of everything until now.
func newTest(l Limits) (*Cache[string], *clock) {
	at := &clock{time.Now()}
	c := New[string](l, at.Now)
	c.Reset()
	c.Current(at.now)
	return c, at
}

// limits are so wide that none of them is met by chance.
var limits = Limits{Life: time.Minute, Trust: time.Hour, Entries: 1000, Bytes: 1 << 20}

// read is what a user of the cache does. It returns what is served and whether it was kept.
func read(c *Cache[string], at *clock, key, truth string, subjects ...string) (value string, found, kept bool) {
	l := c.Look(KeyOf(key), at.now)
	if l.Found {
		return l.Value, true, false
	}
	return truth, false, c.Keep(l, entry(truth, subjects...))
}

func entry(value string, subjects ...string) Entry[string] {
	return Entry[string]{Value: value, Subjects: [2]string{subjects[0], subjects[len(subjects)-1]}, Life: time.Hour, Size: 100}
}

func (c *Cache[V]) has(key string, at *clock) bool { return c.Look(KeyOf(key), at.now).Found }

// An entry ends by the clock of who asks, by the process's own, and with its session.
func TestEnds(t *testing.T) {
	host, s := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), time.Second
	for name, tt := range map[string]struct {
		life, host, process time.Duration
		found               bool
	}{
		"at once":                           {time.Hour, 0, 0, true},
		"before the end":                    {time.Hour, 59 * s, 59 * s, true},
		"at the end":                        {time.Hour, 60 * s, 0, false},
		"at the end by the process's clock": {time.Hour, 0, 60 * s, false},
		"the host's clock went back":        {time.Hour, -s, 0, false},
		"before the session's end":          {30 * s, 29 * s, 29 * s, true},
		"at the session's end":              {30 * s, 30 * s, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, at := newTest(limits)
			e := entry("v", "s", "u")
			e.Life = tt.life
			if !c.Keep(c.Look(KeyOf("k"), host), e) {
				t.Fatal("it was not kept")
			}
			at.Add(tt.process)
			l := c.Look(KeyOf("k"), host.Add(tt.host))
			if l.Found != tt.found || l.Found && (l.Value != "v" || !l.Ends.Equal(host.Add(min(tt.life, time.Minute)))) {
				t.Errorf("%+v", l)
			}
		})
	}
	c, at := newTest(limits)
	e := entry("v", "s", "u")
	if e.Life = 0; c.Keep(c.Look(KeyOf("k"), at.now), e) {
		t.Error("a session that is over was kept")
	}
}

// Nothing is served or kept without a proof that is new enough.
func TestBelieved(t *testing.T) {
	l := limits
	l.Trust = time.Second
	at := &clock{time.Now()}
	c := New[string](l, at.Now)
	ms := time.Millisecond
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"never heard", func() {}, false},
		{"there", c.Reset, false},
		{"a proof of the future: the clock was set back", func() { c.Current(at.now.Add(time.Second)) }, false},
		{"proved", func() { c.Current(at.now) }, true},
		{"nearly too old", func() { at.Add(999 * ms) }, true},
		{"too old", func() { at.Add(ms) }, false},
		{"a late proof", func() { c.Current(at.now.Add(-time.Second)) }, false},
		{"a proof that took its time", func() { c.Current(at.now.Add(-500 * ms)) }, true},
		{"the process was stopped", func() { at.Add(500 * ms) }, false},
		{"proved again", func() { c.Current(at.now) }, true},
		{"the machine slept", func() { at.now = apart(t, at.now, 0, time.Second) }, false},
		{"proved after it", func() { c.Current(at.now) }, true},
		{"the clock was set back", func() { at.now = apart(t, at.now, 0, -time.Second) }, false},
		{"proved by it", func() { c.Current(at.now) }, true},
		{"the clock was set back by what has passed", func() { at.now = apart(t, at.now, time.Second, 0) }, false},
		{"proved by that", func() { c.Current(at.now) }, true},
		{"broken", c.Reset, false},
		{"there again", c.Reset, false},
	} {
		step.do()
		if l := c.Look(KeyOf(step.what), at.now); l.Believed != step.want || c.Believed() != step.want {
			t.Errorf("%s: believed %v, want %v", step.what, l.Believed, step.want)
		} else if kept := c.Keep(l, entry("v", "s", "u")); kept != step.want {
			t.Errorf("%s: kept %v", step.what, kept)
		}
		read(c, at, "always", "v", "s", "u") // it is there in most of them
		if c.has(step.what, at) != step.want || c.has("always", at) != step.want {
			t.Errorf("%s: served %v", step.what, !step.want)
		}
	}
}

// apart is a time of whose two clocks the one has gone on by mono, the other by wall. No
// function makes one: that takes a machine that sleeps, or whose clock is set.
func apart(t *testing.T, from time.Time, mono, wall time.Duration) time.Time {
	t.Helper()
	to := from.Add(wall)
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&to)).ext += int64(mono - wall)
	if to.Sub(from) != mono || to.UnixNano()-from.UnixNano() != int64(wall) {
		t.Fatal("package time has another form of its times now")
	}
	return to
}

// The process may be stopped inside of a look-up. The time that the proof is held against
// is that of the end, so what would be found after it must not count any more.
func TestTheTimeIsThatBehindTheLookUp(t *testing.T) {
	at := &clock{time.Now()}
	var c *Cache[string]
	asked := func() {}
	c = New[string](limits, func() time.Time { asked(); return at.now })
	c.Reset()
	c.Current(at.now)
	read(c, at, "k", "v", "s", "u")
	asked = func() { c.Changed([]string{"s"}) }
	if !c.has("k", at) {
		t.Error("the time was looked at first")
	}
	if c.has("k", at) {
		t.Error("it did not change anything")
	}
}

func TestBounds(t *testing.T) {
	for name, l := range map[string]Limits{
		"entries": {Life: time.Minute, Trust: time.Hour, Entries: 100, Bytes: 1 << 20},
		"bytes":   {Life: time.Minute, Trust: time.Hour, Entries: 1000, Bytes: 10_000}, // 100 of them, too
	} {
		t.Run(name, func(t *testing.T) {
			c, at := newTest(l)
			read(c, at, "hot", "v", "s", "u")
			most := 0
			for i := range 500 {
				read(c, at, fmt.Sprint(i), "v", "s", "u")
				n, bytes := c.Size()
				if most = max(most, n); bytes != 100*n {
					t.Fatalf("%d entries of 100 bytes are %d", n, bytes)
				}
				if !c.has("hot", at) {
					t.Fatal("what is always asked for was thrown away")
				}
			}
			if most > 100 || most < 90 {
				t.Errorf("%d entries of at most 100", most)
			}
			if c.has("400", at) {
				t.Error("who is not asked for stays, and others are gone")
			}
			large := entry("v", "s", "u")
			if large.Size = l.Bytes/2 + 1; c.Keep(c.Look(KeyOf("large"), at.now), large) {
				t.Error("kept, although nothing else would fit beside it")
			}
		})
	}
}

// Two readers who find nothing both keep what they read: there is one entry, whichever
// generation the first is in by then.
func TestKeptTwice(t *testing.T) {
	for generation, wait := range map[string]time.Duration{"young": 0, "old": 10 * time.Second} {
		l := limits
		l.Life = 10 * time.Second
		c, at := newTest(l)
		a, b := c.Look(KeyOf("k"), at.now), c.Look(KeyOf("k"), at.now)
		if !c.Keep(a, entry("a", "s", "u")) {
			t.Fatal("the first was not kept")
		}
		at.Add(wait)
		c.Current(at.now)
		if !c.Keep(b, entry("b", "s", "u")) {
			t.Fatal("the second was not kept")
		}
		if n, bytes := c.Size(); n != 1 || bytes != 100 {
			t.Errorf("the first is %s: %d entries, %d bytes", generation, n, bytes)
		}
	}
}

// What nobody asks for goes although there is room.
func TestUnasked(t *testing.T) {
	c, at := newTest(limits)
	read(c, at, "k", "v", "s", "u")
	for want := 1; want >= 0; want-- {
		at.Add(time.Minute)
		c.Current(at.now)
		c.Current(at.now)
		if n, _ := c.Size(); n != want {
			t.Errorf("%d entries, want %d", n, want)
		}
	}
}

// Serving allocates nothing.
func TestServingAllocatesNothing(t *testing.T) {
	c, at := newTest(limits)
	read(c, at, "k", "v", "s", "u")
	failed := errors.New("nothing was served")
	if n := testing.AllocsPerRun(100, func() {
		if !c.Look(KeyOf("k"), at.now).Found {
			panic(failed)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
