package contract

import (
	"errors"
	"strings"
)

// Limits of an address in bytes: RFC 5321 section 4.5.3.1.1 for the local part, and
// section 4.5.3.1.3 (a path of 256 less its angle brackets) for the whole.
const (
	maxLocal   = 64
	maxAddress = 254
	maxLabel   = 63 // RFC 1035 section 2.3.4
)

// ErrAddress says that an address is not one that mail may be sent to. It never repeats
// the address.
var ErrAddress = errors.New("not a bare mail address")

// atext is RFC 5322 section 3.2.3 less letters and digits. A space, an angle bracket, a
// double quote, CR, LF and NUL are not in it.
const atext = "!#$%&'*+-/=?^_`{|}~"

// CheckAddress reports whether address is a bare addr-spec: a Dot-string, "@" and a
// domain of letters, digits and hyphens (RFC 5321 section 4.1.2). It returns [ErrAddress]
// for all else, on purpose also for what the RFC allows but mail libraries get wrong:
// quoted local parts, display names, comments, domain literals. Addresses outside ASCII
// are refused; an internationalised domain is written as xn--.
//
// A library that places an unchecked address in MAIL FROM or RCPT TO lets its author add
// recipients or commands: CVE-2025-59937.
func CheckAddress(address string) error {
	if len(address) > maxAddress {
		return ErrAddress
	}
	local, domain, ok := strings.Cut(address, "@")
	if !ok || !isDotString(local) || !isDomain(domain) {
		return ErrAddress
	}
	return nil
}

func isDotString(s string) bool {
	if s == "" || len(s) > maxLocal {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if !isAlnum(atom[i]) && strings.IndexByte(atext, atom[i]) < 0 {
				return false
			}
		}
	}
	return true
}

func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
