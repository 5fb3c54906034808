package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestUnknownKid: a new key is fetched when its first token comes; invented kids are not
// worth a fetch each.
func TestUnknownKid(t *testing.T) {
	b := newBench(t, nil)
	next := sign(t, "ES256", pairs()["ES256"], map[string]any{"kid": "next"}, b.claims(nil))
	check := func(token string, want error, fetches int64) {
		t.Helper()
		if _, err := b.Verify(t.Context(), token); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%v, want %v", err, want)
		}
		if n := b.fetches.Load(); n != fetches {
			t.Errorf("%d fetches, want %d", n, fetches)
		}
	}
	check(b.token(t, nil), nil, 1)
	b.publish(public("EdDSA", "ed", pairs()["EdDSA"]), public("ES256", "next", pairs()["ES256"]))
	check(next, ErrInvalid, 1) // within the floor
	b.now = b.now.Add(30*time.Second - 1)
	check(next, ErrInvalid, 1)
	b.now = b.now.Add(1)
	check(next, nil, 2)
	for i := range 50 {
		check(sign(t, "EdDSA", pairs()["EdDSA"], map[string]any{"kid": fmt.Sprint("invented-", i)}, b.claims(nil)), ErrInvalid, 2)
	}
	check(next, nil, 2)
}

// TestRotatedAway: a key that is no longer in the set is no longer used once the set was
// fetched, and at the latest after MaxAge.
func TestRotatedAway(t *testing.T) {
	b := newBench(t, nil)
	fresh := func() string { return b.token(t, nil) }
	if _, err := b.Verify(t.Context(), fresh()); err != nil {
		t.Fatal(err)
	}
	b.publish(public("ES256", "next", pairs()["ES256"]))
	b.now = b.now.Add(30*time.Minute + time.Second)
	if _, err := b.Verify(t.Context(), fresh()); err != nil { // served from what is there, fetched beside
		t.Errorf("at half its age: %v", err)
	}
	b.settle()
	if _, err := b.Verify(t.Context(), fresh()); !errors.Is(err, ErrInvalid) || b.fetches.Load() != 2 {
		t.Errorf("afterwards: %v, %d fetches", err, b.fetches.Load())
	}
}

// TestUnavailable: what is wrong with the keys is never the token's fault.
func TestUnavailable(t *testing.T) {
	good, _ := json.Marshal(map[string]any{"keys": []any{public("EdDSA", "ed", pairs()["EdDSA"])}}) //nolint:errcheck // maps of texts
	elsewhere := newServer(t)
	elsewhere.raw(200, "application/json", string(good))
	for name, answer := range map[string]func(*server){
		"500":             func(s *server) { s.raw(500, "application/json", `{}`) },
		"404":             func(s *server) { s.raw(404, "application/json", `{"keys":[]}`) },
		"a page":          func(s *server) { s.raw(200, "text/html", string(good)) },
		"no JSON":         func(s *server) { s.raw(200, "application/json", `<html>`) },
		"no set":          func(s *server) { s.raw(200, "application/json", `{}`) },
		"keys of no list": func(s *server) { s.raw(200, "application/json", `{"keys":"none"}`) },
		"empty":           func(s *server) { s.raw(200, "application/json", ``) },
		"too long":        func(s *server) { s.raw(200, "application/json", string(good)+strings.Repeat(" ", maxAnswer)) },
		"cut off": func(s *server) {
			s.serve(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, `{"keys":[`)
			})
		},
		"a redirect": func(s *server) {
			s.serve(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL, http.StatusFound)
			})
		},
		"nobody there": func(s *server) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			answer(b.server)
			token := b.token(t, nil)
			for range 3 { // the second and third within the floor
				c, err := b.Verify(t.Context(), token)
				if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrInvalid) || c.All != nil {
					t.Errorf("%v", err)
				}
			}
			if n := b.fetches.Load(); n > 1 {
				t.Errorf("%d fetches within the floor", n)
			}
			if name == "nobody there" {
				return
			}
			b.publish(public("EdDSA", "ed", pairs()["EdDSA"]))
			b.now = b.now.Add(time.Minute)
			if _, err := b.Verify(t.Context(), token); err != nil {
				t.Errorf("after it came back: %v", err)
			}
		})
	}
}

