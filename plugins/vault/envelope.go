package vault

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// Formats of a wrapped master key.
const (
	// formatBare is the old system's: AES-256-GCM without associated data. It is read as it
	// is, and a row of it that somebody copies to another user opens there.
	formatBare = 1
	// formatBound binds user, key-encryption key, format and key version to the ciphertext.
	formatBound = 2
)

// associated is what a wrap is bound to. Every part carries its length, so that no two
// lists of parts give the same bytes.
func associated(format int, userID, kekID string, keyVersion int) []byte {
	if format == formatBare {
		return nil
	}
	out := []byte("sallyport vault wrap\x00")
	out = binary.BigEndian.AppendUint32(out, uint32(format))
	for _, part := range []string{userID, kekID} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return binary.BigEndian.AppendUint64(out, uint64(keyVersion))
}

// checkValue tells whether a master key is the right one without being it: 16 bytes of
// HKDF-SHA256 (RFC 5869) of the key with the user's id as salt. The key is 32 random
// bytes, so the value is of no use for finding it. Clients compute the same.
func checkValue(masterKey []byte, userID string) (string, error) {
	out, err := hkdf.Key(sha256.New, masterKey, []byte(userID), "sallyport-vault-check-v1", 16)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(out), nil
}

// fits compares a check value with the one of a key, in constant time.
func fits(check string, masterKey []byte, userID string) (bool, error) {
	own, err := checkValue(masterKey, userID)
	return subtle.ConstantTimeCompare([]byte(own), []byte(check)) == 1, err
}

// decode decodes base64 (RFC 4648 section 4) of the one form that a value has: padded,
// without anything else in it. The library alone passes over line ends.
func decode(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || base64.StdEncoding.EncodedLen(len(raw)) != len(text) {
		zero(raw)
		return nil, false
	}
	return raw, true
}

// decodeExactly is decode of a known length in bytes.
func decodeExactly(what, text string, size int) ([]byte, error) {
	raw, ok := decode(text)
	if !ok || len(raw) != size {
		zero(raw)
		return nil, fmt.Errorf("%s must be base64 of exactly %d bytes", what, size)
	}
	return raw, nil
}
