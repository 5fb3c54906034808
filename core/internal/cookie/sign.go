package cookie

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

const (
	// maxSigned is the longest signed value that Verify looks at, in bytes. No
	// browser stores a longer cookie (RFC 6265 section 6.1).
	maxSigned = 4096
	// sigLen is the length of a base64 HMAC-SHA-256 with its padding.
	sigLen = 44
)

// Sign returns "plain.sig" percent-encoded, ready for Cookie.Value; sig is the padded
// base64 HMAC-SHA-256 of plain. It panics on an empty key, which would sign for anybody.
func Sign(key []byte, plain string) string {
	if len(key) == 0 {
		panic("cookie: empty signing key")
	}
	var sig [sigLen]byte
	signature(&sig, key, plain)
	return Encode(plain + "." + string(sig[:]))
}

// Verify checks a signed value as it stands in the Cookie header, with or without
// percent-encoding and quotes, and returns the signed text and the index of the key
// that fits (0 is the current one; above 0 the caller signs anew). On failure key is -1.
//
// The comparison takes constant time. It compares the text of the signature, so one
// whose unused low bits were altered is refused, which a decoder would let pass.
func Verify(keys [][]byte, raw string) (plain string, key int, ok bool) {
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
	for i, k := range keys {
		if len(k) == 0 {
			continue
		}
		signature(&want, k, v[:dot])
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return v[:dot], i, true
		}
	}
	return "", -1, false
}

func signature(dst *[sigLen]byte, key []byte, plain string) {
	var sum [sha256.Size]byte
	m := hmac.New(sha256.New, key)
	m.Write([]byte(plain))
	base64.StdEncoding.Encode(dst[:], m.Sum(sum[:0]))
}
