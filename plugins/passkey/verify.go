package passkey

import (
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// algorithms are those that a key may have, in the order of preference: EdDSA, ES256,
// RS256.
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// verifier checks what authenticators answer. It does no I/O.
type verifier struct {
	rpID     string
	allowed  func(origin string) bool
	attested bool // registering wants an attestation
}

// expectation is what was asked for.
type expectation struct {
	challenge    string // base64url
	verification bool   // the user must have been verified
}

// flags are what an authenticator says about the ceremony.
type flags struct {
	verified   bool // the user was, not only present
	deviceType string
	backedUp   bool
}

// registered is a new credential.
type registered struct {
	flags
	id, publicKey, aaguid, transports string
	counter                           int
}

// asserted is a proof of a credential.
type asserted struct {
	flags
	counter int
}

// errSignature means that everything was right but the signature.
var errSignature = errors.New("the signature is not right")

var errNoSignature = errors.New("the signature has no form")

// origins is the list for the library: the origin that was sent if it may be, since the
// library compares web origins less strictly than we do.
func (v *verifier) origins(origin string) []string {
	if v.allowed(origin) {
		return []string{origin}
	}
	return nil
}

func readFlags(d *protocol.AuthenticatorData) (flags, error) {
	f := flags{verified: d.Flags.HasUserVerified(), deviceType: "singleDevice", backedUp: d.Flags.HasBackupState()}
	if d.Flags.HasBackupEligible() {
		f.deviceType = "multiDevice"
	} else if f.backedUp {
		return f, errors.New("the flags say that a key is backed up which cannot be")
	}
	if d.Counter > math.MaxInt32 { // what the column holds
		return f, errors.New("the counter is too large")
	}
	return f, nil
}

// register verifies an answer to navigator.credentials.create.
func (v *verifier) register(response []byte, want expectation) (r registered, err error) {
	p, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return r, reason(err)
	}
	o := p.Response.CollectedClientData.Origin
	_, err = p.Verify(want.challenge, v.rpID, v.origins(o), v.origins(o), nil, protocol.TopOriginExplicitVerificationMode, false,
		want.verification, true, nil, algorithms, protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
	if err != nil {
		return r, reason(err)
	}
	att := &p.Response.AttestationObject
	if v.attested && att.Format == string(protocol.AttestationFormatNone) {
		return r, errors.New("an attestation is required")
	}
	if r.flags, err = readFlags(&att.AuthData); err != nil {
		return r, err
	}
	key := att.AuthData.AttData.CredentialPublicKey
	if _, err := webauthncose.ParsePublicKey(key); err != nil {
		return r, fmt.Errorf("the public key: %w", reason(err))
	}
	r.id = base64.RawURLEncoding.EncodeToString(att.AuthData.AttData.CredentialID)
	r.publicKey = base64.StdEncoding.EncodeToString(key)
	r.counter, r.aaguid = int(att.AuthData.Counter), formatAAGUID(att.AuthData.AttData.AAGUID)
	r.transports = transports(p.Raw.AttestationResponse.Transports)
	return r, nil
}

// authenticate verifies an answer to navigator.credentials.get by a passkey. The counter
// is the caller's to judge.
func (v *verifier) authenticate(response []byte, k *Passkey, want expectation) (a asserted, err error) {
	p, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return a, reason(err)
	}
	if p.ID != k.CredentialID {
		return a, errors.New("the credential is another one")
	}
	key, err := base64.StdEncoding.DecodeString(k.PublicKey)
	if err != nil {
		return a, errors.New("the stored public key is no base64")
	}
	if a.flags, err = readFlags(&p.Response.AuthenticatorData); err != nil {
		return a, err
	}
	a.counter = int(p.Response.AuthenticatorData.Counter)
	o := p.Response.CollectedClientData.Origin
	err = p.Verify(want.challenge, v.rpID, "", v.origins(o), v.origins(o), nil, protocol.TopOriginExplicitVerificationMode, false,
		want.verification, true, key, protocol.SignaturePolicy{})
	var e *protocol.Error
	if errors.As(err, &e) && e.Type == protocol.ErrAssertionSignature.Type {
		return a, signatureFault(key, p.Raw.AssertionResponse.Signature)
	}
	return a, reason(err)
}

// signatureFault tells a wrong signature from what is none: nothing at all, or not the
// DER that ECDSA signatures have (WebAuthn Level 3, section 6.5.5).
func signatureFault(key, signature []byte) error {
	public, err := webauthncose.ParsePublicKey(key)
	if _, ec := public.(webauthncose.EC2PublicKeyData); err == nil && ec {
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(signature, &sig); err != nil || sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
			return errNoSignature
		}
	}
	if signature == nil {
		return errNoSignature
	}
	return errSignature
}

// grows tells whether a counter may follow another: larger, or none at all (WebAuthn
// Level 3, section 6.1.1).
func grows(stored, sent int) bool { return sent > stored || stored == 0 && sent == 0 }

// reason is a library's error for the log: what was wrong, in its words, but none of the
// values that were sent.
func reason(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		return errors.New(e.Type + ": " + strings.ToValidUTF8(e.Details, ""))
	}
	return err
}

func formatAAGUID(b []byte) string {
	if len(b) != 16 {
		return "00000000-0000-0000-0000-000000000000"
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var transport = regexp.MustCompile(`^[a-z-]{1,20}$`)

// transports joins what a client says about how to reach an authenticator. It is a hint
// for browsers, and only what can be one is kept.
func transports(list []string) string {
	list = slices.DeleteFunc(slices.Clone(list), func(t string) bool { return !transport.MatchString(t) })
	return strings.Join(list[:min(len(list), 8)], ",")
}
