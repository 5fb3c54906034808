// Package cyrus makes mailboxes on a Cyrus IMAP server as its administrator, over IMAP (RFC
// 3501) with the extension METADATA (RFC 5464), in which the mailbox says whose it is.
//
// IMAP knows no passwords: a command of the operator's sets them, for instance
//
//	passwordCommand: [saslpasswd2, -p, -c, -f, /etc/sasldb2, "{name}"]
//
// which reads the password from its standard input; {name} stands for the account.
package cyrus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
)

// Options say where the server is. The zero value is none.
type Options struct {
	// Address of the server, "host:port". Default none.
	Address string `yaml:"address"`
	// TLS is "implicit" (default: from the first byte), "starttls", or "none", which is taken
	// for a loopback address alone.
	TLS string `yaml:"tls"`
	// Admin and Password are those of an administrator (Cyrus's "admins"), PasswordFile a
	// file with the password, in its place.
	Admin        string `yaml:"admin"`
	Password     string `yaml:"password" secret:"true"`
	PasswordFile string `yaml:"passwordFile"`
	// Separator is Cyrus's hierarchy separator: "/" (default) or ".".
	Separator string `yaml:"separator"`
	// Folders are made in every mailbox, for instance [Sent, Drafts, Trash]. Default none: the
	// server's autocreate_inbox_folders does it.
	Folders []string `yaml:"folders"`
	// PasswordCommand sets an account's password; see the package. Default none: accounts
	// cannot sign in with a password of ours.
	PasswordCommand []string `yaml:"passwordCommand"`
	// Timeout bounds connecting and each command, as a duration. Default 10s.
	Timeout time.Duration `yaml:"timeout"`
	// TLSConfig is for a private certificate authority. Default the system's.
	TLSConfig *tls.Config `yaml:"-"`
}

// Provisioner is a contract.MailProvisioner.
type Provisioner struct{ o Options }

var _ contract.MailProvisioner = (*Provisioner)(nil)

// New makes a provisioner. It makes no connection.
func New(o Options) (*Provisioner, error) {
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil || host == "" {
		return nil, errors.New("address: want host:port")
	}
	switch {
	case o.TLS == "":
		o.TLS = "implicit"
	case o.TLS == "none" && !option.Loopback(host):
		return nil, errors.New("tls: passwords would travel in the open: want implicit or starttls")
	case o.TLS != "implicit" && o.TLS != "starttls" && o.TLS != "none":
		return nil, fmt.Errorf("tls: %q is none of implicit, starttls, none", o.TLS)
	}
	if o.Password, err = option.Secret("password", o.Password, o.PasswordFile); err != nil {
		return nil, err
	}
	if o.Admin == "" || o.Password == "" {
		return nil, errors.New("admin: an administrator's name and password are needed")
	}
	if o.Separator == "" {
		o.Separator = "/"
	}
	if o.Separator != "/" && o.Separator != "." {
		return nil, fmt.Errorf("separator: %q is not a slash or a dot", o.Separator)
	}
	if o.Timeout < 0 {
		return nil, errors.New("timeout: must not be negative")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return &Provisioner{o}, nil
}

// commentEntry is where a mailbox says whose it is (RFC 5464 section 4.1).
const commentEntry = "/shared/comment"

func mark(owner string) string { return "sallyport:" + owner }

func (p *Provisioner) inbox(name string) (string, error) {
	// The name becomes a part of the hierarchy: one with a separator would be elsewhere.
	if name == "" || strings.ContainsAny(name, "/\r\n\x00*%\"\\") || p.o.Separator == "." && strings.Contains(name, ".") {
		return "", errors.New("cyrus: the name cannot be an account's on this server")
	}
	return "user" + p.o.Separator + name, nil
}

// with runs fn in a connection as the administrator.
func (p *Provisioner) with(ctx context.Context, fn func(*client.Client) error) error {
	d := &net.Dialer{Timeout: p.o.Timeout}
	conn, err := d.DialContext(ctx, "tcp", p.o.Address)
	if err != nil {
		return fmt.Errorf("cyrus: %w", err)
	}
	defer conn.Close()
	// Whatever the library waits for ends with the context.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if p.o.TLS == "implicit" {
		conn = tls.Client(conn, p.tls())
	}
	c, err := client.New(conn)
	if err != nil {
		return fmt.Errorf("cyrus: %w", err)
	}
	c.Timeout = p.o.Timeout
	if p.o.TLS == "starttls" {
		if err := c.StartTLS(p.tls()); err != nil {
			return fmt.Errorf("cyrus: %w", err)
		}
	}
	if err := c.Login(p.o.Admin, p.o.Password); err != nil {
		return errors.New("cyrus: the administrator cannot sign in") // not the error: servers quote what was sent
	}
	err = fn(c)
	_ = c.Logout()
	if err != nil {
		return fmt.Errorf("cyrus: %w", err)
	}
	return nil
}

