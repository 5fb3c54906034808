package core

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/clientip"
	"github.com/sallyport-auth/sallyport/core/internal/origin"
	"github.com/sallyport-auth/sallyport/core/internal/password"
	"github.com/sallyport-auth/sallyport/core/internal/ratelimit"
	"github.com/sallyport-auth/sallyport/core/internal/secret"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Auth is a compiled configuration: the handler of all endpoints, and the way in for
// the app's own Go code. It is safe for use by many goroutines.
type Auth struct{ h *Host }

// New compiles a configuration. Every fault of it is reported in one error: bad options,
// plugins that collide or lack what they need, routes and codes claimed twice. Then the
// database is compared with what the plugins want: a missing table or column stops the
// start with its plugin and name, before the first request (Config.SkipVerify leaves
// this out). Last, plugins are initialised and background work starts.
func New(ctx context.Context, cfg Config) (*Auth, error) {
	h, userFields, sessionFields, err := compile(cfg)
	if err != nil {
		return nil, err
	}
	cfg = h.cfg
	if err := h.open(ctx, userFields, sessionFields); err != nil {
		return nil, err
	}
	a := &Auth{h}
	for i, s := range h.specs {
		if s.Init == nil {
			continue
		}
		if err := s.Init(ctx, h); err != nil {
			h.closePlugins(ctx, i)
			return nil, fmt.Errorf("core: plugin %s: %w", s.ID, err)
		}
	}
	if !cfg.NoBackground {
		h.jobs.start()
	}
	return a, nil
}

// compile does what New does before the database is looked at.
func compile(cfg Config) (h *Host, userFields, sessionFields map[string]*field, err error) {
	cfg.setDefaults()
	h = &Host{cfg: cfg, db: pool{cfg.Database}, log: cfg.Logger, random: cfg.Random, hooks: map[any][]Hook{},
		routes: map[any]*endpoint{}, owners: map[string]string{}}
	if h.random == nil {
		h.random = rand.Reader
	}
	b := &compiler{h: h, services: map[reflect.Type]provided{}}
	b.options()
	h.router = newRouter(strings.TrimSuffix(h.cfg.BasePath, "/"))
	h.router.slash = cfg.SkipTrailingSlashes
	h.jobs = newWorker(h)
	own, userFields, sessionFields := b.ownSpec()
	b.compile(own)
	b.limits()
	return h, userFields, sessionFields, b.err()
}

// SchemaOf tells what a configuration wants of the database: the input of the
// migrations. It compiles like New, reports the same faults, and neither reads the
// database nor initialises a plugin, so that it works before there are any tables.
func SchemaOf(cfg Config) (*schema.Schema, schema.Names, []storage.Step, error) {
	h, _, _, err := compile(cfg)
	if err != nil {
		return nil, schema.Names{}, nil, err
	}
	return h.schema, h.cfg.Names, h.steps, nil
}

// open binds the schema to the database and compares the two.
func (h *Host) open(ctx context.Context, userFields, sessionFields map[string]*field) error {
	names := h.cfg.Names
	if err := h.db.Bind(h.schema, names); err != nil {
		return fmt.Errorf("core: %w", err)
	}
	live, err := h.db.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("core: reading the database's tables: %w", err)
	}
	if h.adoptBan(live) {
		if err := h.db.Bind(h.schema, names); err != nil {
			return fmt.Errorf("core: %w", err)
		}
	}
	if !h.cfg.SkipVerify {
		if missing := schema.Missing(h.schema, names, live); len(missing) > 0 {
			return &DriftError{missing}
		}
	}
	h.userModel = newModel(h.schema.Table("user"), len(userColumns), userFields)
	h.sessionModel = newModel(h.schema.Table("session"), len(sessionColumns), sessionFields)
	u, s := h.userModel, h.sessionModel
	h.sql = statements{
		sessionByToken: "SELECT " + s.sel + ", " + u.sel + " FROM {session=} JOIN {user=} ON {user.id} = {session.userId} WHERE {session.token} IN (?, ?)",
		sessionList:    "SELECT " + s.sel + " FROM {session=} WHERE {session.userId} = ? AND {session.expiresAt} > ? ORDER BY {session.createdAt} LIMIT ?",
		userByID:       "SELECT " + u.sel + " FROM {user=} WHERE {user.id} = ?",
		userByEmail:    "SELECT " + u.sel + " FROM {user=} WHERE {user.email} = ?",
		userCredential: "SELECT " + u.sel + ", {account.id}, {account.password} FROM {user=} LEFT JOIN {account=} ON {account.userId} = {user.id} AND {account.providerId} = 'credential' WHERE ",
	}
	return nil
}

