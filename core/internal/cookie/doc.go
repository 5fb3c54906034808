// Package cookie reads and writes the cookies of Better Auth's wire format: signed
// cookies, the Set-Cookie line, chunked values, and the session cache in its three
// forms (compact, JWT, JWE).
//
// It does no I/O and takes neither clock nor randomness by itself, with one
// exception that is noted at EncodeJWE. Values that arrive are never trusted before
// their MAC is checked, are capped in length before they are parsed, and are refused
// as a whole when anything about them is odd.
//
// A signed cookie does not bind its name: its MAC covers the value alone, because the
// wire format says so. Whoever reads one must look the value up in the place that
// belongs to that cookie.
package cookie
