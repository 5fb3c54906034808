package grant

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// V2 is a grant of version 2 as it travels: JSON with these members, times in
// milliseconds since 1970.
type V2 struct {
	Version        string   `json:"version"` // "v2"
	ID             string   `json:"id"`
	Issuer         string   `json:"issuer"` // the server's base URL
	UserID         string   `json:"userId"`
	MissionID      string   `json:"missionId"`
	Tables         []string `json:"tables"`
	RecordIDs      []string `json:"recordIds"` // "table:id", in the order of the sealed keys
	RecipientKeyID string   `json:"recipientKeyId"`
	SigningKeyID   string   `json:"signingKeyId"`
	KeyVersion     int64    `json:"keyVersion"` // of the user's master key
	IssuedAt       int64    `json:"issuedAt"`
	ExpiresAt      int64    `json:"expiresAt"`

	WrappedKey string `json:"wrappedKey"` // base64 of the mission key under RSA-OAEP
	IV         string `json:"iv"`         // base64 of 12 bytes
	SealedKeys string `json:"sealedKeys"` // base64 of the record keys, encrypted, tag behind
	Signature  string `json:"signature"`  // base64 of 64 bytes
}

// Limits of a grant.
const (
	MaxRecords = 1000
	MaxTables  = 100
	MaxText    = 256 // bytes of an id or a name
)

const (
	ivSize  = 12
	tagSize = 16
)

// header is everything that a grant says, in one encoding: every part has its length, so
// that no two grants have the same. It is label, associated data and signed.
func (g *V2) header() []byte {
	b := []byte("sallyport mission grant v2\x00")
	text := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	list := func(l []string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(l)))
		for _, s := range l {
			text(s)
		}
	}
	for _, s := range []string{g.ID, g.Issuer, g.UserID, g.MissionID, g.RecipientKeyID, g.SigningKeyID} {
		text(s)
	}
	for _, n := range []int64{g.KeyVersion, g.IssuedAt, g.ExpiresAt} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	list(g.Tables)
	list(g.RecordIDs)
	return b
}

