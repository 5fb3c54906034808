package passkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// Flags of authenticator data (WebAuthn Level 3, section 6.1).
const (
	up, uv, be, bs, at = 0x01, 0x04, 0x08, 0x10, 0x40
)

// key is an authenticator in software with one credential. Every field may be bent.
type key struct {
	id      []byte
	private crypto.Signer
	cose    map[int]any
	counter uint32
	flags   byte
	rpID    string
	origin  string
	format  string // of the attestation
	cross   bool

	statement object // of the attestation, in place of the right one
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newKey makes a synced passkey for the harness's server.
func newKey(alg int) *key {
	k := &key{id: make([]byte, 32), flags: up | uv | be | bs, rpID: "auth.example.com", origin: "https://auth.example.com", format: "none"}
	must(rand.Read(k.id))
	switch alg {
	case -8:
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		k.private = must(priv, err)
		k.cose = map[int]any{1: 1, 3: alg, -1: 6, -2: []byte(pub)}
	case -257:
		priv := must(rsa.GenerateKey(rand.Reader, 2048))
		k.private = priv
		k.cose = map[int]any{1: 3, 3: alg, -1: priv.N.Bytes(), -2: big.NewInt(int64(priv.E)).Bytes()}
	default:
		curve := elliptic.P256()
		if alg == -35 {
			curve = elliptic.P384()
		}
		priv := must(ecdsa.GenerateKey(curve, rand.Reader))
		k.private = priv
		n := (curve.Params().BitSize + 7) / 8
		k.cose = map[int]any{1: 2, 3: alg, -1: map[int]int{-7: 1, -35: 2}[alg], -2: priv.X.FillBytes(make([]byte, n)), -3: priv.Y.FillBytes(make([]byte, n))}
	}
	return k
}

func (k *key) clientData(kind, challenge string) []byte {
	return must(json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": k.cross}))
}

func (k *key) authData(flags byte, attested []byte) []byte {
	hash := sha256.Sum256([]byte(k.rpID))
	out := append(hash[:], flags)
	out = binary.BigEndian.AppendUint32(out, k.counter)
	return append(out, attested...)
}

func (k *key) sign(message []byte) []byte {
	if priv, ok := k.private.(ed25519.PrivateKey); ok {
		return ed25519.Sign(priv, message)
	}
	sum := sha256.Sum256(message)
	return must(k.private.Sign(rand.Reader, sum[:], crypto.SHA256))
}

type object = map[string]any

// register answers navigator.credentials.create.
func (k *key) register(challenge string) object {
	client := k.clientData("webauthn.create", challenge)
	attested := append(make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(k.id)))...)
	attested = append(append(attested, k.id...), must(webauthncbor.Marshal(k.cose))...)
	auth := k.authData(k.flags|at, attested)
	statement := map[string]any{}
	if k.format == "packed" { // self attestation
		sum := sha256.Sum256(client)
		statement = map[string]any{"alg": k.cose[3], "sig": k.sign(append(auth[:len(auth):len(auth)], sum[:]...))}
	}
	if k.statement != nil {
		statement = k.statement
	}
	obj := must(webauthncbor.Marshal(map[string]any{"fmt": k.format, "attStmt": statement, "authData": auth}))
	return object{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "clientExtensionResults": object{}, "authenticatorAttachment": "platform",
		"response": object{"clientDataJSON": b64(client), "attestationObject": b64(obj), "transports": []string{"internal", "hybrid"}}}
}

// assert answers navigator.credentials.get.
func (k *key) assert(challenge string) object {
	client := k.clientData("webauthn.get", challenge)
	auth := k.authData(k.flags, nil)
	sum := sha256.Sum256(client)
	return object{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "clientExtensionResults": object{},
		"response": object{"clientDataJSON": b64(client), "authenticatorData": b64(auth),
			"signature": b64(k.sign(append(auth[:len(auth):len(auth)], sum[:]...))), "userHandle": b64([]byte("anything"))}}
}