// TestOutage: known keys serve through an outage until MaxAge, and an unknown kid then is
// nobody's fault.
func TestOutage(t *testing.T) {
	b := newBench(t, nil)
	if _, err := b.Verify(t.Context(), b.token(t, nil)); err != nil {
		t.Fatal(err)
	}
	b.raw(503, "text/plain", "")
	b.now = b.now.Add(59 * time.Minute)
	if _, err := b.Verify(t.Context(), b.token(t, nil)); err != nil {
		t.Errorf("a known key: %v", err)
	}
	b.settle()
	unknown := sign(t, "EdDSA", pairs()["EdDSA"], map[string]any{"kid": "new"}, b.claims(nil))
	if _, err := b.Verify(t.Context(), unknown); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an unknown kid: %v", err)
	}
	b.now = b.now.Add(2 * time.Minute)
	if _, err := b.Verify(t.Context(), b.token(t, nil)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("beyond MaxAge: %v", err)
	}
}

// TestOneFetch: of many that need keys one fetches, and who gives up does not end it.
func TestOneFetch(t *testing.T) {
	b := newBench(t, nil)
	ed, _ := json.Marshal(map[string]any{"keys": []any{public("EdDSA", "ed", pairs()["EdDSA"])}}) //nolint:errcheck // maps of texts
	entered, release := make(chan struct{}, 100), make(chan struct{})
	b.serve(func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-release
		w.Header().Set("Content-Type", "application/json")
		w.Write(ed) //nolint:errcheck // the client sees it
	})
	token := b.token(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := b.Verify(ctx, token); first <- err }()
	<-entered
	cancel()
	if err := <-first; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: %v", err)
	}
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for range 20 {
		wg.Go(func() { _, err := b.Verify(t.Context(), token); errs <- err })
	}
	close(release)
	wg.Wait()
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := b.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestKeySets: keys that are not what they say do not count.
func TestKeySets(t *testing.T) {
	b := newBench(t, nil)
	good := public("EdDSA", "ed", pairs()["EdDSA"])
	other := public("EdDSA", "other", pairs()["EdDSA"])
	with := func(base map[string]any, change map[string]any) map[string]any {
		k := maps.Clone(base)
		for n, v := range change {
			if k[n] = v; v == nil {
				delete(k, n)
			}
		}
		return k
	}
	es, es5, rs := public("ES256", "es", pairs()["ES256"]), public("ES512", "es5", pairs()["ES512"]), public("RS256", "rs", pairs()["RS256"])
	for name, k := range map[string]map[string]any{
		"oct":                     {"kid": "x", "kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
		"oct as EdDSA":            {"kid": "x", "kty": "oct", "k": "c2VjcmV0", "alg": "EdDSA"},
		"no kid":                  with(good, map[string]any{"kid": nil}),
		"no alg":                  with(good, map[string]any{"alg": nil}),
		"for encryption":          with(good, map[string]any{"use": "enc"}),
		"a short x":               with(good, map[string]any{"x": "AAAA"}),
		"x with padding":          with(good, map[string]any{"x": good["x"].(string) + "="}),
		"another curve":           with(good, map[string]any{"crv": "Ed448"}),
		"another type":            with(good, map[string]any{"kty": "EC"}),
		"a point off the curve":   with(es, map[string]any{"x": es["y"]}),
		"P-256 for ES512":         with(es, map[string]any{"alg": "ES512"}),
		"P-521 for ES256":         with(es5, map[string]any{"alg": "ES256"}),
		"the point at infinity":   with(es, map[string]any{"x": "", "y": ""}),
		"a short modulus":         with(rs, map[string]any{"n": b64(make([]byte, 100))}),
		"a modulus without end":   with(rs, map[string]any{"n": b64([]byte(strings.Repeat("\xff", 2000)))}),
		"the exponent one":        with(rs, map[string]any{"e": "AQ"}),
		"an even exponent":        with(rs, map[string]any{"e": "AgAA"}),
		"an exponent without end": with(rs, map[string]any{"e": rs["n"]}),
		"no exponent":             with(rs, map[string]any{"e": nil}),
		"members of another type": with(good, map[string]any{"x": 1}),
	} {
		raw, _ := json.Marshal(map[string]any{"keys": []any{k, "text", 1, nil, other}}) //nolint:errcheck // maps of texts
		set, err := parseSet(raw, b.o.Algorithms)
		if err != nil || len(set) != 1 || set["other"].public == nil {
			t.Errorf("%s: %d keys, %v", name, len(set), err)
		}
	}
	raw, _ := json.Marshal(map[string]any{"keys": []any{good, es, with(rs, map[string]any{"kid": "ed"})}}) //nolint:errcheck // maps of texts
	set, err := parseSet(raw, b.o.Algorithms)
	if err != nil || len(set) != 1 || set["es"].alg != "ES256" {
		t.Errorf("one kid twice: %v, %v", set, err)
	}
}

// TestLargeKeySets: a set as large as the plugin publishes is read to its end, and one that
// is too large is nobody's bad token.
func TestLargeKeySets(t *testing.T) {
	b := newBench(t, nil)
	list := make([]map[string]any, 0, maxKeys+1)
	for i := range 1000 {
		k := public("RS256", fmt.Sprintf("%032d", i), pairs()["RS256"])
		k["n"] = b64([]byte(strings.Repeat("\xff", 1024)))
		list = append(list, k)
	}
	list = append(list, public("EdDSA", "ed", pairs()["EdDSA"]))
	b.publish(list...)
	if _, err := b.Verify(t.Context(), b.token(t, nil)); err != nil {
		t.Errorf("by the last of %d keys: %v", len(list), err)
	}
	b = newBench(t, nil)
	list = list[:0]
	for i := range maxKeys {
		list = append(list, public("EdDSA", fmt.Sprint(i), pairs()["EdDSA"]))
	}
	b.publish(append(list, public("EdDSA", "ed", pairs()["EdDSA"]))...)
	if _, err := b.Verify(t.Context(), b.token(t, nil)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("by the last of too many keys: %v", err)
	}
}

func FuzzParseSet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"alg":"EdDSA","crv":"Ed25519","x":"EGxiIm7sB2a03tKMxyOTgtVfJXYe1d5O5L-jNS_cXc8","kty":"OKP","kid":"a"}]}`))
	f.Add([]byte(`{"keys":[{"alg":"ES256","crv":"P-256","kty":"EC","x":"IKRvGLg88vpC5TqOkuT_Ht1V5K_T0XvytzPdUQczMbE",` +
		`"y":"dsAfzLKMT96oGrfo93fLM5C_YC-llAdLNM4awjpbij8","kid":"b","use":"sig"}]}`))
	f.Add([]byte(`{"keys":[{"kid":"a","kty":"RSA","alg":"RS256","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := parseSet(body, []string{"EdDSA", "ES256", "ES512", "RS256", "PS256"})
		if err != nil && set != nil {
			t.Fatal("keys with an error")
		}
		for kid, k := range set {
			if kid == "" || k.public == nil || k.alg == "" {
				t.Fatalf("an empty key under %q", kid)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	b := newBench(f, nil)
	good := b.token(f, nil)
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := b.Verify(t.Context(), token)
		if err == nil && token != good {
			t.Fatalf("accepted %q", token)
		}
		if err != nil && (c.All != nil || !errors.Is(err, ErrInvalid)) {
			t.Fatalf("%v", err)
		}
	})
}
