package mailprovisioning

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	minLocal = 3  // characters
	maxLocal = 30 // characters, the number behind a taken name included
)

// reserved are local parts that people take for the operator's: RFC 2142, and what is
// asked for in fraud. A name is compared without dots and without digits at either end, so
// that "post.master", "admin1" and "1.admin" are none either.
var reserved = strings.Fields(`
	abuse admin administrator alert alerts all anonymous api auth autoconfig autodiscover billing bounce bounces ceo cert certs
	compliance contact daemon devnull dmarc dns domain email everyone ftp guest help helpdesk hostmaster hr info invoice it
	legal list listserv mail mailer mailerdaemon mailman majordomo marketing me master nagios news nobody noc noreply notification
	notifications null office operator owner passwd password payment payments postfix postmaster press privacy request root
	sales secure security server service shop smtp spam ssl ssladmin sslwebmaster staff subscribe support sysadmin system team
	tls unsubscribe update user usenet uucp verify webmail webmaster www`)

func reservedSet(more []string) map[string]bool {
	out := map[string]bool{}
	for _, list := range [][]string{reserved, more} {
		for _, s := range list {
			out[canonical(localPart(s))] = true
		}
	}
	return out
}

func canonical(local string) string {
	return strings.Trim(strings.ReplaceAll(local, ".", ""), "0123456789")
}

// letters that decomposition does not take apart.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "ł", "l", "ı", "i")

// localPart makes a local part of a text: in lower case, white space to dots, accents taken
// off, and of the rest only a to z, 0 to 9 and dots, none at an end or beside another. It
// is empty where nothing readable is left, as of a name in another script.
func localPart(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(letters.Replace(strings.ToLower(text))) {
		switch {
		case unicode.IsSpace(r), r == '.', r == '-', r == '_':
			if s := b.String(); s != "" && !strings.HasSuffix(s, ".") {
				b.WriteByte('.')
			}
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), maxLocal)], ".")
}

// candidate is the local part that a user should have: of their name, else of their
// address; empty if neither gives one.
func (p *Plugin) candidate(name, email string) string {
	local, _, _ := strings.Cut(email, "@")
	for _, text := range []string{name, local} {
		if s := localPart(text); p.allowed(s) {
			return s
		}
	}
	return ""
}

// allowed tells whether a local part may be somebody's.
func (p *Plugin) allowed(local string) bool {
	// Only digits would be taken for a telephone number.
	return len(local) >= minLocal && strings.Trim(local, "0123456789.") != "" && !p.reserved[canonical(local)]
}

// numbered is a local part with a number behind it, within the length.
func numbered(local, number string) string {
	return strings.TrimRight(local[:min(len(local), maxLocal-len(number))], ".") + number
}
