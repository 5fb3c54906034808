// Package grant is the format of mission grants: how a user's server gives a program (the
// runner) the keys of some records for some time. It does no I/O and depends on the
// standard library alone; the server's plugin and the runner share it.
//
// # Version 2
//
// Every record of a user is encrypted under a key of its own, derived from the master key
// of the user's vault (RecordKey), so that giving one record away gives nothing else. A
// grant carries the keys of its records, encrypted under a random mission key
// (AES-256-GCM), which is wrapped for the recipient (RSA-OAEP with SHA-256, RFC 8017
// section 7.1). Everything that a grant says (its id, issuer, user, mission, scope, times,
// recipient's key) is one encoding in which every part has its length (Header); it is the
// associated data of the encryption and the label of the wrap, and the issuer signs it
// together with both (Ed25519, RFC 8032). So nothing of a grant can be altered, moved to
// another grant or made by somebody else, and no two scopes have the same encoding.
//
// # Version 1
//
// The old system's: a mission key is derived from the master key and the sorted scope
// (HKDF-SHA256, RFC 5869) and wrapped without a label. Scope and times are not
// authenticated: the runner cannot derive the key again, and believes what the grant says.
// It is there for old runners. Lists are joined by commas, so that ids with commas are
// refused when one is made.
package grant
