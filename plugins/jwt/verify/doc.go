// Package verify checks tokens of the jwt plugin in services that do not run it. It needs
// the standard library and golang-jwt alone.
//
//	v, err := verify.New(verify.Options{
//		JWKSURL:  "https://auth.example.com/api/auth/jwks",
//		Issuer:   "https://auth.example.com",
//		Audience: "https://auth.example.com",
//	})
//	claims, err := v.Verify(r.Context(), token)
//
// The example shows what a service answers to each error.
//
// # Keys
//
// They are fetched at the first use and kept. From half of MaxAge on they are fetched anew
// beside the requests, beyond MaxAge none is used. An unknown kid fetches at once, since a
// new key may be there. However many requests want it, one fetch runs at a time, and
// between the beginnings of two lie at least MinRefresh: who sends tokens with invented
// kids costs the server nothing.
//
// # Threats
//
//   - Algorithm confusion: algorithms are pinned, "none" and HMAC are no choice, and a
//     token's algorithm must be that of its key, which must have that algorithm's form.
//   - Keys from elsewhere: jku, x5u and jwk in a header are not looked at; crit is refused
//     (RFC 7515, section 4.1.11). JWKS come over https, loopback aside, and redirects are
//     not followed.
//   - Memory: tokens over 16 KiB and answers over 2 MiB are refused before parsing, and
//     the dots of a token are counted first (CVE-2025-30204).
//   - Half-checked tokens: any error comes without claims, and the signature is checked
//     before them (CVE-2024-51744). iss, aud, sub, exp and iat must be there.
//   - An outage that looks like a bad token: keys that cannot be had are ErrUnavailable.
package verify
