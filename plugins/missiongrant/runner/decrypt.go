package runner

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// recordPrefix marks an encrypted value: "enc:1:" + base64(iv) + "." + base64(ciphertext
// and tag), AES-256-GCM of the value's JSON.
const recordPrefix = "enc:1:"

// Decrypt decrypts one field of a granted record and returns its JSON. Before it returns,
// the audit has the decryption, or the refusal: where it cannot be written, nothing is
// given out. Grants that have ended meanwhile are refused; a revocation meanwhile is not
// noticed (open the grant again, as each run of a mission does).
func (o *Opened) Decrypt(ctx context.Context, table, id, stored string) (json.RawMessage, error) {
	value, reason := o.decrypt(table, id, stored)
	d := contract.Decryption{UserID: o.mission.UserID, MissionID: o.mission.ID, IterationID: o.mission.IterationID, Table: table, RecordID: id,
		Status: "ok", At: o.r.o.Now().UTC()}
	switch reason {
	case "":
	case ScopeViolation:
		d.Status, d.Reason = "scope-violation", "record-not-in-grant-allowlist"
	default:
		d.Status, d.Reason = "failed", string(reason)
	}
	if err := o.r.o.Audit.Record(ctx, d); err != nil {
		clear(value)
		return nil, refuse(NotAudited, err)
	}
	if reason != "" {
		return nil, refuse(reason, nil)
	}
	return value, nil
}

func (o *Opened) decrypt(table, id, stored string) (json.RawMessage, Reason) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	recordID := table + ":" + id
	switch {
	case strings.Contains(table, ":") || !o.allowed[recordID]: // "a:b" and "c" would be "b:c" of the table a
		return nil, ScopeViolation
	case o.r.o.Now().After(o.expires.Add(o.r.o.Skew)):
		return nil, Expired
	}
	key := o.shared
	if o.keys != nil {
		key = o.keys[recordID]
	}
	plain, err := OpenRecord(key, stored)
	switch {
	case errors.Is(err, errMalformed):
		return nil, RecordMalformed
	case err != nil:
		return nil, RecordRejected
	}
	return plain, ""
}

var (
	errMalformed = errors.New("runner: not an encrypted value")
	errRejected  = errors.New("runner: the value does not open under this key")
)

// OpenRecord decrypts one value under its key.
func OpenRecord(key []byte, stored string) (json.RawMessage, error) {
	rest, ok := strings.CutPrefix(stored, recordPrefix)
	if !ok {
		return nil, errMalformed
	}
	a, b, ok := strings.Cut(rest, ".")
	iv, err := base64.StdEncoding.Strict().DecodeString(a)
	text, err2 := base64.StdEncoding.Strict().DecodeString(b)
	if !ok || err != nil || err2 != nil || len(iv) != 12 || len(text) < 16 {
		return nil, errMalformed
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errRejected
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, errRejected
	}
	plain, err := aead.Open(nil, iv, text, nil)
	if err != nil {
		return nil, errRejected
	}
	if !json.Valid(plain) {
		return nil, errMalformed
	}
	return plain, nil
}
