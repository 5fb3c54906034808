package submit

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
)

// Options say which server sends. The zero value is none.
type Options struct {
	// Host is the relay's name or IP address. Default none.
	Host string `yaml:"host"`
	// Port is 1 to 65535. Default 587; with tls "implicit" 465, with "none" 25.
	Port int `yaml:"port"`
	// TLS is "mandatory" (default: STARTTLS), "implicit" (from the first byte), or "none", which
	// is taken for a loopback address alone.
	TLS string `yaml:"tls"`
	// Username and Password sign in with AUTH PLAIN, PasswordFile is a file with the password, in
	// its place. Default none: nobody signs in.
	Username     string `yaml:"username"`
	Password     string `yaml:"password" secret:"true"`
	PasswordFile string `yaml:"passwordFile"`
	// AsUser signs in as the user whose mail it is, with the password of their mailbox: for the
	// mail server's own submission port. Default false.
	AsUser bool `yaml:"asUser"`
	// TLSConfig is for a private certificate authority. Default the system's.
	TLSConfig *tls.Config `yaml:"-"`
}

// New makes a relay, and no connection. timeout bounds one delivery.
func New(o Options, timeout time.Duration) (*Relay, error) {
	port := 587
	switch o.TLS {
	case "", "mandatory":
	case "implicit":
		port = 465
	case "none":
		if port = 25; !option.Loopback(o.Host) {
			return nil, errors.New("tls: mail would travel in the open: want mandatory or implicit")
		}
	default:
		return nil, fmt.Errorf("tls: %q is none of mandatory, implicit, none", o.TLS)
	}
	if o.Port == 0 {
		o.Port = port
	}
	if o.Port < 1 || o.Port > 65535 {
		return nil, errors.New("port: want 1 to 65535")
	}
	if net.ParseIP(o.Host) == nil && contract.CheckAddress("x@"+o.Host) != nil {
		return nil, errors.New("host: want a name or an IP address")
	}
	var err error
	if o.Password, err = option.Secret("password", o.Password, o.PasswordFile); err != nil {
		return nil, err
	}
	if (o.Username == "") != (o.Password == "") {
		return nil, errors.New("username and password belong together")
	}
	if o.AsUser && o.Username != "" {
		return nil, errors.New("username and asUser: give one of them")
	}
	r := &Relay{o: o, addr: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), timeout: timeout, tls: &tls.Config{MinVersion: tls.VersionTLS12}}
	if o.TLSConfig != nil {
		r.tls = o.TLSConfig.Clone()
	}
	if r.tls.ServerName == "" {
		r.tls.ServerName = o.Host
	}
	return r, nil
}
