package cookie

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strings"
	"sync"
)

const (
	// maxSigned is the longest signed value that Verify looks at, in bytes. No
	// browser stores a longer cookie (RFC 6265 section 6.1).
	maxSigned = 4096
	// sigLen is the length of a base64 HMAC-SHA-256 with its padding.
	sigLen = 44
)

// Signer signs cookies under the first of its keys and verifies them under all. It keeps
// the HMACs of each key: to make one costs more than to use it. It serves any number of
// goroutines.
type Signer struct{ keys []*macs }

// NewSigner makes a Signer; empty keys verify nothing.
func NewSigner(keys [][]byte) *Signer {
	s := &Signer{}
	for _, k := range keys {
		m := &macs{empty: len(k) == 0}
		m.pool.New = func() any { return &mac{h: hmac.New(sha256.New, k)} }
		s.keys = append(s.keys, m)
	}
	return s
}

// current is the key that signs. An empty one would sign for anybody.
func (s *Signer) current() *macs {
	if len(s.keys) == 0 || s.keys[0].empty {
		panic("cookie: empty signing key")
	}
	return s.keys[0]
}

// macs are the HMAC-SHA-256s of one key that nobody uses at the moment.
type macs struct {
	empty bool
	pool  sync.Pool
}

// mac is one of them, with room for what goes in and comes out.
type mac struct {
	h   hash.Hash
	in  []byte
	sum [sha256.Size]byte
}

// of computes the MAC of what write appends.
func (k *macs) of(write func(b []byte) []byte) (sum [sha256.Size]byte) {
	m := k.pool.Get().(*mac)
	m.in = write(m.in[:0])
	m.h.Reset()
	m.h.Write(m.in)
	m.h.Sum(m.sum[:0])
	sum = m.sum
	clear(m.in) // it may have been a token
	if cap(m.in) > maxKept {
		m.in = nil
	}
	k.pool.Put(m)
	return sum
}

// maxKept is the longest room, in bytes, that is kept for the next one.
const maxKept = 16 << 10

// Sign returns "plain.sig" percent-encoded, ready for Cookie.Value; sig is the padded
// base64 HMAC-SHA-256 of plain. It panics without a key, which would sign for anybody.
func (s *Signer) Sign(plain string) string {
	var sig [sigLen]byte
	s.current().signature(&sig, plain)
	return Encode(plain + "." + string(sig[:]))
}

// Verify checks a signed value as it stands in the Cookie header, with or without
// percent-encoding and quotes, and returns the signed text and the index of the key
// that fits (0 is the current one; above 0 the caller signs anew). On failure key is -1.
//
// The comparison takes constant time. It compares the text of the signature, so one
// whose unused low bits were altered is refused, which a decoder would let pass.
func (s *Signer) Verify(raw string) (plain string, key int, ok bool) {
	if len(raw) > maxSigned {
		return "", -1, false
	}
	v := Decode(raw)
	dot := strings.LastIndexByte(v, '.')
	if dot < 1 || len(v)-dot-1 != sigLen || v[len(v)-1] != '=' {
		return "", -1, false
	}
	var got, want [sigLen]byte
	copy(got[:], v[dot+1:])
	for i, k := range s.keys {
		if k.empty {
			continue
		}
		k.signature(&want, v[:dot])
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return v[:dot], i, true
		}
	}
	return "", -1, false
}

func (k *macs) signature(dst *[sigLen]byte, plain string) {
	sum := k.of(func(b []byte) []byte { return append(b, plain...) })
	base64.StdEncoding.Encode(dst[:], sum[:])
}
