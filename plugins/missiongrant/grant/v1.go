package grant

import (
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// KeySize is the length of master, mission and record keys in bytes.
const KeySize = 32

// V1 is a grant of version 1 as clients keep it.
type V1 struct {
	WrappedKey string     `json:"wrappedKey"` // base64
	Derivation Derivation `json:"derivation"`
	IssuedAt   string     `json:"issuedAt"`
	ExpiresAt  string     `json:"expiresAt"`
}

// Derivation is what the key of a V1 was derived from.
type Derivation struct {
	Version   string   `json:"version"` // "v1"
	MissionID string   `json:"missionId"`
	Tables    []string `json:"tables"`
	RecordIDs []string `json:"recordIds"` // "table:id"
}

// Sort sorts as JavaScript does by default, by UTF-16 code units, and takes repetitions
// out.
func Sort(list []string) []string {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b string) int { return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b))) })
	return slices.Compact(out)
}

// MissionKey derives the key of a V1 from the master key. The lists must be sorted.
func MissionKey(masterKey []byte, d Derivation) ([]byte, error) {
	info := "mana-ai-mission-grant:v1:tables=" + strings.Join(d.Tables, ",") + ":ids=" + strings.Join(d.RecordIDs, ",")
	return hkdf.Key(sha256.New, masterKey, []byte(d.MissionID), info, KeySize)
}

// NewV1 makes a grant of version 1 for a recipient. Lists are sorted here.
func NewV1(random io.Reader, masterKey []byte, to *rsa.PublicKey, missionID string, tables, recordIDs []string, issued, expires time.Time) (*V1, error) {
	d := Derivation{Version: "v1", MissionID: missionID, Tables: Sort(tables), RecordIDs: Sort(recordIDs)}
	key, err := MissionKey(masterKey, d)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), random, to, key, nil)
	if err != nil {
		return nil, err
	}
	return &V1{base64.StdEncoding.EncodeToString(wrapped), d, isoTime(issued), isoTime(expires)}, nil
}

// isoTime is how JavaScript writes a time.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Unwrap gives the mission key, by whichever of the recipient's keys it was wrapped for:
// version 1 does not say.
func (g *V1) Unwrap(keys []*rsa.PrivateKey) ([]byte, error) {
	wrapped, ok := decode(g.WrappedKey)
	if !ok || len(g.Derivation.RecordIDs) == 0 || len(g.Derivation.RecordIDs) > MaxRecords {
		return nil, ErrMalformed
	}
	for _, k := range keys {
		key, err := rsa.DecryptOAEP(sha256.New(), nil, k, wrapped, nil)
		if err != nil {
			continue
		}
		if len(key) != KeySize {
			clear(key)
			return nil, ErrMalformed
		}
		return key, nil
	}
	return nil, ErrRejected
}
