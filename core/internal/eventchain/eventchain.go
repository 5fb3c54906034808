// Package eventchain links security events to each other, so that none can be altered, added
// or taken away unnoticed. It does no I/O: who uses it stores the records and seals the ends.
//
// A record's link is
//
//	hash = SHA-256(version, previous hash, seq, id, type, actor, reason, time, commitment)
//	commitment = SHA-256(version, salt, user, address, user agent, request id, detail)
//
// each part with its length. What is personal is in the commitment alone: erasing it
// erases the salt too, without which nobody can try out whether a guess fits, and leaves
// every hash as it is.
package eventchain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"
)

const version = "sallyport-audit-1"

// Record is an event with its link.
type Record struct {
	ID         string
	Type       string
	UserID     *string
	Actor      *string
	Reason     *string
	IPAddress  *string
	UserAgent  *string
	RequestID  *string
	Detail     *string
	CreatedAt  time.Time
	Seq        *int64 // place in the chain
	Hash       *string
	Commitment *string // salted hash of what is personal
	Salt       *string // deleted with it
}

// Ends are both ends of a chain: the last link that was taken off at the beginning, and the
// last of all. A chain that has not begun has 0 and no hash.
type Ends struct {
	Base     int64  `json:"base"`
	BaseHash string `json:"baseHash"`
	Head     int64  `json:"head"`
	HeadHash string `json:"headHash"`
}

// Append links a record behind the head. Each has a salt of its own.
func (e *Ends) Append(r *Record, salt [16]byte) {
	text, seq := base64.RawURLEncoding.EncodeToString(salt[:]), e.Head+1
	r.Seq, r.Salt = &seq, &text
	commitment := r.commit()
	r.Commitment = &commitment
	hash := r.link(e.HeadHash)
	r.Hash = &hash
	e.Head, e.HeadHash = seq, hash
}

// link is the hash of a record that has its seq and commitment.
func (r *Record) link(previous string) string {
	seq, at := strconv.FormatInt(*r.Seq, 10), strconv.FormatInt(r.CreatedAt.UnixMilli(), 10)
	return hash(&previous, &seq, &r.ID, &r.Type, r.Actor, r.Reason, &at, r.Commitment)
}

// commit is the commitment to what is personal in a record that has its salt.
func (r *Record) commit() string {
	return hash(r.Salt, r.UserID, r.IPAddress, r.UserAgent, r.RequestID, r.Detail)
}

// hash hashes parts so that no two lists of them are one text: each has its length in
// front, and nothing is not the empty text.
func hash(parts ...*string) string {
	sum := sha256.New()
	sum.Write([]byte(version))
	for _, p := range parts {
		var head [9]byte
		if p != nil {
			head[0] = 1
			binary.BigEndian.PutUint64(head[1:], uint64(len(*p)))
		}
		sum.Write(head[:])
		if p != nil {
			sum.Write([]byte(*p))
		}
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}
