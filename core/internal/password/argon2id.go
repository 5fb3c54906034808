package password

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params are argon2id's (RFC 9106 section 3.1). A zero field takes its default, OWASP's
// first choice for small memory; values beyond the limits are cut to them.
type Params struct {
	MemoryKiB uint32 // default 19456; 8 per lane to 65536
	Time      uint32 // passes, default 2; 1 to 10
	Threads   uint8  // lanes, default 1; 1 to 16
}

// Limits for what is read from a stored hash, so that a row cannot ask for any amount of
// memory or time.
const (
	argonMaxMemory  = 64 * 1024 // KiB
	argonMaxTime    = 10
	argonMaxThreads = 16
	argonMaxHash    = 512 // bytes of the whole text
	argonSaltLen    = 16
	argonKeyLen     = 32
)

type argonHasher struct{ p Params }

// Argon2id makes PHC strings, "$argon2id$v=19$m=..,t=..,p=..$salt$key" with a salt of 16
// and a key of 32 bytes. It verifies any within the limits of Params, of the normalised
// password and, for hashes made elsewhere, of the password as typed.
func Argon2id(p Params) Hasher {
	if p.MemoryKiB == 0 {
		p.MemoryKiB = 19456
	}
	if p.Time == 0 {
		p.Time = 2
	}
	if p.Threads == 0 {
		p.Threads = 1
	}
	p.Threads = min(p.Threads, argonMaxThreads)
	p.Time = min(p.Time, argonMaxTime)
	p.MemoryKiB = min(max(p.MemoryKiB, 8*uint32(p.Threads)), argonMaxMemory)
	return argonHasher{p}
}

func (h argonHasher) Hash(rand io.Reader, password string) (string, error) {
	if len(password) > MaxBytes {
		return "", ErrTooLong
	}
	salt, err := randomBytes(rand, argonSaltLen)
	if err != nil {
		return "", err
	}
	return phc{h.p, salt, h.p.key(nfkc(password), salt, argonKeyLen)}.String(), nil
}

func (h argonHasher) Verify(hash, password string) (ok, known bool) {
	s, known := parsePHC(hash)
	if !known {
		return false, false
	}
	if len(password) > MaxBytes {
		return false, true
	}
	for _, c := range candidates(password) {
		if subtle.ConstantTimeCompare(s.p.key(c, s.salt, uint32(len(s.key))), s.key) == 1 {
			return true, true
		}
	}
	return false, true
}

func (h argonHasher) NeedsRehash(hash string) bool {
	s, ok := parsePHC(hash)
	return !ok || s.p != h.p || len(s.salt) < argonSaltLen || len(s.key) < argonKeyLen
}

// memory is that of the largest hash that Verify takes, not just of the ones made here.
func (argonHasher) memory() int64 { return argonMaxMemory * 1024 }

func (h argonHasher) dummy(rand io.Reader) (string, error) {
	b, err := randomBytes(rand, argonSaltLen+argonKeyLen)
	if err != nil {
		return "", err
	}
	return phc{h.p, b[:argonSaltLen], b[argonSaltLen:]}.String(), nil
}

func (p Params) key(password string, salt []byte, n uint32) []byte {
	return argon2.IDKey([]byte(password), salt, p.Time, p.MemoryKiB, p.Threads, n)
}

// phc is a parsed PHC string.
type phc struct {
	p         Params
	salt, key []byte
}

func (s phc) String() string {
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, s.p.MemoryKiB, s.p.Time, s.p.Threads, e.EncodeToString(s.salt), e.EncodeToString(s.key))
}

// parsePHC reads an argon2id string of version 19 with m, t and p in this order and
// nothing else, within the limits. Salts have 8 to 64 bytes, keys 16 to 64.
func parsePHC(s string) (phc, bool) {
	if len(s) > argonMaxHash {
		return phc{}, false
	}
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v=19" {
		return phc{}, false
	}
	cost := strings.Split(part[3], ",")
	if len(cost) != 3 {
		return phc{}, false
	}
	m, okM := costValue(cost[0], "m=", argonMaxMemory)
	t, okT := costValue(cost[1], "t=", argonMaxTime)
	p, okP := costValue(cost[2], "p=", argonMaxThreads)
	salt, okS := rawBase64(part[4], 8, 64)
	key, okK := rawBase64(part[5], 16, 64)
	if !okM || !okT || !okP || !okS || !okK || m < 8*p {
		return phc{}, false
	}
	return phc{Params{MemoryKiB: m, Time: t, Threads: uint8(p)}, salt, key}, true
}

func costValue(s, prefix string, limit uint32) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return uint32(n), n >= 1 && n <= uint64(limit)
}

func rawBase64(s string, least, most int) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, false
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) >= least && len(b) <= most
}
