package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// frameStyle is the hash of the one style that may stand in markup: that of the frames in
// which m/mail-body.js shows mails, as it is there.
const frameStyle = "'sha256-MlJbZO+7hFGwjrcb+13/+Pef/dCWzXZBT6xZHJ61VSw='"

// contentPolicy allows the page's own files and its own origin's API, nothing else.
// There is neither inline script nor inline style but one of ours, so that text that slips
// into markup stays text (CSP Level 3, section 8). Frames without an address of their own
// inherit it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' " + frameStyle + "; " +
	"img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// permissionsPolicy switches off what the pages never use and keeps WebAuthn for
// this origin, for plugins that bring passkeys.
const permissionsPolicy = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), " +
	"publickey-credentials-create=(self), publickey-credentials-get=(self)"

const (
	// cacheNever is for documents: their URLs may carry a reset token, and a copy of
	// the account page must not come back from a cache after sign-out.
	cacheNever = "no-store"
	// cacheCheck is for files whose URL stays the same when they change.
	cacheCheck = "no-cache"
	// cacheForever is for files whose URL holds the hash of their contents
	// (RFC 8246 for "immutable").
	cacheForever = "public, max-age=31536000, immutable"
)

// headers returns what every answer carries. Referrer-Policy keeps a token in the
// query of /reset from leaving the page.
func headers(contentType, cache string) map[string]string {
	return map[string]string{
		"Content-Type":                 contentType,
		"Cache-Control":                cache,
		"Content-Security-Policy":      contentPolicy,
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           permissionsPolicy,
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	}
}

// etag is a strong validator (RFC 9110, section 8.8.3) over the bytes.
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// Match reports whether the If-None-Match header names tag, so that the mount answers
// 304 without a body. The comparison is the weak one of RFC 9110, section 13.1.2. An
// empty tag never matches.
func Match(ifNoneMatch, tag string) bool {
	if tag == "" {
		return false
	}
	for part := range strings.SplitSeq(ifNoneMatch, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
