package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/contract"
)

func kek(id string, fill byte) KEK {
	raw := bytes.Repeat([]byte{fill}, keySize)
	raw[0]++
	return KEK{ID: id, Key: base64.StdEncoding.EncodeToString(raw)}
}

func ring(t testing.TB, keks ...KEK) *Keyring {
	t.Helper()
	k, err := NewKeyring(nil, keks...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A wrap of the old system: iv in a column of its own, no associated data.
func TestBareFormat(t *testing.T) {
	k := ring(t, kek("env-v1", 7))
	raw, _ := base64.StdEncoding.DecodeString(kek("env-v1", 7).Key)
	block, err := aes.NewCipher(raw)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	iv, master := bytes.Repeat([]byte{9}, ivSize), bytes.Repeat([]byte{3}, keySize)
	text := aead.Seal(nil, iv, master, nil)
	if len(text) != 48 {
		t.Fatalf("%d bytes", len(text))
	}
	w := contract.WrappedKey{KeyID: "env-v1", Ciphertext: base64.StdEncoding.EncodeToString(text), IV: base64.StdEncoding.EncodeToString(iv)}
	got, err := k.Unwrap(t.Context(), w, associated(formatBare, "anybody", "env-v1", 1))
	if err != nil || !bytes.Equal(got, master) {
		t.Errorf("%x, %v", got, err)
	}
}

// Every byte and every part that a wrap is bound to counts.
func TestBoundFormat(t *testing.T) {
	k := ring(t, kek("a", 1), kek("b", 2))
	master := bytes.Repeat([]byte{5}, keySize)
	aad := associated(formatBound, "user", "a", 3)
	w, err := k.Wrap(t.Context(), master, aad)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Unwrap(t.Context(), w, aad); err != nil || !bytes.Equal(got, master) {
		t.Fatalf("%x, %v", got, err)
	}
	for name, other := range map[string][]byte{
		"another user":     associated(formatBound, "User", "a", 3),
		"another key":      associated(formatBound, "user", "b", 3),
		"another version":  associated(formatBound, "user", "a", 2),
		"no data":          nil,
		"moved boundaries": associated(formatBound, "use", "ra", 3),
	} {
		if _, err := k.Unwrap(t.Context(), w, other); !errors.Is(err, contract.ErrWrapRejected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, field := range []*string{&w.Ciphertext, &w.IV} {
		was := *field
		raw, _ := base64.StdEncoding.DecodeString(was)
		for i := range raw {
			raw[i] ^= 1
			*field = base64.StdEncoding.EncodeToString(raw)
			raw[i] ^= 1
			if _, err := k.Unwrap(t.Context(), w, aad); !errors.Is(err, contract.ErrWrapRejected) {
				t.Errorf("byte %d altered: %v", i, err)
			}
		}
		for _, s := range []string{"", "=", was[:len(was)-4], was + was, was + "\n", " " + was, strings.TrimRight(was, "=") + "-"} {
			*field = s
			if got, err := k.Unwrap(t.Context(), w, aad); !errors.Is(err, contract.ErrWrapRejected) {
				t.Errorf("%q: %x, %v", s, got, err)
			}
		}
		*field = was
	}
	w.KeyID = "b"
	if _, err := k.Unwrap(t.Context(), w, aad); !errors.Is(err, contract.ErrWrapRejected) {
		t.Errorf("under another key: %v", err)
	}
	w.KeyID = "c"
	if _, err := k.Unwrap(t.Context(), w, aad); !errors.Is(err, contract.ErrUnknownKey) {
		t.Errorf("under an unknown key: %v", err)
	}
}

func TestCheckValue(t *testing.T) {
	key := make([]byte, keySize)
	for i := range key {
		key[i] = byte(i + 1)
	}
	// Computed with Node's crypto.hkdfSync("sha256", key, "user-1", "sallyport-vault-check-v1", 16).
	const want = "o5hTMcTX5ejwSQDd5OV1oQ=="
	got, err := checkValue(key, "user-1")
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	if ok, _ := fits(got, key, "user-2"); ok {
		t.Error("the value fits another user")
	}
	key[31]++
	if ok, _ := fits(got, key, "user-1"); ok {
		t.Error("the value fits another key")
	}
}

func TestKeyringFaults(t *testing.T) {
	good := kek("a", 1).Key
	for name, tt := range map[string]struct {
		keys []KEK
		want string
	}{
		"none":         {nil, "no key-encryption key"},
		"short":        {[]KEK{{"a", base64.StdEncoding.EncodeToString(make([]byte, 31))}}, "exactly 32 bytes"},
		"long":         {[]KEK{{"a", base64.StdEncoding.EncodeToString(make([]byte, 33))}}, "exactly 32 bytes"},
		"no base64":    {[]KEK{{"a", strings.Repeat("!", 44)}}, "exactly 32 bytes"},
		"zero":         {[]KEK{{"a", base64.StdEncoding.EncodeToString(make([]byte, 32))}}, "no random key"},
		"one byte":     {[]KEK{{"a", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))}}, "no random key"},
		"twice":        {[]KEK{{"a", good}, {"a", good}}, "given twice"},
		"odd id":       {[]KEK{{"a b", good}}, "entry 1: an id has letters"},
		"several":      {[]KEK{{"", good}, {"b", "x"}}, "entry 2: want exactly"},
		"exchanged":    {ParseKeys(good + ":k1"), "entry 1: an id has"},
		"of the other": {ParseKeys(base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte("secret"), 5)) + ":k1"), "entry 1: want exactly"},
		"hex of a key": {[]KEK{{"a", strings.Repeat("0a", 32)}}, "exactly 32 bytes"},
	} {
		_, err := NewKeyring(nil, tt.keys...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		for _, k := range tt.keys {
			for _, secret := range []string{k.Key, k.ID} {
				if err != nil && len(secret) > 8 && strings.Contains(err.Error(), secret) {
					t.Errorf("%s: the error holds the key", name)
				}
			}
		}
	}
}

func TestParseKeys(t *testing.T) {
	got := ParseKeys(" new:AAA= , \n old:BBB=\r\n\nCCC= ")
	want := []KEK{{"new", "AAA="}, {"old", "BBB="}, {"env-v1", "CCC="}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d: %v", i, got[i])
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	k := ring(f, kek("a", 1))
	w, err := k.Wrap(f.Context(), bytes.Repeat([]byte{5}, keySize), associated(formatBound, "u", "a", 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(w.KeyID, w.Ciphertext, w.IV)
	f.Add("", "", "")
	f.Add("a", "AA==", "AAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, id, text, iv string) {
		key, err := k.Unwrap(t.Context(), contract.WrappedKey{KeyID: id, Ciphertext: text, IV: iv}, associated(formatBound, "u", "a", 1))
		if err != nil && key != nil {
			t.Error("a key with an error")
		}
		if err == nil && (id != w.KeyID || text != w.Ciphertext || iv != w.IV) {
			t.Errorf("%q %q %q opens", id, text, iv)
		}
	})
}

func FuzzDecodeExactly(f *testing.F) {
	f.Add(base64.StdEncoding.EncodeToString(make([]byte, 12)))
	f.Add("AAAAAAAAAAAAAAAA\n")
	f.Fuzz(func(t *testing.T, s string) {
		raw, err := decodeExactly("x", s, ivSize)
		if err == nil && base64.StdEncoding.EncodeToString(raw) != s {
			t.Errorf("%q has another form", s)
		}
	})
}
