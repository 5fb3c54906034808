// Package transit wraps keys with the transit secrets engine of HashiCorp Vault and
// OpenBao: the key-encryption key never leaves that server. It speaks the engine's HTTP
// API (openbao.org/api-docs/secret/transit) and needs a token whose policy allows
// "update" on encrypt/KEY and decrypt/KEY, a key of an AEAD type.
package transit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
)

// Options say where the server is. The zero value is none.
type Options struct {
	// Address of the server, for instance "https://bao.internal:8200". Plain http is taken for
	// a loopback address alone. Default none.
	Address string `yaml:"address"`
	// Key names the transit key, of type aes256-gcm96 or chacha20-poly1305.
	Key string `yaml:"key"`
	// Mount is the engine's path. Default "transit".
	Mount string `yaml:"mount"`
	// Token authenticates. It is read again from TokenFile for every call where that is set,
	// so that an agent may renew it.
	Token     string `yaml:"token" secret:"true"`
	TokenFile string `yaml:"tokenFile"`
	// Timeout bounds one call, as a duration. Default 5s.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Default one that follows no redirect.
	Client *http.Client `yaml:"-"`
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

var mountForm = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

// Faults says what is wrong with the options; nothing where there is no Address.
func (o Options) Faults() []error {
	if o.Address == "" {
		if o.Key != "" || o.Token != "" || o.TokenFile != "" || o.Mount != "" {
			return []error{errors.New("transit: address is missing")}
		}
		return nil
	}
	var out []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Errorf("transit."+format, args...))
		}
	}
	u, err := url.Parse(o.Address)
	good := err == nil && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.User == nil
	fault(!good, "address: want https://host:port")
	if good {
		fault(u.Scheme != "https" && !(u.Scheme == "http" && option.Loopback(u.Hostname())), "address: keys would travel in the open: want https")
	}
	fault(!nameForm.MatchString(o.Key), "key: %q is no name of a key", o.Key)
	fault(o.Mount != "" && !mountForm.MatchString(o.Mount), "mount: %q is no path of an engine", o.Mount)
	fault((o.Token == "") == (o.TokenFile == ""), "token: give token or tokenFile")
	fault(o.Timeout < 0, "timeout: must not be negative")
	return out
}

// Provider is a contract.KeyProvider.
type Provider struct {
	o      Options
	latest atomic.Int64 // version of the key that wraps, as far as it is known
}

// New makes a provider. It makes no call.
func New(o Options) (*Provider, error) {
	if o.Address == "" {
		return nil, errors.New("transit: address is missing")
	}
	if err := errors.Join(o.Faults()...); err != nil {
		return nil, err
	}
	if o.Mount == "" {
		o.Mount = "transit"
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Client == nil {
		o.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Provider{o: o}, nil
}

// Active implements contract.KeyProvider.
func (p *Provider) Active() string { return "transit:" + p.o.Key }

// Current implements contract.KeyProvider: under this key, and under the newest of its
// versions that a Wrap has seen; before the first Wrap nothing is.
func (p *Provider) Current(w contract.WrappedKey) bool {
	return w.KeyID == p.Active() && version(w.Ciphertext) >= p.latest.Load() && p.latest.Load() > 0
}

// version reads N of "vault:vN:...".
func version(ciphertext string) int64 {
	parts := strings.SplitN(ciphertext, ":", 3)
	if len(parts) != 3 || parts[0] != "vault" || !strings.HasPrefix(parts[1], "v") {
		return 0
	}
	n, err := strconv.ParseInt(parts[1][1:], 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

type request struct {
	Plaintext      string `json:"plaintext,omitempty"`
	Ciphertext     string `json:"ciphertext,omitempty"`
	AssociatedData string `json:"associated_data,omitempty"`
}

// Wrap implements contract.KeyProvider.
func (p *Provider) Wrap(ctx context.Context, key, aad []byte) (contract.WrappedKey, error) {
	var out struct {
		Ciphertext string `json:"ciphertext"`
	}
	in := request{Plaintext: base64.StdEncoding.EncodeToString(key), AssociatedData: base64.StdEncoding.EncodeToString(aad)}
	if err := p.call(ctx, "encrypt", &in, &out); err != nil {
		return contract.WrappedKey{}, err
	}
	v := version(out.Ciphertext)
	if v == 0 {
		return contract.WrappedKey{}, errors.New("transit: the answer of encrypt holds no ciphertext")
	}
	for old := p.latest.Load(); v > old && !p.latest.CompareAndSwap(old, v); old = p.latest.Load() {
	}
	return contract.WrappedKey{KeyID: p.Active(), Ciphertext: out.Ciphertext}, nil
}

// Unwrap implements contract.KeyProvider.
func (p *Provider) Unwrap(ctx context.Context, w contract.WrappedKey, aad []byte) ([]byte, error) {
	if w.KeyID != p.Active() {
		return nil, fmt.Errorf("%w: %q", contract.ErrUnknownKey, w.KeyID)
	}
	if version(w.Ciphertext) == 0 || w.IV != "" {
		return nil, contract.ErrWrapRejected
	}
	var out struct {
		Plaintext string `json:"plaintext"`
	}
	err := p.call(ctx, "decrypt", &request{Ciphertext: w.Ciphertext, AssociatedData: base64.StdEncoding.EncodeToString(aad)}, &out)
	var refused *Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
		return nil, fmt.Errorf("%w (%v)", contract.ErrWrapRejected, err)
	}
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.Strict().DecodeString(out.Plaintext)
	if err != nil {
		return nil, errors.New("transit: the answer of decrypt is no base64")
	}
	return key, nil
}

// Error is a refusal of the server.
type Error struct {
	Status int
	Reason string // the server's words, cut; they hold no key
}

func (e *Error) Error() string { return fmt.Sprintf("transit: status %d: %s", e.Status, e.Reason) }

// maxAnswer bounds an answer in bytes.
const maxAnswer = 64 << 10

func (p *Provider) call(ctx context.Context, op string, in *request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	defer clear(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.o.Address, "/")+"/v1/"+p.o.Mount+"/"+op+"/"+p.o.Key, bytes.NewReader(body))
	if err != nil {
		return err
	}
	token := p.o.Token
	if p.o.TokenFile != "" {
		raw, err := os.ReadFile(p.o.TokenFile)
		if err != nil {
			return fmt.Errorf("transit: tokenFile: %w", err)
		}
		token = strings.TrimSpace(string(raw))
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true") // so that no page of a browser can make the call
	req.Header.Set("Content-Type", "application/json")
	res, err := p.o.Client.Do(req)
	if err != nil {
		return fmt.Errorf("transit: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	defer clear(raw)
	if err != nil {
		return fmt.Errorf("transit: %w", err)
	}
	return decode(res.StatusCode, raw, out)
}

func decode(status int, raw []byte, out any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []string        `json:"errors"`
	}
	err := json.Unmarshal(raw, &answer)
	if status != http.StatusOK {
		reason := strings.Join(answer.Errors, "; ")
		return &Error{status, strings.ToValidUTF8(reason[:min(len(reason), 200)], "")}
	}
	if err == nil {
		err = json.Unmarshal(answer.Data, out)
	}
	if err != nil {
		return errors.New("transit: the answer is not what the engine sends")
	}
	return nil
}
