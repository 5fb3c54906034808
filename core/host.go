package core

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/clientip"
	"github.com/sallyport-auth/sallyport/core/internal/cookie"
	"github.com/sallyport-auth/sallyport/core/internal/origin"
	"github.com/sallyport-auth/sallyport/core/internal/password"
	"github.com/sallyport-auth/sallyport/core/internal/ratelimit"
	"github.com/sallyport-auth/sallyport/core/internal/secret"
	"github.com/sallyport-auth/sallyport/core/internal/token"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Host is the Auth as plugins and hooks see it.
type Host struct {
	cfg       Config
	db        *pool
	schema    *schema.Schema
	steps     []storage.Step
	log       *slog.Logger
	random    io.Reader
	hooks     map[any][]Hook
	router    *router
	routes    map[any]*endpoint // by *Route
	list      []*endpoint       // in order
	specs     []Spec
	owners    map[string]string // error code to owner
	errors    []*Error
	events    map[string]EventType // of all specs, by name
	keyring   *secret.Keyring
	signer    *cookie.Signer
	origins   *origin.Matcher
	proxies   *clientip.Resolver
	hasher    *password.Pool
	limits    *ratelimit.Rules
	store     ratelimit.Store
	watch     struct{ limits, attempts, sessions, cache storeWatch }
	copies    sessionKeeper // nil: the database alone has sessions
	deaf      func()        // ends the listening for the session cache
	jobs      *worker
	mailTexts map[string][]contract.MailTemplate // that plugins bring, by name
	later     *eventQueue
	sweep     sweep
	trips     tripNames

	translator contract.Translator // nil: errors are in English

	userModel    *model
	sessionModel *model
	cookies      cookieSet
	sql          statements
	packed       bool // sessions are read as one value
	banExpires   bool // statements.notBanned takes the time

	locks   sync.Map // of chan struct{}, by name: who of this process waits for a Lock
	closing sync.Once
	serial  map[string]*serialIDs // tables whose keys are numbers
	counter storage.Counter       // draws them inside of transactions; nil: from sequences
}

// cookieSet are core's own cookies.
type cookieSet struct{ token, data, forget, device Cookie }

// statements are core's queries over the user and session models.
type statements struct {
	sessionByToken, sessionByID, sessionList, userByID, userByEmail, userCredential string
	notBanned                                                                       string // empty: there are no bans
}

// DB returns the database outside of transactions.
func (h *Host) DB() storage.Conn { return h.db }

// conn is tx, or the pool without one.
func (h *Host) conn(tx *Tx) storage.Conn {
	if tx != nil {
		return tx
	}
	return h.db
}

// Now is the host's clock, in UTC and whole milliseconds: what a database keeps.
func (h *Host) Now() time.Time { return h.cfg.Clock().UTC().Truncate(time.Millisecond) }

// Random is the host's source of randomness.
func (h *Host) Random() io.Reader { return h.random }

// RandomString makes a random text of n characters of an alphabet, without bias. A
// failing source is an error, never a guessable text.
func (h *Host) RandomString(alphabet string, n int) (string, error) {
	return token.Random(h.random, alphabet, n)
}

// Alphanumeric is the alphabet of ids and tokens.
const Alphanumeric = token.Alphanumeric

// Log returns the logger.
func (h *Host) Log() *slog.Logger { return h.log }

// AppName returns Config.AppName.
func (h *Host) AppName() string { return h.cfg.AppName }

// BaseURL returns the origin under which browsers reach the server.
func (h *Host) BaseURL() string { return h.cfg.BaseURL }

// TrustedOrigin tells whether an origin, as browsers write it, is the server's own or one
// of Config.TrustedOrigins.
func (h *Host) TrustedOrigin(origin string) bool { return h.origins.Origin(origin) }

// URL returns the absolute URL of a path below the base path. It is built from the
// configuration alone, never from a request.
func (h *Host) URL(path string) string { return h.cfg.BaseURL + h.cfg.BasePath + path }

// Shared tells whether Better Auth works on the same database (Session.TokenStorage is
// "compat"): what is stored must be what it can read.
func (h *Host) Shared() bool { return h.cfg.Session.TokenStorage == "compat" }

// Production tells whether the stricter checks hold.
func (h *Host) Production() bool { return h.cfg.Production }

// Seal encrypts a secret for a column of ours. Only Open with the same purpose and aad
// gets it back, by whichever secret of the list it was sealed.
func (h *Host) Seal(purpose string, plain, aad []byte) (string, error) {
	return h.keyring.Seal(h.random, purpose, plain, aad)
}

// Open reverses Seal.
func (h *Host) Open(purpose, sealed string, aad []byte) ([]byte, error) {
	return h.keyring.Open(purpose, sealed, aad)
}

// Encrypt encrypts in Better Auth's form, for columns that both read.
func (h *Host) Encrypt(plain []byte) (string, error) { return h.keyring.Encrypt(h.random, plain) }

// Decrypt reverses Encrypt, also for what Better Auth wrote.
func (h *Host) Decrypt(s string) ([]byte, error) { return h.keyring.Decrypt(s) }

