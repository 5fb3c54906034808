package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

type vectors struct {
	Secret    string
	Symmetric []struct{ What, Plaintext, Ciphertext string }
	Versioned []struct {
		What, Plaintext, Ciphertext string
		Secrets                     []Entry
		Legacy                      string `json:"legacy_secret"`
		FailsWithout                bool   `json:"fails_without_legacy_secret"`
	} `json:"symmetric_versioned"`
}

func load(tb testing.TB) (v vectors) {
	tb.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func must(tb testing.TB, entries []Entry, legacy string) *Keyring {
	tb.Helper()
	k, err := New(entries, legacy)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestSymmetricVectors(t *testing.T) {
	v := load(t)
	if len(v.Symmetric) != 2 || len(v.Versioned) != 3 {
		t.Fatal(len(v.Symmetric), len(v.Versioned))
	}
	single := Single(v.Secret)
	for _, c := range v.Symmetric {
		if got, err := single.Decrypt(c.Ciphertext); err != nil || string(got) != c.Plaintext {
			t.Errorf("%s: %q %v", c.What, got, err)
		}
		nonce, err := hex.DecodeString(c.Ciphertext[:48])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := single.Encrypt(bytes.NewReader(nonce), []byte(c.Plaintext)); err != nil || got != c.Ciphertext {
			t.Errorf("%s: encrypted to %s, %v", c.What, got, err)
		}
	}
	rotated := v.Versioned[0].Secrets
	for i, c := range v.Versioned {
		list := c.Secrets
		if list == nil {
			list = rotated
		}
		k := must(t, list, c.Legacy)
		if got, err := k.Decrypt(c.Ciphertext); err != nil || string(got) != c.Plaintext {
			t.Errorf("%s: %q %v", c.What, got, err)
		}
		if c.FailsWithout {
			if got, err := must(t, list, "").Decrypt(c.Ciphertext); !errors.Is(err, ErrNoKey) || got != nil {
				t.Errorf("%s: without it %q %v", c.What, got, err)
			}
			if got, err := must(t, list, DefaultSecret).Decrypt(c.Ciphertext); !errors.Is(err, ErrNoKey) || got != nil {
				t.Errorf("%s: with the published default %q %v", c.What, got, err)
			}
		}
		if i == 0 {
			nonce, _ := hex.DecodeString(strings.TrimPrefix(c.Ciphertext, "$ba$2$")[:48])
			if got, err := k.Encrypt(bytes.NewReader(nonce), []byte(c.Plaintext)); err != nil || got != c.Ciphertext {
				t.Errorf("encrypted to %s, %v", got, err)
			}
			if _, err := single.Decrypt(c.Ciphertext); err == nil {
				t.Error("an envelope was read without versions")
			}
		}
	}
}

func TestDecryptRefuses(t *testing.T) {
	k := must(t, []Entry{{Version: 2, Value: "two"}, {Version: 1, Value: "one"}}, "old")
	good, err := k.Encrypt(rand.Reader, []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	body := strings.TrimPrefix(good, "$ba$2$")
	for name, c := range map[string]struct {
		s    string
		want error
	}{
		"other version":    {"$ba$1$" + body, ErrDecrypt},
		"unknown version":  {"$ba$3$" + body, ErrNoKey},
		"negative version": {"$ba$-1$" + body, ErrDecrypt},
		"padded version":   {"$ba$02$" + body, ErrDecrypt},
		"version text":     {"$ba$2x$" + body, ErrDecrypt},
		"no version":       {"$ba$" + body, ErrDecrypt},
		"bare":             {body, ErrDecrypt},
		"altered":          {good[:len(good)-1] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", good[len(good)-1])+1)%16]), ErrDecrypt},
		"cut":              {good[:len(good)-2], ErrDecrypt},
		"odd":              {good[:len(good)-1], ErrDecrypt},
		"short":            {"$ba$2$00", ErrDecrypt},
		"empty":            {"", ErrDecrypt},
		"no hex":           {"$ba$2$" + strings.Repeat("zz", 60), ErrDecrypt},
		"long":             {strings.Repeat("a", 3*MaxPlain), ErrTooLong},
	} {
		if got, err := k.Decrypt(c.s); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	broken := iotest.ErrReader(errors.New("broken"))
	if s, err := k.Encrypt(broken, nil); err == nil || s != "" {
		t.Error("a broken source of randomness was not noticed")
	}
	if s, err := k.Seal(bytes.NewReader(make([]byte, 23)), "p", nil, nil); err == nil || s != "" {
		t.Error("a short source of randomness was not noticed")
	}
	if _, err := k.Encrypt(rand.Reader, make([]byte, MaxPlain+1)); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	s, err := k.Encrypt(rand.Reader, make([]byte, MaxPlain))
	if got, err2 := k.Decrypt(s); err != nil || err2 != nil || len(got) != MaxPlain {
		t.Error("the longest value does not come back", err, err2)
	}
}

func TestSeal(t *testing.T) {
	single := Single("one")
	first, err := single.Seal(rand.Reader, "p", []byte("plain"), []byte("row 1"))
	if err != nil || !strings.HasPrefix(first, "sp1.legacy.") {
		t.Fatal(first, err)
	}
	k := must(t, []Entry{{Version: 2, Value: "two"}, {Version: 1, Value: "mid", DecryptOnly: true}}, "one")
	good, err := k.Seal(rand.Reader, "p", []byte("plain"), []byte("row 1"))
	if err != nil || !strings.HasPrefix(good, "sp1.2.") {
		t.Fatal(good, err)
	}
	mid, err := must(t, []Entry{{Version: 1, Value: "mid"}}, "").Seal(rand.Reader, "p", []byte("plain"), []byte("row 1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		k       *Keyring
		s       string
		purpose string
		aad     string
		ok      bool
	}{
		"current":                {k, good, "p", "row 1", true},
		"older, decrypt-only":    {k, mid, "p", "row 1", true},
		"before versions":        {k, first, "p", "row 1", true},
		"other purpose":          {k, good, "q", "row 1", false},
		"other row":              {k, good, "p", "row 2", false},
		"no aad":                 {k, good, "p", "", false},
		"purpose and aad moved":  {k, good, "pr", "ow 1", false},
		"version changed":        {k, "sp1.1." + good[6:], "p", "row 1", false},
		"same secret, version 3": {must(t, []Entry{{Version: 3, Value: "two"}}, ""), "sp1.3." + good[6:], "p", "row 1", false},
		"version gone":           {must(t, []Entry{{Version: 3, Value: "two"}}, ""), good, "p", "row 1", false},
		"no legacy":              {must(t, []Entry{{Version: 2, Value: "one"}}, ""), first, "p", "row 1", false},
		"other form":             {k, "sp2" + good[3:], "p", "row 1", false},
		"cut":                    {k, good[:len(good)-1], "p", "row 1", false},
		"newline":                {k, good + "\n", "p", "row 1", false},
		"padding":                {k, good + "=", "p", "row 1", false},
		"short":                  {k, "sp1.2.AAAA", "p", "row 1", false},
		"empty":                  {k, "", "p", "row 1", false},
		"prefix":                 {k, "sp1.", "p", "row 1", false},
		"long":                   {k, good + strings.Repeat("A", 2*MaxPlain), "p", "row 1", false},
	} {
		got, err := c.k.Open(c.purpose, c.s, []byte(c.aad))
		if c.ok != (err == nil) || c.ok && string(got) != "plain" || !c.ok && got != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if b, err := k.Encrypt(rand.Reader, []byte("x")); err != nil {
		t.Fatal(err)
	} else if _, err := k.Open("p", b, nil); !errors.Is(err, ErrDecrypt) {
		t.Errorf("Better Auth's form opened: %v", err)
	}
}

func TestMAC(t *testing.T) {
	k := must(t, []Entry{{Version: 2, Value: "two"}, {Version: 1, Value: "one"}, {Version: 0, Value: "zero", DecryptOnly: true}}, "")
	sum := k.MAC("p", []byte("ab"), []byte("c"))
	for name, other := range map[string][]byte{
		"shifted":       k.MAC("p", []byte("a"), []byte("bc")),
		"joined":        k.MAC("p", []byte("abc")),
		"empty part":    k.MAC("p", []byte("ab"), []byte("c"), nil),
		"other purpose": k.MAC("q", []byte("ab"), []byte("c")),
		"other secret":  Single("one").MAC("p", []byte("ab"), []byte("c")),
	} {
		if bytes.Equal(sum, other) || len(other) != 32 {
			t.Errorf("%s: the same MAC", name)
		}
	}
	if !bytes.Equal(sum, k.MAC("p", []byte("ab"), []byte("c"))) {
		t.Error("not stable")
	}
}

func TestNew(t *testing.T) {
	for name, c := range map[string]struct {
		entries []Entry
		legacy  string
	}{
		"nothing":         {nil, ""},
		"default alone":   {nil, DefaultSecret},
		"default listed":  {[]Entry{{Version: 1, Value: DefaultSecret}}, ""},
		"negative":        {[]Entry{{Version: -1, Value: "hush-hush"}}, ""},
		"repeated":        {[]Entry{{Version: 1, Value: "hush-hush"}, {Version: 1, Value: "hush-hush-2"}}, ""},
		"empty":           {[]Entry{{Version: 1}}, "hush-hush"},
		"first read-only": {[]Entry{{Version: 1, Value: "hush-hush", DecryptOnly: true}}, ""},
	} {
		k, err := New(c.entries, c.legacy)
		if err == nil || k != nil {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), DefaultSecret) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
	entries := []Entry{{Version: 2, Value: "two"}, {Version: 0, Value: "ro", DecryptOnly: true}, {Version: 1, Value: "one"}}
	k := must(t, entries, "old")
	entries[0].Value = "changed"
	if string(k.Current()) != "two" {
		t.Errorf("current %q", k.Current())
	}
	text := func(keys [][]byte) (out []string) {
		for _, k := range keys {
			out = append(out, string(k))
		}
		return out
	}
	for _, c := range []struct {
		k    *Keyring
		want []string
	}{
		{k, []string{"two", "one", "old"}},
		{Single("s"), []string{"s"}},
		{must(t, nil, "s"), []string{"s"}},
		{must(t, []Entry{{Version: 1, Value: "a"}}, DefaultSecret), []string{"a"}},
		{must(t, []Entry{{Version: 1, Value: "a"}, {Version: 0, Value: "b", DecryptOnly: true}}, "b"), []string{"a"}},
	} {
		if got := text(c.k.SigningKeys()); !reflect.DeepEqual(got, c.want) {
			t.Errorf("signing keys %q, want %q", got, c.want)
		}
	}
}

func TestParseEnv(t *testing.T) {
	got, err := ParseEnv(" 2: abc:d , 10:def ")
	if want := []Entry{{Version: 2, Value: "abc:d"}, {Version: 10, Value: "def"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := ParseEnv(""); got != nil || err != nil {
		t.Error(got, err)
	}
	for _, s := range []string{"hush", "hush:", "1:", "1: ", "-1:hush", "1x:hush", "01:hush", "1:a,", ":hush", "1.5:hush", "99999999999:hush", " ", "1:a,hush:b"} {
		if got, err := ParseEnv(s); err == nil || got != nil {
			t.Errorf("%q: %+v", s, got)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: the error tells it: %v", s, err)
		}
	}
}

func TestWeak(t *testing.T) {
	for s, weak := range map[string]bool{
		"": true, "short": true, strings.Repeat("x", 31): true, strings.Repeat("x", 64): true,
		DefaultSecret: true, strings.Repeat("ab", 20): true, strings.Repeat("abcdefgh", 5): true,
		strings.Repeat("ab", 16) + "ba": true, strings.Repeat("é", 20): true,
		load(t).Secret: false, "b2e1f0c97a6d4835b2e1f0c97a6d48ff": false, "Zk3v9Qp0sJt6Xw2LmN8rYb5HcVdFgUaE1oTi7=": false,
	} {
		if err := Weak(s); (err != nil) != weak {
			t.Errorf("%q: %v", s, err)
		} else if err != nil && s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("the error tells %q", s)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	v := load(f)
	for _, c := range v.Symmetric {
		f.Add(c.Ciphertext)
	}
	for _, c := range v.Versioned {
		f.Add(c.Ciphertext)
	}
	f.Add("sp1.2.AAAA")
	k := must(f, v.Versioned[0].Secrets, v.Secret)
	known := map[string]bool{"hello world": true, "{\"k\":\"é€😀\",\"n\":1}": true, "rotated": true, "older": true}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := k.Decrypt(s); (err == nil) != (got != nil) || err == nil && !known[string(got)] {
			t.Fatalf("%q, %v", got, err)
		}
		if got, err := k.Open("p", s, nil); err == nil || got != nil {
			t.Fatalf("opened %q", got)
		}
	})
}
