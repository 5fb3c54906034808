package token

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// chacha is a reproducible source.
func chacha() io.Reader { return rand.NewChaCha8([32]byte{1}) }

func TestRandomUniform(t *testing.T) {
	for _, c := range []struct {
		name, alphabet string
		size           int
	}{
		{"Alphanumeric", Alphanumeric, 62}, {"Letters", Letters, 52},
		{"Digits", Digits, 10}, {"two", "01", 2},
	} {
		if len(c.alphabet) != c.size {
			t.Errorf("%s has %d characters, want %d", c.name, len(c.alphabet), c.size)
		}
		r, count := chacha(), map[rune]int{}
		const rounds = 200
		for range rounds {
			s, err := Random(r, c.alphabet, MaxLen)
			if err != nil || len(s) != MaxLen {
				t.Fatal(len(s), err)
			}
			for _, x := range s {
				count[x]++
			}
		}
		// Chi-squared against the uniform distribution; the source is fixed, so this
		// gives the same figure every time. Bias by remainder gives thousands.
		want, chi := float64(rounds*MaxLen)/float64(c.size), 0.0
		for _, x := range c.alphabet {
			d := float64(count[x]) - want
			chi += d * d / want
		}
		if len(count) != c.size || chi > 2*float64(c.size)+10 {
			t.Errorf("%s: %d characters occur, chi-squared %.1f", c.name, len(count), chi)
		}
	}
}

func TestRandomErrors(t *testing.T) {
	broken := iotest.ErrReader(errors.New("broken"))
	for name, f := range map[string]func() (string, error){
		"reader":    func() (string, error) { return Random(broken, Digits, 6) },
		"short":     func() (string, error) { return Random(bytes.NewReader(make([]byte, 7)), Digits, 6) },
		"ID":        func() (string, error) { return ID(broken) },
		"UUIDv4":    func() (string, error) { return UUIDv4(bytes.NewReader(make([]byte, 15))) },
		"zero":      func() (string, error) { return Random(chacha(), Digits, 0) },
		"negative":  func() (string, error) { return Random(chacha(), Digits, -1) },
		"too long":  func() (string, error) { return Random(chacha(), Digits, MaxLen+1) },
		"empty":     func() (string, error) { return Random(chacha(), "", 6) },
		"one":       func() (string, error) { return Random(chacha(), "a", 6) },
		"repeats":   func() (string, error) { return Random(chacha(), "aba", 6) },
		"non-ASCII": func() (string, error) { return Random(chacha(), "é", 6) },
		"stuck":     func() (string, error) { return Random(stuck(0xff), Digits, 6) },
	} {
		if s, err := f(); err == nil || s != "" {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
}

type stuck byte

func (s stuck) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

func TestID(t *testing.T) {
	a, err := ID(chacha())
	b, err2 := Random(chacha(), Alphanumeric, 32)
	if err != nil || err2 != nil || a != b || len(a) != 32 {
		t.Errorf("%q %q %v %v", a, b, err, err2)
	}
}

func TestUUID(t *testing.T) {
	u, err := UUIDv4(bytes.NewReader(bytes.Repeat([]byte{0xff}, 16)))
	if err != nil || u != "ffffffff-ffff-4fff-bfff-ffffffffffff" {
		t.Error(u, err)
	}
	u, err = UUIDv4(bytes.NewReader(make([]byte, 16)))
	if err != nil || u != "00000000-0000-4000-8000-000000000000" {
		t.Error(u, err)
	}
}

func TestHashB64(t *testing.T) {
	if HashB64("") != "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU" {
		t.Error(HashB64(""))
	}
}
