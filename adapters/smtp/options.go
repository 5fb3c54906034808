package smtp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"time"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/option"
)

// TLS says how the connection is protected.
type TLS string

const (
	// Mandatory upgrades with STARTTLS (RFC 3207) and fails if the server offers none.
	// It is the default.
	Mandatory TLS = "mandatory"
	// Opportunistic upgrades if the server offers STARTTLS. Whoever sits on the line can
	// remove the offer and read the mail, with its links and codes.
	Opportunistic TLS = "opportunistic"
	// None sends everything in clear, for a server on this machine or for development.
	None TLS = "none"
	// Implicit speaks TLS from the first byte (RFC 8314 section 3.3).
	Implicit TLS = "implicit"
)

const (
	defaultTimeout = 30 * time.Second
	maxTimeout     = 10 * time.Minute
	maxCredential  = 4 << 10 // bytes of Username and of Password
	maxFromName    = 100     // characters
)

// Options say which server sends, and from whom.
type Options struct {
	// Host is the server's name or IP address. Required.
	Host string `yaml:"host"`
	// Port is 1 to 65535. Default: 587; with TLS "implicit" 465, with "none" 25.
	Port int `yaml:"port"`
	// TLS is "mandatory", "opportunistic", "none" or "implicit". Default: "mandatory".
	TLS TLS `yaml:"tls"`
	// Username and Password sign in with AUTH PLAIN (RFC 4616) or LOGIN, once the line is
	// encrypted or if Host is a loopback; otherwise Send fails. Both or neither, at most
	// 4096 bytes each. Default: no sign-in.
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	// From is the sender, "Acme <no-reply@acme.example>" or a bare address. Required.
	From string `yaml:"from"`
	// Hello is the name given in EHLO: a domain. Default: the domain of From.
	Hello string `yaml:"hello"`
	// Timeout bounds one attempt from connecting to QUIT: more than zero, at most 10
	// minutes. Default: 30 s.
	Timeout time.Duration `yaml:"timeout"`
	// Text chooses the texts: see [mailtext.Options].
	Text mailtext.Options `yaml:"text"`
	// TLSConfig holds, for instance, the root certificates of a private authority; it is
	// copied. InsecureSkipVerify and versions before TLS 1.2 are refused. Default: the
	// system's roots, and Host as the name that the certificate must carry.
	TLSConfig *tls.Config `yaml:"-"`
	// Now gives the Date header. Default: time.Now.
	Now func() time.Time `yaml:"-"`
	// Random gives the Message-ID of a message without ExternalID. Default: crypto/rand.
	Random io.Reader `yaml:"-"`
}

// check reports every fault, and returns the sender. No error repeats a credential.
func (o *Options) check() (*mail.Address, error) {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("smtp: "+format, args...))
		}
	}
	fault(!isHost(o.Host), "host must be a name or an IP address")
	fault(o.Port < 1 || o.Port > 65535, "port must be 1 to 65535")
	switch o.TLS {
	case Mandatory, Opportunistic, None, Implicit:
	default:
		fault(true, `tls must be "mandatory", "opportunistic", "none" or "implicit"`)
	}
	fault((o.Username == "") != (o.Password == ""), "username and password belong together")
	fault(!isCredential(o.Username) || !isCredential(o.Password), "username and password must not hold control characters or be longer than %d bytes", maxCredential)
	fault(o.Username != "" && o.TLS == None && !option.Loopback(o.Host), `a password needs TLS: tls must not be "none" unless host is a loopback`)
	fault(o.Timeout < 0 || o.Timeout > maxTimeout, "timeout must be more than zero and at most %v", maxTimeout)
	if c := o.TLSConfig; c != nil {
		fault(c.InsecureSkipVerify, "TLSConfig must not skip the verification of certificates; set RootCAs")
		fault(c.MinVersion != 0 && c.MinVersion < tls.VersionTLS12 || c.MaxVersion != 0 && c.MaxVersion < tls.VersionTLS12, "TLSConfig must not allow versions before TLS 1.2")
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil || mailtext.CheckAddress(from.Address) != nil ||
		mailtext.Line(from.Name) != from.Name || utf8.RuneCountInString(from.Name) > maxFromName {
		fault(true, `from must be an address, or "Name <address>" with a name of at most %d characters`, maxFromName)
		from = nil
	}
	fault(o.Hello != "" && mailtext.CheckAddress("x@"+o.Hello) != nil, "hello must be a domain")
	return from, errors.Join(faults...)
}

// isHost keeps out what a library may take for something else than a host, such as a
// unix:// path. Names of containers may hold an underscore.
func isHost(s string) bool {
	if net.ParseIP(s) != nil {
		return true
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// isCredential refuses NUL, which separates the fields of AUTH PLAIN, and its kin.
func isCredential(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return len(s) <= maxCredential
}
