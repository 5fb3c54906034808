package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestSessions(t *testing.T) {
	url, prefix := storetest.RedisURL(t)
	n := 0
	storetest.Sessions(t, func(t *testing.T) []contract.SessionStore {
		n++
		p := fmt.Sprint(prefix, n, ":")
		return []contract.SessionStore{open(t, url, p).Sessions(), open(t, url, p).Sessions(), open(t, url, p).Sessions()}
	})
}

func TestSessionsInACluster(t *testing.T) {
	url := cluster(t).URL()
	n := 0
	storetest.Sessions(t, func(t *testing.T) []contract.SessionStore {
		n++
		return []contract.SessionStore{open(t, url, fmt.Sprint(n, ":")).Sessions()}
	})
}

func keep(t testing.TB, s contract.SessionStore, key string, subjects ...string) {
	t.Helper()
	_, version, err := s.Read(t.Context(), key)
	if err != nil || version == 0 {
		t.Fatal(version, err)
	}
	if kept, err := s.Write(t.Context(), key, contract.SessionCopy{Data: []byte("data"), Subjects: subjects, Life: time.Minute}, version); err != nil || !kept {
		t.Fatal(kept, err)
	}
}

// Redis may throw keys away when its memory is full. Without the epochs nobody knows which
// copies are void: then all of them are.
func TestLostEpochsVoidEveryCopy(t *testing.T) {
	r := storetest.StartRedis(t)
	s := open(t, r.URL(), "").Sessions()
	keep(t, s, "k", "u1")
	_, before, err := s.Read(t.Context(), "l")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Block(t.Context(), time.Minute, "u2"); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Do("DEL sallyport:{sessions}:epochs"); err != nil || got != ":1" {
		t.Fatal(got, err)
	}
	if _, _, err := s.Read(t.Context(), "m"); err != nil { // there are epochs again
		t.Fatal(err)
	}
	if data, _, err := s.Read(t.Context(), "k"); err != nil || data != nil {
		t.Errorf("%q, %v: a copy is served that nobody knows to be good", data, err)
	}
	// A reader from before the loss, whose user was changed then, must not write either.
	if kept, err := s.Write(t.Context(), "l", contract.SessionCopy{Data: []byte("old"), Subjects: []string{"u2"}, Life: time.Minute}, before); err != nil || kept {
		t.Errorf("%t, %v: a version from before the loss is good", kept, err)
	}
}

// Every key has a time to live, and epochs of long ago are cleared away.
func TestSessionKeysEnd(t *testing.T) {
	r := storetest.StartRedis(t)
	s := open(t, r.URL(), "").Sessions()
	keep(t, s, "k", "u1")
	for i := range 10 {
		mark, err := s.Block(t.Context(), time.Minute, fmt.Sprint("u", i))
		if err == nil {
			err = s.Release(t.Context(), mark, fmt.Sprint("u", i))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	keep(t, s, "k", "u1")
	for key, most := range map[string]int{"sallyport:{sessions}:copy:k": 60_000, "sallyport:{sessions}:epochs": 20 * 60_000} {
		got, _ := r.Do("PTTL " + key)
		var ms int
		if _, err := fmt.Sscanf(got, ":%d", &ms); err != nil || ms <= 0 || ms > most {
			t.Errorf("PTTL of %s: %q, want at most %d", key, got, most)
		}
	}
	if got, _ := r.Do("ZCARD sallyport:{sessions}:epochs"); got != ":12" {
		t.Errorf("%s members, want ten subjects and two of the set's own", got)
	}
	old := time.Now().Add(-21 * time.Minute).UnixMicro()
	if got, err := r.Do(fmt.Sprintf("ZADD sallyport:{sessions}:epochs %d ancient", old)); err != nil || got != ":1" {
		t.Fatal(got, err)
	}
	if err := s.Release(t.Context(), 0, "u1"); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.Do("ZRANGE sallyport:{sessions}:epochs 0 -1"); strings.Contains(got, "ancient") || !strings.Contains(got, "!born") || !strings.Contains(got, "u9") {
		t.Errorf("members %q", got)
	}
}

// Versions go up also when the server's clock is set back: after a failover to another
// machine, for instance.
func TestVersionsGoUp(t *testing.T) {
	r := storetest.StartRedis(t)
	s := open(t, r.URL(), "").Sessions()
	_, first, err := s.Read(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := r.Do("ZSCORE sallyport:{sessions}:epochs !last"); got != fmt.Sprint(-first) {
		t.Errorf("the last version is %s, want %d", got, -first)
	}
	ahead := time.Now().Add(time.Hour).UnixMicro() // what a clock that was ahead left behind
	if got, err := r.Do(fmt.Sprintf("ZADD sallyport:{sessions}:epochs -%d !last", ahead)); err != nil || got != ":0" {
		t.Fatal(got, err)
	}
	_, version, err := s.Read(t.Context(), "k")
	if err != nil || version < ahead {
		t.Fatalf("version %d after %d, %v", version, ahead, err)
	}
	if err := s.Release(t.Context(), 0, "u1"); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.Write(t.Context(), "k", contract.SessionCopy{Data: []byte("old"), Subjects: []string{"u1"}, Life: time.Minute}, version); err != nil || kept {
		t.Errorf("%t, %v: what was read before the change is kept behind it", kept, err)
	}
}

// A subject has places for eight blocks. One more is lifted by time alone, and holds while the
// others end.
func TestMoreBlocksThanPlaces(t *testing.T) {
	s := open(t, storetest.StartRedis(t).URL(), "").Sessions()
	var marks []int64
	for range 9 {
		mark, err := s.Block(t.Context(), time.Minute, "u1")
		if err != nil {
			t.Fatal(err)
		}
		marks = append(marks, mark)
	}
	for _, mark := range marks[:8] {
		if err := s.Release(t.Context(), mark, "u1"); err != nil {
			t.Fatal(err)
		}
	}
	_, version, err := s.Read(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := s.Write(t.Context(), "k", contract.SessionCopy{Data: []byte("old"), Subjects: []string{"u1"}, Life: time.Minute}, version); err != nil || kept {
		t.Errorf("%t, %v: kept although the ninth change is under way", kept, err)
	}
}
