package passkey

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"

	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// timeout is how long browsers wait for the user, in milliseconds.
const timeout = 60000

// challenge is what a verification row holds: Better Auth's members, and the policy for
// user verification where it is "required".
type challenge struct {
	Type     string          `json:"type"`
	Expected string          `json:"expectedChallenge"`
	User     challengeUser   `json:"userData"`
	Context  json.RawMessage `json:"context,omitempty"` // text or null, of a registration
	Policy   string          `json:"userVerification,omitempty"`

	row, token string
}

type challengeUser struct {
	ID          string  `json:"id"`
	Name        *string `json:"name,omitempty"`
	DisplayName *string `json:"displayName,omitempty"`
}

func (ch *challenge) encode() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // as JSON.stringify writes it
	err := e.Encode(ch)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// parseChallenge reads a row's value; ok is false for what is none, or of the other
// ceremony.
func parseChallenge(value, ceremony string) (ch challenge, ok bool) {
	return ch, json.Unmarshal([]byte(value), &ch) == nil && ch.Type == ceremony && ch.Expected != ""
}

// expect is what the answer must meet. The configuration may demand more than was stored
// with the challenge, never less.
func (ch *challenge) expect(policy string) expectation {
	return expectation{ch.Expected, policy == "required" || ch.Policy == "required"}
}

// begin stores a challenge and gives the browser the cookie that names it.
func (p *Plugin) begin(ctx context.Context, c *core.Call, ch *challenge, policy string) error {
	var random [32]byte
	if _, err := io.ReadFull(p.host.Random(), random[:]); err != nil {
		return err
	}
	ch.Expected = base64.RawURLEncoding.EncodeToString(random[:])
	if policy == "required" {
		ch.Policy = policy
	}
	token, err := p.host.RandomString(core.Alphanumeric+"-_", 32)
	if err != nil {
		return err
	}
	value, err := ch.encode()
	if err != nil {
		return err
	}
	if err := p.host.PutVerification(ctx, p.host.DB(), token, value, challengeLife); err != nil {
		return err
	}
	c.SetSigned(p.cookie, token, false)
	return nil
}

// pending reads the challenge that the request's cookie names, without using it up.
func (p *Plugin) pending(ctx context.Context, c *core.Call, ceremony string) (ch challenge, err error) {
	token, ok := c.Signed(p.cookie)
	if !ok {
		return ch, ErrChallengeNotFound
	}
	v, found, err := p.host.PeekVerification(ctx, p.host.DB(), token)
	if err != nil {
		return ch, err
	}
	if ch, ok = parseChallenge(v.Value, ceremony); !found || !ok {
		// A row of another flow, named by a cookie that was moved here, stays what it is.
		return ch, ErrChallengeNotFound
	}
	ch.row, ch.token = v.ID, token
	return ch, nil
}

// take uses the challenge up: of N parallel calls one gets nil.
func (p *Plugin) take(ctx context.Context, q storage.Conn, ch challenge) error {
	v, found, err := p.host.TakeVerification(ctx, q, ch.token)
	if err == nil && (!found || v.ID != ch.row) {
		err = ErrChallengeNotFound
	}
	return err
}

// refuse uses the challenge up and returns the refusal.
func (p *Plugin) refuse(ctx context.Context, ch challenge, refusal error) error {
	if err := p.take(ctx, p.host.DB(), ch); err != nil {
		return err
	}
	return refusal
}

// CreationOptions are for navigator.credentials.create.
type CreationOptions struct {
	Challenge   string            `json:"challenge"`
	RP          relyingParty      `json:"rp"`
	User        userEntity        `json:"user"`
	Params      []parameter       `json:"pubKeyCredParams"`
	Timeout     int               `json:"timeout"`
	Attestation string            `json:"attestation"`
	Exclude     []descriptor      `json:"excludeCredentials"`
	Selection   selectionCriteria `json:"authenticatorSelection"`
	Extensions  map[string]any    `json:"extensions"`
	Hints       []string          `json:"hints"`
}

type relyingParty struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

type userEntity struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type parameter struct {
	Alg  webauthncose.COSEAlgorithmIdentifier `json:"alg"`
	Type string                               `json:"type"`
}

type selectionCriteria struct {
	ResidentKey        string `json:"residentKey"`
	UserVerification   string `json:"userVerification"`
	Attachment         string `json:"authenticatorAttachment,omitempty"`
	RequireResidentKey bool   `json:"requireResidentKey"`
}

// RequestOptions are for navigator.credentials.get.
type RequestOptions struct {
	RPID             string         `json:"rpId"`
	Challenge        string         `json:"challenge"`
	Allow            []descriptor   `json:"allowCredentials,omitempty"`
	Timeout          int            `json:"timeout"`
	UserVerification string         `json:"userVerification"`
	Extensions       map[string]any `json:"extensions,omitempty"`
}