// signed is what the signature covers: the header and what is bound to it.
func (g *V2) signed() []byte {
	b := g.header()
	for _, s := range []string{g.WrappedKey, g.IV, g.SealedKeys} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// RecordKey derives the key of one record from the master key. Clients encrypt the record
// under it.
func RecordKey(masterKey []byte, userID, recordID string) ([]byte, error) {
	return hkdf.Key(sha256.New, masterKey, []byte(userID), "sallyport-record-key-v1:"+recordID, KeySize)
}

// KeyID names an RSA public key: base64url of the SHA-256 of its SubjectPublicKeyInfo.
func KeyID(k *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// SigningKeyID names an issuer's public key: base64url of its SHA-256.
func SigningKeyID(k ed25519.PublicKey) string {
	sum := sha256.Sum256(k)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// SplitRecordID splits "table:id"; ok is false for anything else, and beyond the limits.
func SplitRecordID(s string) (table, id string, ok bool) {
	table, id, ok = strings.Cut(s, ":")
	return table, id, ok && table != "" && id != "" && len(s) <= MaxText
}

// Seal fills in the keys and the signature of g, whose other members are set. The lists
// are sorted here.
func (g *V2) Seal(random io.Reader, masterKey []byte, to *rsa.PublicKey, by ed25519.PrivateKey) error {
	var err error
	g.Version, g.Tables, g.RecordIDs = "v2", Sort(g.Tables), Sort(g.RecordIDs)
	g.SigningKeyID = SigningKeyID(by.Public().(ed25519.PublicKey))
	if g.RecipientKeyID, err = KeyID(to); err != nil {
		return err
	}
	keys := make([]byte, 0, KeySize*len(g.RecordIDs))
	defer func() { clear(keys[:cap(keys)]) }()
	for _, id := range g.RecordIDs {
		k, err := RecordKey(masterKey, g.UserID, id)
		if err != nil {
			return err
		}
		keys = append(keys, k...)
		clear(k)
	}
	mission, iv := make([]byte, KeySize), make([]byte, ivSize)
	defer clear(mission)
	if _, err := io.ReadFull(random, mission); err != nil {
		return err
	}
	if _, err := io.ReadFull(random, iv); err != nil {
		return err
	}
	aead, err := gcm(mission)
	if err != nil {
		return err
	}
	header := g.header()
	wrapped, err := rsa.EncryptOAEP(sha256.New(), random, to, mission, header)
	if err != nil {
		return err
	}
	g.WrappedKey, g.IV = base64.StdEncoding.EncodeToString(wrapped), base64.StdEncoding.EncodeToString(iv)
	g.SealedKeys = base64.StdEncoding.EncodeToString(aead.Seal(nil, iv, keys, header))
	g.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(by, g.signed()))
	return nil
}

// Errors of Open and Parse. What else they return is a failure of their arguments.
var (
	ErrMalformed = errors.New("malformed")     // it is no grant
	ErrRejected  = errors.New("wrap-rejected") // altered, or for another recipient, or by another issuer
)

// Verify checks form and signature: after it, everything that g says was said by the
// issuer.
func (g *V2) Verify(issuer ed25519.PublicKey) error {
	if err := g.check(); err != nil {
		return err
	}
	sig, ok := decode(g.Signature)
	if !ok || len(sig) != ed25519.SignatureSize {
		return ErrMalformed
	}
	if g.SigningKeyID != SigningKeyID(issuer) || !ed25519.Verify(issuer, g.signed(), sig) {
		return fmt.Errorf("%w: the signature is not the issuer's", ErrRejected)
	}
	return nil
}

// check refuses what no issuer makes.
func (g *V2) check() error {
	bad := g.Version != "v2" || len(g.Tables) == 0 || len(g.Tables) > MaxTables || len(g.RecordIDs) == 0 || len(g.RecordIDs) > MaxRecords
	for _, s := range []string{g.ID, g.Issuer, g.UserID, g.MissionID, g.RecipientKeyID, g.SigningKeyID} {
		bad = bad || s == "" || len(s) > MaxText
	}
	known := map[string]bool{}
	for _, t := range g.Tables {
		bad = bad || t == "" || len(t) > MaxText || known[t]
		known[t] = true
	}
	seen := map[string]bool{}
	for _, id := range g.RecordIDs {
		table, _, ok := SplitRecordID(id)
		bad = bad || !ok || !known[table] || seen[id]
		seen[id] = true
	}
	if bad || g.IssuedAt <= 0 || g.ExpiresAt <= g.IssuedAt {
		return ErrMalformed
	}
	return nil
}

// Open gives the keys of the records, by record id. Verify it first.
func (g *V2) Open(key *rsa.PrivateKey) (map[string][]byte, error) {
	wrapped, ok := decode(g.WrappedKey)
	iv, also := decode(g.IV)
	sealed, too := decode(g.SealedKeys)
	if !ok || !also || !too || len(iv) != ivSize || len(sealed) != KeySize*len(g.RecordIDs)+tagSize {
		return nil, ErrMalformed
	}
	header := g.header()
	mission, err := rsa.DecryptOAEP(sha256.New(), nil, key, wrapped, header)
	if err != nil {
		return nil, ErrRejected
	}
	defer clear(mission)
	if len(mission) != KeySize {
		return nil, ErrMalformed
	}
	aead, err := gcm(mission)
	if err != nil {
		return nil, err
	}
	keys, err := aead.Open(nil, iv, sealed, header)
	if err != nil {
		return nil, ErrRejected
	}
	out := make(map[string][]byte, len(g.RecordIDs))
	for i, id := range g.RecordIDs {
		out[id] = keys[i*KeySize : (i+1)*KeySize : (i+1)*KeySize]
	}
	return out, nil
}

// Expires is when the grant ends.
func (g *V2) Expires() time.Time { return time.UnixMilli(g.ExpiresAt).UTC() }

// Digest names a grant by all that it is: base64url of SHA-256.
func (g *V2) Digest() string { return digest(g.signed()) }

// Digest names a grant by its wrapped key, which no other has.
func (g *V1) Digest() string { return digest([]byte(g.WrappedKey)) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// decode decodes base64 (RFC 4648 section 4) of the one form that a value has.
func decode(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return raw, err == nil && base64.StdEncoding.EncodedLen(len(raw)) == len(text)
}