func (p *Provisioner) tls() *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.o.TLSConfig != nil {
		cfg = p.o.TLSConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(p.o.Address)
	}
	return cfg
}

// exists tells whether there is a mailbox of that name.
func exists(c *client.Client, inbox string) (bool, error) {
	found := make(chan *imap.MailboxInfo, 16)
	if err := c.List("", inbox, found); err != nil {
		return false, err
	}
	for m := range found {
		if m.Name == inbox {
			return true, nil
		}
	}
	return false, nil
}

// Taken implements contract.MailProvisioner.
func (p *Provisioner) Taken(ctx context.Context, name, owner string) (taken bool, err error) {
	inbox, err := p.inbox(name)
	if err != nil {
		return false, err
	}
	err = p.with(ctx, func(c *client.Client) error {
		if taken, err = exists(c, inbox); err != nil || !taken {
			return err
		}
		of, err := comment(c, inbox)
		taken = of != mark(owner)
		return err
	})
	return taken, err
}

// Create implements contract.MailProvisioner. A mailbox without a mark is one that an
// earlier try has made and not marked: the caller has asked before whether it was there.
func (p *Provisioner) Create(ctx context.Context, m contract.Mailbox) (string, error) {
	inbox, err := p.inbox(m.Name)
	if err != nil {
		return "", err
	}
	err = p.with(ctx, func(c *client.Client) error {
		there, err := exists(c, inbox)
		if err != nil {
			return err
		}
		if there {
			of, err := comment(c, inbox)
			if err != nil {
				return err
			}
			if of != "" && of != mark(m.Owner) {
				return errors.New("somebody else has a mailbox of this name")
			}
		} else if err := c.Create(inbox); err != nil {
			return err
		}
		for _, f := range p.o.Folders {
			if err := p.folder(c, inbox+p.o.Separator+f); err != nil {
				return err
			}
		}
		return setComment(c, inbox, mark(m.Owner))
	})
	if err != nil {
		return "", err
	}
	return m.Name, p.setPassword(ctx, m.Name, m.Password)
}

func (p *Provisioner) folder(c *client.Client, name string) error {
	if there, err := exists(c, name); err != nil || there {
		return err
	}
	return c.Create(name)
}

// Delete implements contract.MailProvisioner.
func (p *Provisioner) Delete(ctx context.Context, name, owner string) error {
	inbox, err := p.inbox(name)
	if err != nil {
		return err
	}
	return p.with(ctx, func(c *client.Client) error {
		there, err := exists(c, inbox)
		if err != nil || !there {
			return err
		}
		of, err := comment(c, inbox)
		if err != nil {
			return err
		}
		if of != "" && of != mark(owner) {
			return errors.New("the mailbox of this name is somebody else's")
		}
		// Administrators may see a mailbox and not delete it until they give themselves the
		// right "x" (RFC 4314 section 2.1).
		if err := execute(c, "SETACL", inbox, p.o.Admin, "lrswipkxtea"); err != nil {
			return err
		}
		return c.Delete(inbox)
	})
}

// setPassword runs the operator's command.
func (p *Provisioner) setPassword(ctx context.Context, name, password string) error {
	if len(p.o.PasswordCommand) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	args := make([]string, len(p.o.PasswordCommand))
	for i, a := range p.o.PasswordCommand {
		args[i] = strings.ReplaceAll(a, "{name}", name)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(password)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cyrus: passwordCommand: %w", err) // not its output: it may quote the password
	}
	return nil
}
