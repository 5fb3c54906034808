package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"slices"
	"time"
)

const (
	// What the plugin may publish (a thousand keys behind each other, RSA of 8192 bits) fits.
	maxAnswer = 2 << 20 // bytes of a key set
	maxKeys   = 1200    // in it
)

// key is a public key with the one algorithm that it is for.
type key struct {
	alg    string
	public crypto.PublicKey
}

// key finds a key, and fetches where that may help.
func (v *Verifier) key(ctx context.Context, kid string) (key, error) {
	for waited := false; ; waited = true {
		v.mu.Lock()
		now := v.o.Now()
		age := now.Sub(v.fetched)
		usable := v.keys != nil && age <= v.o.MaxAge
		k, known := v.keys[kid]
		good := usable && known
		var flight chan struct{}
		if !good || age > v.o.MaxAge/2 {
			flight = v.fetch(ctx, now)
		}
		last := v.last
		v.mu.Unlock()
		switch {
		case good:
			return k, nil
		case flight != nil && !waited:
			select {
			case <-flight:
			case <-ctx.Done():
				return key{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
			}
		case usable && last == nil:
			return key{}, invalid("unknown kid")
		case last != nil:
			return key{}, fmt.Errorf("%w: %w", ErrUnavailable, last)
		default:
			return key{}, ErrUnavailable
		}
	}
}

// fetch starts a fetch, or finds the one that runs; nil if the last began too recently.
// v.mu is held. The fetch does not end with the request that wanted it.
func (v *Verifier) fetch(ctx context.Context, now time.Time) chan struct{} {
	if v.flight != nil {
		return v.flight
	}
	if !v.tried.IsZero() && now.Sub(v.tried) < v.o.MinRefresh {
		return nil
	}
	v.tried, v.flight = now, make(chan struct{})
	flight := v.flight
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.o.Timeout)
		defer cancel()
		keys, err := v.load(ctx)
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.last = err; err == nil {
			v.keys, v.fetched = keys, now
		}
		v.flight = nil
		close(flight)
	}()
	return flight
}

// load gets the key set. Keys that are none of ours are passed over.
func (v *Verifier) load(ctx context.Context) (map[string]key, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.o.JWKSURL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := v.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || t != "application/json" && t != "application/jwk-set+json" {
		return nil, errors.New("the answer is no JSON")
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("more than %d bytes", maxAnswer)
	}
	return parseSet(body, v.o.Algorithms)
}

// jwk are the members of a public JWK that count (RFC 7517, RFC 7518, RFC 8037).
type jwk struct {
	Kid, Kty, Alg, Use, Crv, X, Y, N, E string
}

// parseSet reads a key set. Two keys under one kid make it ambiguous, and neither counts.
func parseSet(body []byte, algorithms []string) (map[string]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, errors.New("the answer is no key set")
	}
	if len(set.Keys) > maxKeys { // a part of them would make good tokens bad ones
		return nil, fmt.Errorf("more than %d keys", maxKeys)
	}
	out, twice := map[string]key{}, map[string]bool{}
	for _, raw := range set.Keys {
		var j jwk
		if json.Unmarshal(raw, &j) != nil || j.Kid == "" || j.Use != "" && j.Use != "sig" || !slices.Contains(algorithms, j.Alg) {
			continue
		}
		public := j.public()
		if public == nil {
			continue
		}
		_, there := out[j.Kid]
		twice[j.Kid] = twice[j.Kid] || there
		out[j.Kid] = key{j.Alg, public}
	}
	for kid, t := range twice {
		if t {
			delete(out, kid)
		}
	}
	return out, nil
}

// public makes the key, or nil if it is not one of its algorithm.
func (j *jwk) public() crypto.PublicKey {
	x, y, n, e := decode(j.X), decode(j.Y), decode(j.N), decode(j.E)
	switch j.Alg {
	case "EdDSA":
		if j.Kty == "OKP" && j.Crv == "Ed25519" && len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	case "ES256", "ES512":
		c := elliptic.P256()
		if j.Alg == "ES512" {
			c = elliptic.P521()
		}
		size := (c.Params().BitSize + 7) / 8
		if j.Kty != "EC" || j.Crv != c.Params().Name || len(x) != size || len(y) != size {
			return nil
		}
		if p, err := ecdsa.ParseUncompressedPublicKey(c, slices.Concat([]byte{4}, x, y)); err == nil {
			return p
		}
	case "RS256", "PS256":
		p := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
		for _, b := range e {
			p.E = p.E<<8 | int(b)
		}
		// Larger moduli cost the verifier more than a request is worth.
		if bits := p.N.BitLen(); j.Kty == "RSA" && bits >= 2048 && bits <= 8192 && len(e) > 0 && len(e) <= 4 && p.E >= 3 && p.E&1 == 1 {
			return p
		}
	}
	return nil
}

// decode reads base64url without padding; what is none is empty.
func decode(s string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