// adoptBan adds the ban columns of Better Auth's admin plugin where the database has
// them and no plugin of ours does: a ban must hold, whoever wrote it.
func (h *Host) adoptBan(live *schema.Live) bool {
	t := h.schema.Table("user")
	lt := live.Table(h.cfg.Names.Table("user"))
	if lt == nil || t.Column("banned") != nil || lt.Column(h.cfg.Names.Column("user", "banned")) == nil {
		return false
	}
	t.Columns = append(t.Columns, schema.Column{Name: "banned", Kind: schema.Bool, Nullable: true, Hidden: true, Owner: "core"})
	if t.Column("banExpires") == nil && lt.Column(h.cfg.Names.Column("user", "banExpires")) != nil {
		t.Columns = append(t.Columns, schema.Column{Name: "banExpires", Kind: schema.Time, Nullable: true, Hidden: true, Owner: "core"})
	}
	return true
}

// DriftError says what the database lacks, by plugin, table and column.
type DriftError struct{ Missing []schema.MissingColumn }

func (e *DriftError) Error() string {
	lines := make([]string, len(e.Missing))
	for i, m := range e.Missing {
		lines[i] = "  " + m.String()
	}
	return "core: the database lacks what is configured; run the migrations:\n" + strings.Join(lines, "\n")
}

// options checks everything that does not depend on plugins.
func (b *compiler) options() {
	h, cfg := b.h, &b.h.cfg
	if cfg.Database == nil {
		b.fault("database: required")
	}
	b.urls()
	b.secrets()
	b.cookies()
	var err error
	patterns := append([]string{cfg.BaseURL}, cfg.TrustedOrigins...)
	if h.origins, err = origin.New(patterns); err != nil {
		b.fault("trustedOrigins: %w", err)
	}
	if h.proxies, err = clientip.New(cfg.TrustedProxies); err != nil {
		b.fault("trustedProxies: %w", err)
	}
	oneOf := func(name, v string, allowed ...string) {
		if !slices.Contains(allowed, v) {
			b.fault("%s: %q is none of %s", name, v, strings.Join(allowed, ", "))
		}
	}
	oneOf("ids", cfg.IDs, "random", "uuid")
	oneOf("session.tokenStorage", cfg.Session.TokenStorage, "hashed", "compat")
	oneOf("session.cookieCache.strategy", cfg.Session.CookieCache.Strategy, "compact", "jwt", "jwe")
	oneOf("password.hash", cfg.Password.Hash, "argon2id", "scrypt")
	oneOf("rateLimit.storage", cfg.RateLimit.Storage, "memory", "database")
	oneOf("cookies.sameSite", strings.ToLower(cfg.Cookies.SameSite), "lax", "strict", "none")
	for name, n := range map[string]int{"session.expiresIn": cfg.Session.ExpiresIn, "session.updateAge": *cfg.Session.UpdateAge,
		"session.freshAge": *cfg.Session.FreshAge, "maxBody": cfg.MaxBody, "timeout": cfg.Timeout, "rateLimit.window": cfg.RateLimit.Window,
		"rateLimit.max": cfg.RateLimit.Max, "lockout.max": cfg.Lockout.Max, "lockout.window": cfg.Lockout.Window,
		"lockout.duration": cfg.Lockout.Duration, "emailVerification.expiresIn": cfg.Email.ExpiresIn,
		"user.deleteUser.deleteTokenExpiresIn": cfg.User.DeleteUser.TokenExpiresIn, "session.cookieCache.maxAge": cfg.Session.CookieCache.MaxAge} {
		if n < 0 {
			b.fault("%s: %d is negative", name, n)
		}
	}
	if cfg.Session.ExpiresIn > 34_560_000 {
		b.fault("session.expiresIn: %d s: browsers keep no cookie for more than 400 days (34560000 s)", cfg.Session.ExpiresIn)
	}
	if m := cfg.Session.CookieCache.MaxAge; m > 86400 {
		b.fault("session.cookieCache.maxAge: %d s: a revoked session would stay valid for so long; at most 86400", m)
	}
	hasher := password.Argon2id(password.Params{MemoryKiB: cfg.Password.MemoryKiB, Time: cfg.Password.Iterations, Threads: cfg.Password.Parallelism})
	if cfg.Password.Hash == "scrypt" {
		hasher = password.Scrypt()
	}
	h.hasher, err = password.NewPool(password.Multi(hasher), password.PoolOptions{Workers: cfg.Password.Workers,
		Queue: cfg.Password.Queue, MemoryLimit: cfg.Password.MemoryLimit, Rand: h.random})
	if err != nil {
		b.fault("password: %w", err)
	}
}

