// Package stalwart makes mailboxes on a Stalwart Mail Server through its management API
// (stalw.art/docs/api/management), which versions up to 0.15 serve at /api/principal.
// That API answers most failures with status 200 and a member "error"; a proxy in front
// may turn them into statuses. Both are understood.
package stalwart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
)

// Options say where the server is. The zero value is none.
type Options struct {
	// URL of the server, for instance "https://mail.internal:8080". Plain http is taken for a
	// loopback address alone. Default none.
	URL string `yaml:"url"`
	// User and Password are those of an administrator of principals, PasswordFile a file with
	// the password, in its place.
	User         string `yaml:"user"`
	Password     string `yaml:"password" secret:"true"`
	PasswordFile string `yaml:"passwordFile"`
	// Quota of a mailbox in bytes. Default 0: none.
	Quota int64 `yaml:"quota"`
	// Timeout bounds one call, as a duration. Default 10s.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Default one that follows no redirect.
	Client *http.Client `yaml:"-"`
}

// Provisioner is a contract.MailProvisioner.
type Provisioner struct{ o Options }

var _ contract.MailProvisioner = (*Provisioner)(nil)

// New makes a provisioner. It makes no call.
func New(o Options) (*Provisioner, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("url: want https://host:port")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && option.Loopback(u.Hostname())) {
		return nil, errors.New("url: passwords would travel in the open: want https")
	}
	if o.Password, err = option.Secret("password", o.Password, o.PasswordFile); err != nil {
		return nil, err
	}
	if o.User == "" || o.Password == "" {
		return nil, errors.New("user: an administrator's name and password are needed")
	}
	if o.Quota < 0 || o.Timeout < 0 {
		return nil, errors.New("quota: neither it nor timeout may be negative")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Client == nil {
		o.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	return &Provisioner{o}, nil
}

// principal is an account, with the members that are used here.
type principal struct {
	Type        string   `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Secrets     []string `json:"secrets,omitempty"`
	Emails      []string `json:"emails,omitempty"`
	Roles       []string `json:"roles,omitempty"`
	Quota       int64    `json:"quota,omitempty"`
}

// change is one change of a principal.
type change struct {
	Action string `json:"action"`
	Field  string `json:"field"`
	Value  any    `json:"value"`
}

// ownerMark tells in the description whose mailbox it is.
func ownerMark(owner string) string { return "sallyport:" + owner }

func marked(p *principal, owner string) bool {
	return strings.HasSuffix(p.Description, " ["+ownerMark(owner)+"]")
}

// Taken implements contract.MailProvisioner.
func (s *Provisioner) Taken(ctx context.Context, name, owner string) (bool, error) {
	p, err := s.get(ctx, name)
	return p != nil && !marked(p, owner), err
}

func (s *Provisioner) get(ctx context.Context, name string) (*principal, error) {
	var p principal
	err := s.call(ctx, http.MethodGet, "/"+url.PathEscape(name), nil, &p)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Create implements contract.MailProvisioner. A principal that carries the owner's mark is
// what an earlier try has made: it gets password, address and role again.
func (s *Provisioner) Create(ctx context.Context, m contract.Mailbox) (string, error) {
	description := strings.TrimSpace(m.DisplayName + " [" + ownerMark(m.Owner) + "]")
	if m.DisplayName == "" {
		description = "mailbox [" + ownerMark(m.Owner) + "]"
	}
	err := s.call(ctx, http.MethodPost, "", principal{Type: "individual", Name: m.Name, Description: description, Secrets: []string{m.Password},
		Emails: []string{m.Address}, Quota: s.o.Quota}, nil)
	var refused *Error
	if errors.As(err, &refused) && refused.exists() {
		p, e := s.get(ctx, m.Name)
		switch {
		case e != nil:
			return "", e
		case p == nil:
			return "", fmt.Errorf("stalwart: another principal has the address: %w", err)
		case !marked(p, m.Owner):
			return "", errors.New("stalwart: somebody else has a mailbox of this name")
		}
		err = s.update(ctx, m.Name, change{"set", "secrets", []string{m.Password}}, change{"set", "emails", []string{m.Address}})
	}
	if err == nil {
		// Without the role the account can do nothing.
		err = s.update(ctx, m.Name, change{"set", "roles", []string{"user"}})
	}
	return m.Name, err
}

func (s *Provisioner) update(ctx context.Context, name string, changes ...change) error {
	return s.call(ctx, http.MethodPatch, "/"+url.PathEscape(name), changes, nil)
}

// Delete implements contract.MailProvisioner.
func (s *Provisioner) Delete(ctx context.Context, name, owner string) error {
	p, err := s.get(ctx, name)
	if err != nil || p == nil {
		return err
	}
	if !marked(p, owner) {
		return errors.New("stalwart: the mailbox of this name is somebody else's")
	}
	if err := s.call(ctx, http.MethodDelete, "/"+url.PathEscape(name), nil, nil); !isNotFound(err) {
		return err
	}
	return nil
}

// Error is a refusal of the server.
type Error struct {
	Status int
	Code   string // the member "error": "notFound", "fieldAlreadyExists", ...
	Field  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("stalwart: status %d, error %q, field %q", e.Status, e.Code, e.Field)
}

func (e *Error) exists() bool {
	return e.Code == "fieldAlreadyExists" || e.Status == http.StatusConflict
}

func isNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == "notFound" || e.Status == http.StatusNotFound)
}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 1 << 20

func (s *Provisioner) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.o.URL+"/api/principal"+path, body)
	if err != nil {
		return err
	}
	req.SetBasicAuth(s.o.User, s.o.Password)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.o.Client.Do(req)
	if err != nil {
		return fmt.Errorf("stalwart: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("stalwart: %w", err)
	}
	return decode(res.StatusCode, raw, out)
}

func decode(status int, raw []byte, out any) error {
	var answer struct {
		Data  json.RawMessage `json:"data"`
		Error string          `json:"error"`
		Field string          `json:"field"`
	}
	err := json.Unmarshal(raw, &answer)
	if status != http.StatusOK || answer.Error != "" {
		return &Error{status, short(answer.Error), short(answer.Field)}
	}
	if err == nil && out != nil {
		err = json.Unmarshal(answer.Data, out)
	}
	if err != nil {
		return errors.New("stalwart: the answer is not what the API sends")
	}
	return nil
}

func short(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }
