package password

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/bcrypt"
)

type vectors struct {
	Scrypt []struct {
		What, Password, Hash string
		UTF8                 string `json:"password_utf8_hex"`
		NFKC                 string `json:"nfkc_utf8_hex"`
		Cases                []struct {
			Password string
			Valid    bool
		}
	}
}

func load(tb testing.TB) (v vectors) {
	tb.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil || len(v.Scrypt) != 3 {
		tb.Fatal(err, len(v.Scrypt))
	}
	return v
}

// fast is an argon2id that costs next to nothing.
var fast = Params{MemoryKiB: 8, Time: 1, Threads: 1}

func TestScryptVectors(t *testing.T) {
	h := Scrypt()
	for _, v := range load(t).Scrypt {
		if got := hex.EncodeToString([]byte(v.Password)); got != v.UTF8 {
			t.Fatalf("%s: the file has the password as %s", v.What, got)
		}
		if got := hex.EncodeToString([]byte(nfkc(v.Password))); got != v.NFKC {
			t.Errorf("%s: normalised to %s, want %s", v.What, got, v.NFKC)
		}
		for _, c := range v.Cases {
			if ok, known := h.Verify(v.Hash, c.Password); ok != c.Valid || !known {
				t.Errorf("%s: %q: %v %v", v.What, c.Password, ok, known)
			}
		}
		salt, err := hex.DecodeString(v.Hash[:32])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Hash(bytes.NewReader(salt), v.Password); err != nil || got != v.Hash {
			t.Errorf("%s: hashed to %s, %v", v.What, got, err)
		}
	}
}

func TestScryptForms(t *testing.T) {
	good := load(t).Scrypt[0].Hash
	h := Scrypt()
	if h.NeedsRehash(good) {
		t.Error("its own hash needs a rehash")
	}
	for name, s := range map[string]string{
		"empty": "", "colon": ":", "upper case": strings.ToUpper(good), "cut": good[:len(good)-1], "third part": good + ":x",
		"short salt": good[1:], "no colon": strings.Replace(good, ":", "0", 1), "newline": good + "\n",
	} {
		if ok, known := h.Verify(s, "x"); ok || known || !h.NeedsRehash(s) {
			t.Errorf("%s: %v %v", name, ok, known)
		}
	}
}

// The reference hash is one of src/test.c of the reference implementation (libargon2).
func TestArgon2id(t *testing.T) {
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := Argon2id(fast)
	if ok, known := h.Verify(reference, "password"); !ok || !known {
		t.Errorf("reference: %v %v", ok, known)
	}
	if ok, known := h.Verify(reference, "Password"); ok || !known {
		t.Errorf("reference, wrong password: %v %v", ok, known)
	}
	hash, err := h.Hash(rand.Reader, "\ufb01n\u00e9")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatal(hash, err)
	}
	for password, want := range map[string]bool{"\ufb01n\u00e9": true, "fine\u0301": true, "fine": false, "": false} {
		if ok, known := h.Verify(hash, password); ok != want || !known {
			t.Errorf("%q: %v %v", password, ok, known)
		}
	}
	// A hash that another library made of the text as typed.
	raw := phc{fast, []byte("saltsaltsaltsalt"), fast.key("\ufb01", []byte("saltsaltsaltsalt"), 32)}.String()
	if ok, _ := h.Verify(raw, "\ufb01"); !ok {
		t.Error("hash of the text as typed")
	}
	if def := Argon2id(Params{}).(argonHasher).p; def != (Params{19456, 2, 1}) {
		t.Errorf("defaults %+v", def)
	}
	if cut := Argon2id(Params{1 << 30, 1000, 200}).(argonHasher).p; cut != (Params{65536, 10, 16}) {
		t.Errorf("limits %+v", cut)
	}
	if up := Argon2id(Params{1, 1, 4}).(argonHasher).p; up.MemoryKiB != 32 {
		t.Errorf("8 KiB per lane: %+v", up)
	}
	for name, c := range map[string]struct {
		hash string
		want bool
	}{
		"its own": {hash, false}, "other memory": {strings.Replace(hash, "m=8", "m=9", 1), true},
		"other time": {strings.Replace(hash, "t=1", "t=2", 1), true}, "scrypt": {load(t).Scrypt[0].Hash, true}, "junk": {"x", true},
	} {
		if got := h.NeedsRehash(c.hash); got != c.want {
			t.Errorf("rehash, %s: %v", name, got)
		}
	}
}

func TestArgon2idLimits(t *testing.T) {
	const tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := Argon2id(fast)
	for _, head := range []string{
		"$argon2id$v=19$m=65537,t=1,p=1", "$argon2id$v=19$m=4294967295,t=1,p=1", "$argon2id$v=19$m=4294967304,t=1,p=1",
		"$argon2id$v=19$m=8,t=11,p=1", "$argon2id$v=19$m=8,t=0,p=1", "$argon2id$v=19$m=8,t=1,p=0", "$argon2id$v=19$m=256,t=1,p=17",
		"$argon2id$v=19$m=7,t=1,p=1", "$argon2id$v=19$m=15,t=1,p=2", "$argon2id$v=19$m=08,t=1,p=1", "$argon2id$v=19$m=+8,t=1,p=1",
		"$argon2id$v=19$t=1,m=8,p=1", "$argon2id$v=19$m=8,t=1", "$argon2id$v=19$m=8,t=1,p=1,keyid=x", "$argon2id$v=16$m=8,t=1,p=1",
		"$argon2id$m=8,t=1,p=1", "$argon2i$v=19$m=8,t=1,p=1", "$argon2d$v=19$m=8,t=1,p=1", "argon2id$v=19$m=8,t=1,p=1",
	} {
		if ok, known := h.Verify(head+tail, "password"); ok || known {
			t.Errorf("%s: %v %v", head, ok, known)
		}
	}
	const head = "$argon2id$v=19$m=8,t=1,p=1"
	if _, known := h.Verify(head+tail, "password"); !known {
		t.Fatal("the base of these cases is not known itself")
	}
	for _, tail := range []string{
		"", "$", "$$", "$c29tZXNhbHQ$", "$c29tZXNhbHQ", tail + "$", tail + "=", tail + "\n", "$c29tZQ" + tail[12:],
		"$c29tZXNhbHQ$AAAA", "$" + strings.Repeat("A", 88) + tail[12:], "$c29tZXNhbHQ$" + strings.Repeat("A", 88),
		"$" + strings.Repeat("A", 10000) + "$AAAA", tail[:len(tail)-1] + "d",
	} {
		if ok, known := h.Verify(head+tail, "password"); ok || known {
			t.Errorf("%.60s: %v %v", tail, ok, known)
		}
	}
}

