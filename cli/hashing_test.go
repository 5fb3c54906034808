package cli

import (
	"context"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/server"
)

// The mode begins with the first hash that is seen and ends after hashingQuiet looks
// without one; a hash in between begins the count anew.
func TestHashingMode(t *testing.T) {
	var m mode
	looks := func(n int, hashing bool) (got []change) {
		for range n {
			if d := m.look(hashing); d != none {
				got = append(got, d)
			}
		}
		return got
	}
	for i, step := range []struct {
		n       int
		hashing bool
		want    []change
	}{
		{50, false, nil},
		{3, true, []change{begin}},
		{hashingQuiet - 1, false, nil},
		{1, true, nil},
		{hashingQuiet - 1, false, nil},
		{1, false, []change{end}},
		{50, false, nil},
		{1, true, []change{begin}},
	} {
		if got := looks(step.n, step.hashing); !slices.Equal(got, step.want) {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}

// The collector leaves room for the tables of all hashes beside what lives without them, and
// is set anew when that is found to be less, or more. A large heap has the room anyway.
func TestCollector(t *testing.T) {
	c := collector{percent: 100}
	for i, step := range []struct {
		byHand, hashing bool
		live            uint64
		set             bool
		want            int
	}{
		{false, false, 34 << 20, false, 100},
		{true, true, 68 << 20, true, 250},
		{true, true, 17 << 20, true, 500},
		{true, true, 16 << 20, false, 500},
		{true, true, 1 << 20, true, 2125},
		{true, true, 238 << 20, true, 100}, // at least 170 MiB are no tables
		{true, true, 1 << 20, true, 2125},
		{true, true, 17 << 20, false, 2125},
		{true, false, 17 << 20, true, 500},
		{false, false, 2 << 20, true, 100},
		{false, false, 1 << 30, false, 100},
		{true, true, 1 << 30, false, 100},
	} {
		if set := c.look(step.byHand, step.hashing, 2, step.live); set != step.set || c.percent != step.want {
			t.Errorf("step %d: %t, %d", i, set, c.percent)
		}
	}
}

// While passwords are hashed Go runs in another way, and as before when the server has
// stopped. What the program has set stays.
func TestTunedUntilTheEnd(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	t.Setenv("GOGC", "")
	runtime.SetDefaultGOMAXPROCS()
	byDefault := runtime.GOMAXPROCS(0) // fewer than the processors where there is a quota
	runtime.GOMAXPROCS(runtime.NumCPU())
	t.Cleanup(runtime.SetDefaultGOMAXPROCS)
	entry := server.Entry(emailpassword.ID, emailpassword.New)
	c, err := server.Load(server.Source{Data: filepath.Join(t.TempDir(), "data")}, entry)
	if err != nil {
		t.Fatal(err)
	}
	c.Core.Password.Hash = "scrypt"
	auth, err := server.Describe(c, entry)
	if err != nil {
		t.Fatal(err)
	}
	h := auth.Host()
	for _, percent := range []int{100, 150} {
		was := debug.SetGCPercent(percent)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { tuneForHashing(ctx, h); close(done) }()
		tuned := func() bool {
			gc := int(number("/gc/gogc:percent"))
			return runtime.GOMAXPROCS(0) > runtime.NumCPU() && (percent == 100 && gc > 100 || percent != 100 && gc == percent)
		}
		for until := time.Now().Add(30 * time.Second); !tuned(); {
			if _, err := h.HashPassword(ctx, "correct horse"); err != nil || time.Now().After(until) {
				t.Fatalf("not tuned: %v", err)
			}
		}
		for range 3 { // looks
			_, _ = h.HashPassword(ctx, "correct horse")
		}
		stop()
		<-done
		if n, gc := runtime.GOMAXPROCS(0), int(number("/gc/gogc:percent")); n != byDefault || gc != percent {
			t.Errorf("afterwards: %d threads, GOGC=%d, want %d and %d", n, gc, byDefault, percent)
		}
		debug.SetGCPercent(was)
		runtime.GOMAXPROCS(runtime.NumCPU())
	}
}

// What was not lent is not taken back: the program may have set as many by itself.
func TestNothingLent(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	set := runtime.NumCPU() + 2
	runtime.GOMAXPROCS(set)
	t.Cleanup(runtime.SetDefaultGOMAXPROCS)
	var l lender
	l.look(true, 2)
	for range hashingQuiet {
		l.look(false, 2)
	}
	if n := runtime.GOMAXPROCS(0); n != set {
		t.Errorf("%d threads, want %d", n, set)
	}
}
