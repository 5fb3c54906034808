package magiclink

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
)

const (
	purpose = "magic-link:"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	// maxToken is the longest token that is looked up, in bytes.
	maxToken = 512
	// minToken is the shortest that GenerateToken may make: 128 bits in base64.
	minToken = 22
	// maxMetadata is how long a request's metadata may be, in bytes of names and values.
	maxMetadata = 4096
)

// record is what a token stands for. Better Auth takes these members and no other.
type record struct {
	Type  string  `json:"type"`
	Email string  `json:"email"` // as it was typed
	Name  *string `json:"name,omitempty"`
}

func (r record) encode() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // as JSON.stringify writes it
	if err := e.Encode(r); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// parseRecord reads a value as strictly as Better Auth does: no member of another name,
// in this very case.
func parseRecord(value string) (r record, ok bool) {
	var m map[string]any
	if json.Unmarshal([]byte(value), &m) != nil || m["type"] != "magic-link" {
		return r, false
	}
	for k, v := range m {
		s, isString := v.(string)
		switch {
		case !isString:
			return r, false
		case k == "type":
			r.Type = s
		case k == "email":
			r.Email = s
		case k == "name":
			r.Name = &s
		default:
			return r, false
		}
	}
	return r, core.ValidEmail(r.Email)
}

// identifier is under which a token is stored. Exactly one form is looked up: were a
// plain one accepted beside a hash, the hash could be presented.
func (p *Plugin) identifier(token string) (string, error) {
	switch p.o.StoreToken {
	case "hashed":
		sum := sha256.Sum256([]byte(token))
		return purpose + base64.RawURLEncoding.EncodeToString(sum[:]), nil
	case "custom":
		stored, err := p.o.Hash(token)
		return purpose + stored, err
	}
	return purpose + token, nil
}

func (p *Plugin) newToken(email string) (string, error) {
	if p.o.GenerateToken == nil {
		return p.host.RandomString(letters, 32)
	}
	t, err := p.o.GenerateToken(email)
	if err == nil && (len(t) < minToken || len(t) > maxToken) {
		err = fmt.Errorf("magic-link: GenerateToken made %d characters, not %d to %d", len(t), minToken, maxToken)
	}
	return t, err
}

// texts gives metadata the form of a message's data: text as it is, all else as JSON.
func texts(metadata map[string]any) (map[string]string, error) {
	out, size := make(map[string]string, len(metadata)+2), 0
	for k, v := range metadata {
		s, ok := v.(string)
		if !ok {
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			s = string(raw)
		}
		if size += len(k) + len(s); size > maxMetadata {
			return nil, ErrMetadataTooLarge
		}
		out[k] = s
	}
	return out, nil
}
