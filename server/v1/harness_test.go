package v1_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/bearer"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
	"github.com/sallyport-auth/sallyport/plugins/jwt"
	"github.com/sallyport-auth/sallyport/plugins/passkey"
	"github.com/sallyport-auth/sallyport/plugins/twofactor"
	"github.com/sallyport-auth/sallyport/plugintest"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
	"github.com/sallyport-auth/sallyport/server/nethttp"
	v1 "github.com/sallyport-auth/sallyport/server/v1"
)

const (
	a    = "/api/v1/auth"
	me   = "/api/v1/me"
	pass = "correct horse battery"
)

type m = map[string]any

// setup is how the facade is mounted for a test.
type setup struct {
	o         v1.Options
	engine    plugintest.Engine
	verify    bool // addresses have to be verified
	noPasskey bool
	config    func(*core.Config)
	more      func() core.Plugin // one more plugin
}

func (s setup) plugins() []core.Plugin {
	list := []core.Plugin{emailpassword.New(emailpassword.Options{RequireEmailVerification: s.verify}),
		twofactor.New(twofactor.Options{Issuer: "Mana"}), jwt.New(jwt.Options{Audience: []string{"mana"}}), bearer.New(bearer.Options{})}
	if !s.noPasskey {
		list = append(list, passkey.New(passkey.Options{}))
	}
	if s.more != nil {
		list = append(list, s.more())
	}
	return append(list, v1.New(s.o))
}

func (s setup) start(t testing.TB) *plugintest.Harness {
	t.Helper()
	return plugintest.New(t, plugintest.Options{Plugins: s.plugins(), Database: s.engine, Config: func(c *core.Config) {
		c.Cookies.Prefix, c.Email.AutoSignIn = "mana", true
		c.User.ChangeEmail.Enabled = true
		c.TrustedOrigins = []string{"https://app.mana.example"}
		no := false
		c.User.Fields = []core.Extra{{Name: "role", Type: "string", Default: "user", Input: &no}, {Name: "accessTier", Type: "string", Default: "public", Input: &no},
			{Name: "feedbackShowRealName", Type: "boolean"}}
		if s.config != nil {
			s.config(c)
		}
	}})
}

// listen serves the facade as an app does, by either mount.
func listen(t testing.TB, h *plugintest.Harness, mount string) string {
	t.Helper()
	var handler http.Handler = nethttp.Handler(h.Auth, nil)
	if mount == "fiber" {
		app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 4 << 20})
		authfiber.Mount(app, h.Auth)
		ln := httptest.NewUnstartedServer(nil).Listener
		go app.Listener(ln) //nolint:errcheck // it ends with the test
		t.Cleanup(func() { _ = app.Shutdown() })
		return "http://" + ln.Addr().String()
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// old is the earlier system's client: it keeps two tokens and, as a browser, cookies.
type old struct {
	t       testing.TB
	h       *plugintest.Harness
	url     string
	cookies map[string]string
	plain   bool // sends no cookies and no Origin, as an app does
	access  string
	refresh string
	spare   string // an access token that is good
}

func newOld(t testing.TB, h *plugintest.Harness, url string) *old {
	return &old{t: t, h: h, url: url, cookies: map[string]string{}}
}

// reply is an answer.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   []byte
}