func (b *compiler) urls() {
	cfg := &b.h.cfg
	u, err := url.Parse(cfg.BaseURL)
	switch {
	case cfg.BaseURL == "":
		b.fault("baseURL: required, for instance https://auth.example.com")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		b.fault("baseURL: %q is no absolute http or https URL", cfg.BaseURL)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		b.fault("baseURL: %q must be an origin: scheme, host and port; the path belongs into basePath", cfg.BaseURL)
	case cfg.Production && u.Scheme != "https":
		b.fault("baseURL: %q is plain http, which production refuses: cookies and links would travel in the open", cfg.BaseURL)
	}
	if err == nil {
		cfg.BaseURL = strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Host)
	}
	if !strings.HasPrefix(cfg.BasePath, "/") || strings.Contains(cfg.BasePath, "//") {
		b.fault("basePath: %q must begin with one slash", cfg.BasePath)
	}
	cfg.BasePath = strings.TrimSuffix(cfg.BasePath, "/")
	if cfg.ErrorURL != "" {
		if u, err := url.Parse(cfg.ErrorURL); err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
			b.fault("errorURL: %q is no path and no http or https URL", cfg.ErrorURL)
		}
	}
}

func (b *compiler) secrets() {
	cfg := &b.h.cfg
	weak := func(name, s string) {
		if err := secret.Weak(s); err != nil {
			if cfg.Production {
				b.fault("%s: %w; make one with: sallyport secret", name, err)
			} else {
				b.h.log.Warn("weak secret: production will refuse it", "option", name, "reason", err.Error())
			}
		}
	}
	switch {
	case len(cfg.Secrets) == 0 && cfg.Secret == "":
		b.fault("secret: required; make one with: sallyport secret")
		b.h.keyring = secret.Single(strings.Repeat("x", 32)) // lets the other checks go on
	case len(cfg.Secrets) == 0:
		weak("secret", cfg.Secret)
		b.h.keyring = secret.Single(cfg.Secret)
	default:
		entries := make([]secret.Entry, len(cfg.Secrets))
		for i, s := range cfg.Secrets {
			weak(fmt.Sprintf("secrets[%d]", i), s.Value)
			entries[i] = secret.Entry{Version: s.Version, Value: s.Value, DecryptOnly: s.DecryptOnly}
		}
		k, err := secret.New(entries, cfg.Secret)
		if err != nil {
			b.fault("secrets: %w", err)
			k = secret.Single(strings.Repeat("x", 32))
		}
		b.h.keyring = k
	}
}