// MAC is an HMAC-SHA-256 under a key of its own for each purpose.
func (h *Host) MAC(purpose string, parts ...[]byte) []byte { return h.keyring.MAC(purpose, parts...) }

// SecretMAC is Better Auth's own HMAC-SHA-256 of a text under the secret itself, base64url
// without padding: for tokens that both read. New formats take MAC, whose key is of its
// purpose alone.
func (h *Host) SecretMAC(text string) string { return secretMAC(h.keyring.Current(), text) }

// VerifySecretMAC checks a SecretMAC against every secret that may sign.
func (h *Host) VerifySecretMAC(text, mac string) bool {
	ok := false
	for _, key := range h.keyring.SigningKeys() {
		ok = hmac.Equal([]byte(mac), []byte(secretMAC(key, text))) || ok
	}
	return ok
}

func secretMAC(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// SignValue signs a text as the values of cookies are signed, "text.signature", without
// percent-encoding. The signature binds no purpose: what the text may be used for has to
// follow from a look-up.
func (h *Host) SignValue(text string) string {
	return cookie.Decode(h.signer.Sign(text))
}

// Lock runs fn while no other process that shares the database is inside a Lock of the
// same name. It waits until ctx ends. fn may use the database; it must not call Lock.
func (h *Host) Lock(ctx context.Context, name string, fn func(context.Context) error) error {
	if InTx(ctx) {
		return errPoolInTx
	}
	// On PostgreSQL who waits holds a connection, and fn needs one: of this process only one
	// waits there, or else those that wait could take all.
	v, _ := h.locks.LoadOrStore(name, make(chan struct{}, 1))
	turn := v.(chan struct{})
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
		return h.db.Lock(ctx, name, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NewID makes the id of a new row. Where SQLite's ids are numbers ("serial") ctx has to be
// that of the transaction which writes the row.
func (h *Host) NewID(ctx context.Context, table string) (string, error) {
	switch {
	case h.numbersInTx(table):
		return h.drawInTx(ctx, table)
	case h.drawn(table):
		return h.draw(ctx, table)
	}
	return h.randomID(table)
}

// randomID makes an id that no database has a say in.
func (h *Host) randomID(table string) (string, error) {
	switch {
	case h.cfg.NewID != nil:
		return h.cfg.NewID(table)
	case h.cfg.IDs == "uuid":
		return token.UUIDv4(h.random)
	}
	return token.ID(h.random)
}

// Cookie makes a cookie of a plugin's, named and attributed as configured. life bounds
// it; 0 ends it with the browser's session.
func (h *Host) Cookie(name string, life time.Duration) Cookie {
	cfg := &h.cfg.Cookies
	secure := *cfg.Secure
	a := cookie.Cookie{Name: cfg.Prefix + "." + name, Path: "/", Domain: cfg.Domain, HTTPOnly: true, Secure: secure,
		SameSite: sameSite(cfg.SameSite), Partitioned: cfg.Partitioned}
	if o, ok := cfg.Override[name]; ok {
		if o.Name != "" {
			a.Name = o.Name
		}
		if o.SameSite != "" {
			a.SameSite = sameSite(o.SameSite)
		}
		if o.Path != "" {
			a.Path = o.Path
		}
		a.Partitioned = a.Partitioned || o.Partitioned
	}
	if secure {
		a.Name = "__Secure-" + a.Name
	}
	// Browsers refuse these two without Secure.
	if a.SameSite == "None" || a.Partitioned {
		a.Secure = true
	}
	if life > 0 {
		n := int(life / time.Second)
		a.MaxAge = &n
	}
	return Cookie{a}
}

func sameSite(s string) string {
	switch strings.ToLower(s) {
	case "strict":
		return "Strict"
	case "none":
		return "None"
	}
	return "Lax"
}

// BetterAuthAddr is Better Auth's own rule for Config.ClientAddr: a header with exactly
// one address is believed, from anybody. Unsafe: any client can choose its address. It
// exists to be compared with Better Auth.
func BetterAuthAddr(peer netip.Addr, forwarded []string) netip.Addr {
	return clientip.Compat(peer, forwarded)
}

func (h *Host) clientAddr(peer netip.Addr, forwarded []string) netip.Addr {
	if h.cfg.ClientAddr != nil {
		return h.cfg.ClientAddr(peer, forwarded)
	}
	return h.proxies.Resolve(peer, forwarded)
}

// limit is the rate limit of the endpoint for this client.
func (h *Host) limit(ctx context.Context, c *Call) error {
	if !*h.cfg.RateLimit.Enabled {
		return nil
	}
	rule, limited := h.limits.For(c.ep.path)
	if !limited {
		return nil
	}
	d, err := h.store.Take(ctx, ratelimit.Key(c.ClientIP(), c.ep.path), rule, c.now)
	if err != nil {
		return err
	}
	if !d.Allowed {
		wait := seconds(d.RetryAfter)
		return ErrTooManyRequests.WithHeader("X-Retry-After", wait).WithHeader("Retry-After", wait)
	}
	return nil
}