func TestBcrypt(t *testing.T) {
	h := Bcrypt()
	// From the test vectors of Openwall's crypt_blowfish; the three letters mean the same
	// for such a password.
	for _, letter := range []string{"a", "b", "y"} {
		hash, password := "$2"+letter+"$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"
		if ok, known := h.Verify(hash, password); !ok || !known {
			t.Errorf("%s: %v %v", hash, ok, known)
		}
		if ok, known := h.Verify(hash, password+"x"); ok || !known {
			t.Errorf("%s with a wrong password: %v %v", hash, ok, known)
		}
		if !h.NeedsRehash(hash) {
			t.Errorf("%s needs no rehash", hash)
		}
	}
	of := func(s string) string {
		b, err := bcrypt.GenerateFromPassword([]byte(s), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	long := strings.Repeat("a", 72)
	for name, c := range map[string]struct {
		hash, password string
		want           bool
	}{
		"as typed":                   {of("\ufb01"), "\ufb01", true},
		"normalised":                 {of("fi"), "\ufb01", true},
		"72 bytes":                   {of(long), long, true},
		"73 bytes, same beginning":   {of(long), long + "b", false},
		"NFKC fits, typed too long":  {of(strings.Repeat("fi", 30)), strings.Repeat("\ufb01", 30), true},
		"NFKC too long, typed fits":  {of(strings.Repeat("\ufb03", 24)), strings.Repeat("\ufb03", 24), true},
		"too long both, same as cut": {of(strings.Repeat("fi", 36)), strings.Repeat("\ufb01", 37), false},
	} {
		if ok, known := h.Verify(c.hash, c.password); ok != c.want || !known {
			t.Errorf("%s: %v %v", name, ok, known)
		}
	}
	good := of("x")
	for _, bad := range []string{
		"", good[:59], good + "a", "$2x" + good[3:], "$2c" + good[3:], "$1a" + good[3:], "$2a$03" + good[6:], "$2a$16" + good[6:],
		"$2a$31" + good[6:], "$2a$+4" + good[6:], "$2a$ 4" + good[6:], good[:20] + "!" + good[21:], good[:6] + "x" + good[7:],
	} {
		if ok, known := h.Verify(bad, "x"); ok || known {
			t.Errorf("%q: %v %v", bad, ok, known)
		}
	}
	if s, err := h.Hash(rand.Reader, "x"); err == nil || s != "" {
		t.Error("made a bcrypt hash")
	}
}

func TestMulti(t *testing.T) {
	v := load(t).Scrypt[0]
	argon, err := Argon2id(fast).Hash(rand.Reader, v.Password)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bcrypt.GenerateFromPassword([]byte(v.Password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		h      Hasher
		rehash [3]bool // scrypt, argon2id, bcrypt
	}{
		{"scrypt", Multi(Scrypt()), [3]bool{false, true, true}},
		{"argon2id", Multi(Argon2id(fast)), [3]bool{true, false, true}},
		{"stronger argon2id", Multi(Argon2id(Params{MemoryKiB: 16, Time: 1, Threads: 1})), [3]bool{true, true, true}},
	} {
		for i, hash := range []string{v.Hash, argon, string(b)} {
			if ok, known := c.h.Verify(hash, v.Password); !ok || !known {
				t.Errorf("%s: %s: %v %v", c.name, hash, ok, known)
			}
			if ok, known := c.h.Verify(hash, v.Password+" "); ok || !known {
				t.Errorf("%s: %s, wrong: %v %v", c.name, hash, ok, known)
			}
			if got := c.h.NeedsRehash(hash); got != c.rehash[i] {
				t.Errorf("%s: rehash of %s: %v", c.name, hash, got)
			}
		}
		for _, hash := range []string{"", "x", "$argon2id$", "$2a$", ":", "$5$rounds=5000$x$y"} {
			if ok, known := c.h.Verify(hash, "x"); ok || known {
				t.Errorf("%s: %q: %v %v", c.name, hash, ok, known)
			}
		}
		again, err := c.h.Hash(rand.Reader, "pw")
		if err != nil || c.h.NeedsRehash(again) {
			t.Errorf("%s: new hash %s, %v", c.name, again, err)
		}
	}
}

func TestTooLongAndRandomness(t *testing.T) {
	long := strings.Repeat("a", MaxBytes+1)
	broken := iotest.ErrReader(errors.New("broken"))
	hashes := map[string]string{"scrypt": load(t).Scrypt[0].Hash}
	var err error
	if hashes["argon2id"], err = Argon2id(fast).Hash(rand.Reader, "x"); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]Hasher{"scrypt": Scrypt(), "argon2id": Argon2id(fast)} {
		if s, err := h.Hash(rand.Reader, long); !errors.Is(err, ErrTooLong) || s != "" {
			t.Errorf("%s: %q %v", name, s, err)
		}
		if ok, known := h.Verify(hashes[name], long); ok || !known {
			t.Errorf("%s: %v %v", name, ok, known)
		}
		for _, r := range []*bytes.Reader{bytes.NewReader(nil), bytes.NewReader(make([]byte, 15))} {
			if s, err := h.Hash(r, "x"); err == nil || s != "" {
				t.Errorf("%s: a short source of randomness gave %q", name, s)
			}
		}
		if s, err := h.Hash(broken, "x"); err == nil || s != "" {
			t.Errorf("%s: a broken source of randomness gave %q", name, s)
		}
		if _, err := dummyOf(h, broken); err == nil {
			t.Errorf("%s: dummy from a broken source", name)
		}
	}
}

func TestLength(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "é": 1, "e\u0301": 2, "\ufb01": 1, "😀": 2, "👩‍👩‍👧": 8, "\uffff": 1} {
		if got := Length(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	argon, err := Argon2id(fast).Hash(rand.Reader, "x")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(argon)
	f.Add("$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
	f.Add("62b56df1e0dcb90679baa45b20c1a440:12493b53")
	h := Multi(Argon2id(fast))
	f.Fuzz(func(t *testing.T, hash string) {
		// Costly but valid ones are legitimate; only what they may ask for is checked.
		if s, ok := parsePHC(hash); ok {
			if s.p.MemoryKiB > argonMaxMemory || s.p.Time > argonMaxTime || s.p.Threads > argonMaxThreads || s.String() != hash {
				t.Fatalf("%q: %+v", hash, s.p)
			}
			if s.p.MemoryKiB > 64 || s.p.Time > 2 {
				return
			}
		}
		if isBcrypt(hash) && hash[4:6] != "04" || isScrypt(hash) {
			return
		}
		if ok, known := h.Verify(hash, "not the password"); ok || !known && !h.NeedsRehash(hash) {
			t.Fatalf("%q: %v %v", hash, ok, known)
		}
	})
}
