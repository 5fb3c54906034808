// Package missiongrant lets a user give a program (a mission's runner) the keys of chosen
// records for some time, out of the vault, and see what was done with them.
//
// # Flow
//
// A client asks for a grant (POST /mission-grant) and leaves the answer with the mission.
// The server takes the master key from the vault for a moment, derives the keys of the
// records that were asked for, and wraps them for the runner's public key (package grant has
// the format). It keeps a row without any key, so that the grant can be listed and revoked.
// The runner (package runner) checks the grant, asks the server whether it still holds
// (GET /mission-grant/status, with the service key), decrypts the granted records and no
// other, and writes each decryption into a table that only grows, before it gives the
// record out (adapters/decryptaudit). The user reads that table by GET /mission-grant/audit.
//
// Version 1 is the old system's and is what POST /api/v1/me/ai-mission-grant answers unless
// it is asked for "version": "v2". Its key is derived from the scope, and records have to be
// encrypted under that key by the client; its scope and times are not authenticated.
//
// # What holds
//
// The recipient is fixed by the configuration, so that a stolen session cannot have keys
// wrapped for itself. A grant of version 2 names user, mission, records, times, issuer and
// the recipient's key, all bound to the wrap and signed: nothing of it can be altered or used
// elsewhere. It holds the keys of the granted records alone, not one from which others could
// be derived. With zero knowledge the server has no key, and answers 409. What was granted
// before anybody had proved the account's address is revoked by the first proof of it.
//
// # What does not hold
//
// A revocation reaches the runner when it asks: at the beginning of a run. What it has
// decrypted by then it has. The server cannot tell whether a record exists or is the user's:
// records are the app's. The key of a record that does not exist opens nothing.
package missiongrant