func (b *compiler) cookies() {
	cfg := &b.h.cfg.Cookies
	if cfg.Secure == nil {
		secure := strings.HasPrefix(b.h.cfg.BaseURL, "https://")
		cfg.Secure = &secure
	}
	if cfg.Domain != "" {
		d := strings.TrimPrefix(strings.ToLower(cfg.Domain), ".")
		u, _ := url.Parse(b.h.cfg.BaseURL)
		suffix, icann := publicsuffix.PublicSuffix(d)
		switch {
		case suffix == d && (icann || strings.Contains(d, ".")):
			b.fault("cookies.domain: %q is a public suffix: every site below it would get the cookies", cfg.Domain)
		case u != nil && u.Hostname() != d && !strings.HasSuffix(u.Hostname(), "."+d):
			if b.h.cfg.Production {
				b.fault("cookies.domain: %q does not hold the host of baseURL %q: browsers would refuse the cookies", cfg.Domain, b.h.cfg.BaseURL)
			} else {
				b.h.log.Warn("cookies.domain does not hold the host of baseURL: browsers will refuse the cookies", "domain", cfg.Domain, "baseURL", b.h.cfg.BaseURL)
			}
		}
	}
	if strings.ContainsAny(cfg.Prefix, " ;,=\"\t") {
		b.fault("cookies.prefix: %q is no cookie name", cfg.Prefix)
	}
	life := time.Duration(b.h.cfg.Session.ExpiresIn) * time.Second
	b.h.cookies = cookieSet{token: b.h.Cookie("session_token", life),
		data:   b.h.Cookie("session_data", time.Duration(b.h.cfg.Session.CookieCache.MaxAge)*time.Second),
		forget: b.h.Cookie("dont_remember", 0)}
}

// limits compiles the rate limits: core's, the plugins', the app's own.
func (b *compiler) limits() {
	h, cfg := b.h, &b.h.cfg.RateLimit
	rule := func(l RateLimit) ratelimit.Rule {
		return ratelimit.Rule{Window: time.Duration(l.Window) * time.Second, Max: l.Max}
	}
	c := ratelimit.Config{Default: rule(RateLimit{Max: cfg.Max, Window: cfg.Window})}
	for _, s := range h.specs {
		var list []ratelimit.Limit
		for _, l := range s.Limits {
			for _, path := range l.Paths {
				list = append(list, ratelimit.Limit{Path: path, Rule: rule(l)})
			}
		}
		c.Plugins = append(c.Plugins, list)
	}
	for _, l := range cfg.Rules {
		for _, path := range l.Paths {
			if l.Max == 0 {
				c.Custom = append(c.Custom, ratelimit.CustomLimit{Path: path, Off: true})
			} else {
				c.Custom = append(c.Custom, ratelimit.CustomLimit{Path: path, Rule: rule(l)})
			}
		}
	}
	var err error
	if h.limits, err = ratelimit.NewRules(c); err != nil {
		b.fault("rateLimit: %w", err)
	}
	if cfg.Storage == "database" {
		h.store = databaseLimits{h}
	} else {
		h.store = ratelimit.NewMemory(0)
	}
}

// Close ends background work, letting jobs that run finish until ctx ends, and closes
// the plugins in reverse order. The database stays open: whoever opened it closes it.
func (a *Auth) Close(ctx context.Context) (err error) {
	a.h.closing.Do(func() {
		err = errors.Join(a.h.jobs.close(ctx), a.h.closePlugins(ctx, len(a.h.specs)))
	})
	return err
}

func (h *Host) closePlugins(ctx context.Context, n int) error {
	var errs []error
	for i := n - 1; i >= 0; i-- {
		if c := h.specs[i].Close; c != nil {
			errs = append(errs, c(ctx))
		}
	}
	return errors.Join(errs...)
}

// Host returns the Auth as plugins see it.
func (a *Auth) Host() *Host { return a.h }

// Schema returns everything that core, plugins and app want of the database, the names
// it has there, and the steps of the plugins: the input of the migrations.
func (a *Auth) Schema() (*schema.Schema, schema.Names, []storage.Step) {
	return a.h.schema, a.h.cfg.Names, a.h.steps
}

// Database returns the adapter.
func (a *Auth) Database() storage.Database { return a.h.db.Database }

var _ contract.Passwords = passwords{}