func (c *old) do(method, path string, body any, header ...string) *reply {
	c.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			c.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	if raw != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.access != "" {
		r.Header.Set("Authorization", "Bearer "+c.access)
	}
	if !c.plain {
		r.Header.Set("Origin", plugintest.BaseURL)
		var list []string
		for k, v := range c.cookies {
			list = append(list, k+"="+v)
		}
		if slices.Sort(list); len(list) > 0 {
			r.Header.Set("Cookie", strings.Join(list, "; "))
		}
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	out := &reply{t: c.t, what: method + " " + path, status: res.StatusCode, header: res.Header}
	if out.body, err = io.ReadAll(res.Body); err != nil {
		c.t.Fatal(err)
	}
	for _, k := range res.Cookies() {
		if c.cookies[k.Name] = k.Value; k.Value == "" || k.MaxAge < 0 {
			delete(c.cookies, k.Name)
		}
	}
	return out
}

func (c *old) post(path string, body any) *reply {
	c.t.Helper()
	return c.do("POST", path, body)
}

func (c *old) get(path string) *reply {
	c.t.Helper()
	return c.do("GET", path, nil)
}

// keep stores the tokens of an answer.
func (c *old) keep(r *reply) *reply {
	c.t.Helper()
	c.access, c.refresh = r.text("accessToken"), r.text("refreshToken")
	return r
}

func (c *old) login(email string) *reply {
	c.t.Helper()
	return c.post(a+"/login", m{"email": email, "password": pass, "deviceId": "d1", "deviceName": "Phone"})
}

// signUp makes a user, whose address is verified where that is needed, and signs in.
func (c *old) signUp(email string) *old {
	c.t.Helper()
	c.post(a+"/register", m{"email": email, "password": pass}).want(200)
	if msg, ok := c.take(email, "verify-email"); ok {
		c.follow(msg)
	}
	c.keep(c.login(email).want(200))
	return c
}

// take returns the link of a mail.
func (c *old) take(to, template string) (link string, ok bool) {
	c.t.Helper()
	c.h.RunJobs()
	msg, ok := c.h.Outbox.Take(to, template)
	return msg.URL, ok
}

func (c *old) follow(link string) *reply {
	c.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		c.t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(c.t.Context(), "GET", c.url+u.RequestURI(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	res.Body.Close()
	return &reply{t: c.t, what: "GET " + u.Path, status: res.StatusCode, header: res.Header}
}

func (r *reply) want(status int) *reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d, want %d: %s", r.what, r.status, status, r.body)
	}
	return r
}

// fails wants an envelope.
func (r *reply) fails(status int, class core.Class) *reply {
	r.t.Helper()
	var e struct {
		Error, Message string
		Status         int
		RetryAfterSec  int
		Code           *string
	}
	if err := json.Unmarshal(r.body, &e); err != nil || r.status != status || e.Status != status || e.Error != string(class) || e.Message == "" || e.Code != nil {
		r.t.Fatalf("%s: %d %s, want %d %s", r.what, r.status, r.body, status, class)
	}
	if (e.RetryAfterSec > 0) != (r.header.Get("Retry-After") != "") {
		r.t.Fatalf("%s: retryAfterSec %d, Retry-After %q", r.what, e.RetryAfterSec, r.header.Get("Retry-After"))
	}
	return r
}

func (r *reply) get(path string) any {
	var v any
	_ = json.Unmarshal(r.body, &v) // no JSON has no members
	ans := plugintest.Answer{Body: r.body}
	return ans.Get(path)
}

func (r *reply) text(path string) string {
	r.t.Helper()
	s, _ := r.get(path).(string)
	if s == "" {
		r.t.Fatalf("%s: no text at %s: %s", r.what, path, r.body)
	}
	return s
}

// claims reads a token without verifying it.
func claims(t testing.TB, token string) (out m) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// authenticator is a passkey in software: Ed25519, no attestation.
type authenticator struct {
	id  []byte
	key ed25519.PrivateKey
}

func newAuthenticator(t testing.TB) *authenticator {
	k := &authenticator{id: make([]byte, 32)}
	if _, err := rand.Read(k.id); err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k.key = key
	return k
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *authenticator) data(flags byte) []byte {
	hash := sha256.Sum256([]byte("auth.example.com"))
	return append(hash[:], flags, 0, 0, 0, 0)
}

func clientData(kind, challenge string) []byte {
	raw, _ := json.Marshal(m{"type": kind, "challenge": challenge, "origin": plugintest.BaseURL, "crossOrigin": false}) //nolint:errcheck // plain data
	return raw
}

// register answers navigator.credentials.create. The CBOR is written by hand: RFC 8949,
// and COSE_Key of RFC 9053, section 7.2.
func (k *authenticator) register(challenge string) m {
	cose := append([]byte{0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20}, k.key.Public().(ed25519.PublicKey)...)
	auth := append(k.data(0x45), make([]byte, 16)...)
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(k.id)))
	auth = append(append(auth, k.id...), cose...)
	obj := []byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58")
	obj = append(append(obj, byte(len(auth))), auth...)
	return m{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "clientExtensionResults": m{},
		"response": m{"clientDataJSON": b64(clientData("webauthn.create", challenge)), "attestationObject": b64(obj), "transports": []string{"internal"}}}
}

// assert answers navigator.credentials.get.
func (k *authenticator) assert(challenge string) m {
	client, auth := clientData("webauthn.get", challenge), k.data(0x05)
	sum := sha256.Sum256(client)
	sig := ed25519.Sign(k.key, append(auth[:len(auth):len(auth)], sum[:]...))
	return m{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "clientExtensionResults": m{},
		"response": m{"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig)}}
}
