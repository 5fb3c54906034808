package transit

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

const token = "s.transit-test-token"

// server is the part of the transit engine that a provider uses, made from the engine's
// published API: it takes no member, path, method or header that the API does not name.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	versions []cipher.AEAD
	fail     func(w http.ResponseWriter) bool
}

func serve(t *testing.T) *server {
	s := &server{}
	s.rotate(t)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) rotate(t *testing.T) {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // it never fails, see crypto/rand
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions = append(s.versions, aead)
}

func refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{reason}})
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil && s.fail(w) {
		return
	}
	var in struct {
		Plaintext      *string `json:"plaintext"`
		Ciphertext     *string `json:"ciphertext"`
		AssociatedData string  `json:"associated_data"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	switch {
	case r.Header.Get("X-Vault-Token") != token:
		refuse(w, 403, "permission denied")
		return
	case r.Header.Get("X-Vault-Request") != "true":
		refuse(w, 412, "required 'X-Vault-Request' header is missing")
		return
	case r.Method != http.MethodPost:
		refuse(w, 405, "unsupported operation")
		return
	case d.Decode(&in) != nil:
		refuse(w, 400, "failed to parse JSON input")
		return
	}
	aad, err := base64.StdEncoding.DecodeString(in.AssociatedData)
	if err != nil {
		refuse(w, 400, "failed to base64-decode associated_data")
		return
	}
	var out map[string]string
	switch {
	case r.URL.Path == "/v1/transit/encrypt/sallyport" && in.Plaintext != nil && in.Ciphertext == nil:
		out, err = s.encrypt(*in.Plaintext, aad)
	case r.URL.Path == "/v1/transit/decrypt/sallyport" && in.Ciphertext != nil && in.Plaintext == nil:
		out, err = s.decrypt(*in.Ciphertext, aad)
	default:
		refuse(w, 404, "no handler for route")
		return
	}
	if err != nil {
		refuse(w, 400, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "x", "lease_duration": 0, "renewable": false, "data": out})
}

func (s *server) encrypt(plain string, aad []byte) (map[string]string, error) {
	raw, err := base64.StdEncoding.DecodeString(plain)
	if err != nil {
		return nil, errors.New("failed to base64-decode plaintext")
	}
	v := len(s.versions)
	iv := make([]byte, 12)
	rand.Read(iv) //nolint:errcheck // it never fails, see crypto/rand
	sealed := s.versions[v-1].Seal(iv, iv, raw, aad)
	return map[string]string{"ciphertext": fmt.Sprintf("vault:v%d:%s", v, base64.StdEncoding.EncodeToString(sealed)), "key_version": strconv.Itoa(v)}, nil
}

func (s *server) decrypt(text string, aad []byte) (map[string]string, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || parts[0] != "vault" {
		return nil, errors.New("invalid ciphertext: no prefix")
	}
	v, err := strconv.Atoi(strings.TrimPrefix(parts[1], "v"))
	if err != nil || v < 1 || v > len(s.versions) {
		return nil, errors.New("invalid ciphertext: version is too new")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) < 12 {
		return nil, errors.New("invalid ciphertext: could not decode base64")
	}
	plain, err := s.versions[v-1].Open(nil, raw[:12], raw[12:], aad)
	if err != nil {
		return nil, errors.New("cipher: message authentication failed")
	}
	return map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain)}, nil
}

func provider(t *testing.T, o Options) *Provider {
	t.Helper()
	if o.Key == "" {
		o.Key = "sallyport"
	}
	if o.Token == "" && o.TokenFile == "" {
		o.Token = token
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	s := serve(t)
	p := provider(t, Options{Address: s.URL})
	key, aad := bytes.Repeat([]byte{7}, 32), []byte("user 1")
	w, err := p.Wrap(t.Context(), key, aad)
	if err != nil || w.KeyID != "transit:sallyport" || w.IV != "" || !strings.HasPrefix(w.Ciphertext, "vault:v1:") {
		t.Fatalf("%+v, %v", w, err)
	}
	if got, err := p.Unwrap(t.Context(), w, aad); err != nil || !bytes.Equal(got, key) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := p.Unwrap(t.Context(), w, []byte("user 2")); !errors.Is(err, contract.ErrWrapRejected) {
		t.Errorf("another user: %v", err)
	}
	if _, err := p.Unwrap(t.Context(), contract.WrappedKey{KeyID: "env-v1", Ciphertext: w.Ciphertext}, aad); !errors.Is(err, contract.ErrUnknownKey) {
		t.Errorf("another key's: %v", err)
	}
	if !p.Current(w) {
		t.Error("what was just wrapped is not current")
	}
	s.rotate(t)
	if next, err := p.Wrap(t.Context(), key, aad); err != nil || p.Current(w) || !p.Current(next) {
		t.Errorf("after a rotation: %v, old current %v, new current %v", err, p.Current(w), p.Current(next))
	}
	if got, err := p.Unwrap(t.Context(), w, aad); err != nil || !bytes.Equal(got, key) {
		t.Errorf("an older version: %x, %v", got, err)
	}
}

// Only a refusal of the ciphertext is one. Everything else is an outage, and must not say
// that somebody's key is broken.
func TestFailures(t *testing.T) {
	s := serve(t)
	p := provider(t, Options{Address: s.URL, Timeout: time.Second})
	w, err := p.Wrap(t.Context(), make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) }) // before the server's own clean-up, which waits for it
	for name, fail := range map[string]func(http.ResponseWriter) bool{
		"sealed":    func(w http.ResponseWriter) bool { refuse(w, 503, "Vault is sealed"); return true },
		"internal":  func(w http.ResponseWriter) bool { refuse(w, 500, "internal error"); return true },
		"forbidden": func(w http.ResponseWriter) bool { refuse(w, 403, "permission denied"); return true },
		"no JSON":   func(w http.ResponseWriter) bool { fmt.Fprint(w, "<html>"); return true },
		"empty":     func(w http.ResponseWriter) bool { fmt.Fprint(w, "{}"); return true },
		"no base64": func(w http.ResponseWriter) bool {
			fmt.Fprint(w, `{"data":{"plaintext":"?","ciphertext":"?"}}`)
			return true
		},
		"a redirect": func(w http.ResponseWriter) bool { w.Header().Set("Location", "/x"); w.WriteHeader(307); return true },
	} {
		s.mu.Lock()
		s.fail = fail
		s.mu.Unlock()
		_, err := p.Unwrap(t.Context(), w, nil)
		if err == nil || errors.Is(err, contract.ErrWrapRejected) || errors.Is(err, contract.ErrUnknownKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := p.Wrap(t.Context(), make([]byte, 32), nil); err == nil {
			t.Errorf("%s: wrapped", name)
		}
	}
	s.mu.Lock()
	s.fail = func(http.ResponseWriter) bool { <-hang; return true }
	s.mu.Unlock()
	if _, err := p.Unwrap(t.Context(), w, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that hangs: %v", err)
	}
}

func TestTokenFile(t *testing.T) {
	s := serve(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := provider(t, Options{Address: s.URL, TokenFile: file})
	var refused *Error
	if _, err := p.Wrap(t.Context(), make([]byte, 32), nil); !errors.As(err, &refused) || refused.Status != 403 {
		t.Errorf("with an old token: %v", err)
	}
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wrap(t.Context(), make([]byte, 32), nil); err != nil {
		t.Errorf("with the renewed token: %v", err)
	}
	if _, err := p.Wrap(canceled(t), make([]byte, 32), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that is gone: %v", err)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestFaults(t *testing.T) {
	good := Options{Address: "https://bao.internal:8200", Key: "k", Token: "t"}
	if f := good.Faults(); f != nil {
		t.Errorf("good options: %v", f)
	}
	if f := (Options{}).Faults(); f != nil {
		t.Errorf("no options: %v", f)
	}
	for want, change := range map[string]func(*Options){
		"transit: address is missing": func(o *Options) { o.Address = "" },
		"want https":                  func(o *Options) { o.Address = "http://bao.internal:8200" },
		"want https://host:port":      func(o *Options) { o.Address = "https://bao.internal/v1" },
		"no name of a key":            func(o *Options) { o.Key = "../sys" },
		"no path of an engine":        func(o *Options) { o.Mount = "a/../b?" },
		"token or tokenFile":          func(o *Options) { o.TokenFile = "x" },
		"must not be negative":        func(o *Options) { o.Timeout = -1 },
	} {
		o := good
		change(&o)
		if err := errors.Join(o.Faults()...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
