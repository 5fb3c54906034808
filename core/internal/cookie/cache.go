package cookie

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// CachePayload is the content of the session cache cookie. Times are in milliseconds
// since 1970.
type CachePayload struct {
	// Session and User are JSON objects with dates as YYYY-MM-DDTHH:MM:SS.mmmZ. What a
	// Decode function returns has JavaScript's canonical form.
	Session, User json.RawMessage
	UpdatedAt     int64
	Version       string // "1" if empty when written or absent when read
	ExpiresAt     int64
}

// EncodeCompact returns the compact form, the default one, ready for Split. It is empty
// if Session or User is not a valid JSON object, and panics without a key.
func (s *Signer) EncodeCompact(p CachePayload) string {
	key := s.current()
	payload, err := p.encode()
	if err != nil {
		return ""
	}
	var sig [43]byte
	key.compact(&sig, payload, p.ExpiresAt)
	b := make([]byte, 0, len(payload)+100)
	b = append(append(b, `{"session":`...), payload...)
	b = strconv.AppendInt(append(b, `,"expiresAt":`...), p.ExpiresAt, 10)
	b = append(append(append(b, `,"signature":"`...), sig[:]...), `"}`...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCompact checks the MAC of the compact form under any of the keys and returns
// the content. raw is as Join or Lookup give it. It checks neither clock nor whose
// session it is: the caller compares ExpiresAt, session.expiresAt, session.token and
// Version. It does refuse a session or user that Better Auth's own reader would not
// take: a missing or mistyped id, userId, token, expiresAt, email or name.
func (s *Signer) DecodeCompact(raw string) (CachePayload, bool) {
	body, ok := decodeBase64(raw)
	if !ok {
		return CachePayload{}, false
	}
	body, err := rewrite(body, true)
	if err != nil {
		return CachePayload{}, false
	}
	var payload, expires, sig []byte
	members(body, func(name, v []byte) {
		switch string(name) {
		case "session":
			payload = v
		case "expiresAt":
			expires = v
		case "signature":
			sig = v
		}
	})
	at, ok := integer(expires)
	if !ok || !isString(sig) || !s.compactValid(payload, at, sig[1:len(sig)-1]) {
		return CachePayload{}, false
	}
	p, ok := decodePayload(payload)
	p.ExpiresAt = at
	return p, ok
}

func (s *Signer) compactValid(payload []byte, expiresAt int64, sig []byte) bool {
	if len(sig) == 44 && sig[43] == '=' {
		sig = sig[:43]
	}
	if len(sig) != 43 || len(payload) < 3 || payload[0] != '{' {
		return false
	}
	clash := false // a member that the MAC input would hold twice
	members(payload, func(name, _ []byte) { clash = clash || string(name) == "expiresAt" })
	if clash {
		return false
	}
	// Better Auth decodes the signature from either alphabet.
	var got, want [43]byte
	for i, c := range sig {
		switch c {
		case '+':
			c = '-'
		case '/':
			c = '_'
		}
		got[i] = c
	}
	for _, k := range s.keys {
		if k.empty {
			continue
		}
		k.compact(&want, payload, expiresAt)
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return true
		}
	}
	return false
}

// compact writes the MAC over the payload's members followed by expiresAt, as one
// object.
func (k *macs) compact(dst *[43]byte, payload []byte, expiresAt int64) {
	sum := k.of(func(b []byte) []byte {
		b = append(append(b, payload[:len(payload)-1]...), `,"expiresAt":`...)
		return append(strconv.AppendInt(b, expiresAt, 10), '}')
	})
	base64.RawURLEncoding.Encode(dst[:], sum[:])
}

// encode returns the payload object in canonical form.
func (p CachePayload) encode() ([]byte, error) {
	version := p.Version
	if version == "" {
		version = "1"
	}
	v, err := MarshalJS(version)
	if err != nil {
		return nil, err
	}
	session, err := object(p.Session)
	if err != nil {
		return nil, err
	}
	user, err := object(p.User)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(session)+len(user)+len(v)+96)
	b = append(append(b, `{"session":`...), session...)
	b = append(append(b, `,"user":`...), user...)
	b = strconv.AppendInt(append(b, `,"updatedAt":`...), p.UpdatedAt, 10)
	return append(append(append(b, `,"version":`...), v...), '}'), nil
}

func object(v json.RawMessage) ([]byte, error) {
	b, err := rewrite(v, true)
	if err == nil && b[0] != '{' {
		err = errJSON
	}
	return b, err
}

// decodePayload reads a canonical payload whose MAC has been checked.
func decodePayload(payload []byte) (CachePayload, bool) {
	p := CachePayload{Version: "1"}
	updated, version := false, true
	members(payload, func(name, v []byte) {
		switch string(name) {
		case "session":
			p.Session = v
		case "user":
			p.User = v
		case "updatedAt":
			p.UpdatedAt, updated = integer(v)
		case "version":
			var s string
			if s, version = text(v); s != "" {
				p.Version = s
			}
		}
	})
	if !updated || !version || !validSession(p.Session) || !validUser(p.User) {
		return CachePayload{}, false
	}
	return p, true
}

func validSession(v []byte) bool {
	bad, need := false, 4
	is := members(v, func(name, v []byte) {
		switch string(name) {
		case "id", "userId", "token":
			need--
			bad = bad || !isString(v)
		case "expiresAt":
			need--
			bad = bad || !isDate(v)
		case "createdAt", "updatedAt":
			bad = bad || !isDate(v)
		case "ipAddress", "userAgent":
			bad = bad || !isString(v) && !isNull(v)
		}
	})
	return is && !bad && need == 0
}

func validUser(v []byte) bool {
	bad, need := false, 3
	is := members(v, func(name, v []byte) {
		switch string(name) {
		case "id", "email", "name":
			need--
			bad = bad || !isString(v)
		case "emailVerified":
			bad = bad || !isBool(v)
		case "createdAt", "updatedAt":
			bad = bad || !isDate(v)
		case "image":
			bad = bad || !isString(v) && !isNull(v)
		}
	})
	return is && !bad && need == 0
}

// decodeBase64 takes a value of the header in either alphabet, not both, with or without
// padding.
func decodeBase64(raw string) ([]byte, bool) {
	if len(raw) > maxValue {
		return nil, false
	}
	v, ok := decode(raw)
	if !ok || v == "" || !isBase64Text(v) {
		return nil, false
	}
	v = strings.TrimRight(v, "=")
	enc := base64.RawStdEncoding
	if strings.ContainsAny(v, "-_") {
		enc = base64.RawURLEncoding
	}
	b, err := enc.DecodeString(v)
	return b, err == nil
}

// isBase64Text reports that there are no line ends, which encoding/base64 skips.
func isBase64Text(s string) bool { return !strings.ContainsAny(s, "\r\n") }
