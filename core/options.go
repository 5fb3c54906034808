package core

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/internal/clientip"
	"github.com/sallyport-auth/sallyport/core/internal/cookie"
	"github.com/sallyport-auth/sallyport/core/internal/origin"
	"github.com/sallyport-auth/sallyport/core/internal/password"
	"github.com/sallyport-auth/sallyport/core/internal/ratelimit"
	"github.com/sallyport-auth/sallyport/core/internal/secret"
)

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
	patterns := cfg.TrustedOrigins
	if cfg.BaseURL != "" {
		patterns = append([]string{cfg.BaseURL}, patterns...)
	}
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
	oneOf("ids", cfg.IDs, "random", "uuid", "serial")
	oneOf("session.tokenStorage", cfg.Session.TokenStorage, "hashed", "compat")
	oneOf("session.cookieCache.strategy", cfg.Session.CookieCache.Strategy, "compact", "jwt", "jwe")
	oneOf("password.hash", cfg.Password.Hash, "argon2id", "scrypt")
	oneOf("rateLimit.storage", cfg.RateLimit.Storage, "memory", "database", "redis")
	oneOf("rateLimit.onFailure", cfg.RateLimit.OnFailure, "memory", "open", "closed")
	oneOf("session.storage", cfg.Session.Storage, "database", "redis")
	b.store("session.storage", cfg.Session.Storage, "Config.Session.Store", cfg.Session.Store != nil)
	b.store("rateLimit.storage", cfg.RateLimit.Storage, "Config.RateLimit.Store", cfg.RateLimit.Store != nil)
	oneOf("cookies.sameSite", strings.ToLower(cfg.Cookies.SameSite), "lax", "strict", "none")
	for name, n := range map[string]int{"session.expiresIn": cfg.Session.ExpiresIn, "session.updateAge": *cfg.Session.UpdateAge,
		"session.freshAge": *cfg.Session.FreshAge, "maxBody": cfg.MaxBody, "timeout": cfg.Timeout, "rateLimit.window": cfg.RateLimit.Window,
		"rateLimit.max": cfg.RateLimit.Max, "audit.retention": *cfg.Audit.Retention, "emailVerification.expiresIn": cfg.Email.ExpiresIn,
		"user.deleteUser.deleteTokenExpiresIn": cfg.User.DeleteUser.TokenExpiresIn, "session.cookieCache.maxAge": cfg.Session.CookieCache.MaxAge} {
		if n < 0 {
			b.fault("%s: %d is negative", name, n)
		}
	}
	if n, least := *cfg.Audit.Retention, max(86400, cfg.Email.ExpiresIn); n > 0 && n < least {
		b.fault("audit.retention: %d s: must be 0, or at least %d: events tell whether a mailed link is still valid", n, least)
	}
	b.lockout()
	for _, name := range cfg.Notices.Except {
		oneOf("notices.except", name, notices...)
	}
	if p := cfg.Password; p.MinLength < 1 || p.MinLength > p.MaxLength {
		b.fault("password.minLength: %d is more than maxLength %d, or less than 1", p.MinLength, p.MaxLength)
	}
	if cfg.User.DeleteUser.VerifyByMail && cfg.Mailer == nil {
		b.fault("user.deleteUser.verifyByMail: no mailer is configured, and a link has to be sent by mail")
	}
	if cfg.Session.ExpiresIn > 34_560_000 {
		b.fault("session.expiresIn: %d s: browsers keep no cookie for more than 400 days (34560000 s)", cfg.Session.ExpiresIn)
	}
	if m, most := cfg.Session.StorageMaxAge, int(contract.MaxSessionCopy/time.Second); m < 1 || m > most {
		b.fault("session.storageMaxAge: %d s: must be from 1 to %d", m, most)
	}
	b.sessionCache()
	if m := cfg.Session.CookieCache.MaxAge; m > 86400 {
		b.fault("session.cookieCache.maxAge: %d s: a revoked session would stay valid for so long; at most 86400", m)
	}
	hasher := password.Argon2id(password.Params{MemoryKiB: cfg.Password.MemoryKiB, Time: cfg.Password.Iterations, Threads: cfg.Password.Parallelism})
	if cfg.Password.Hash == "scrypt" {
		hasher = password.Scrypt()
	}
	pool := password.PoolOptions{Workers: cfg.Password.Workers, Queue: cfg.Password.Queue, MemoryLimit: cfg.Password.MemoryLimit, Rand: h.random}
	if cfg.Observer != nil {
		pool.Observe = h.observeHash
	}
	h.hasher, err = password.NewPool(password.Multi(hasher), pool)
	if err != nil {
		b.fault("password: %w", err)
	}
}

// store refuses a storage that is not there, and a store that would not be asked.
func (b *compiler) store(option, storage, field string, given bool) {
	switch {
	case storage == "redis" && !given:
		b.fault("%s: \"redis\" needs a store: the program makes one of the option redis, an app sets %s", option, field)
	case storage != "redis" && given:
		b.fault("%s: %q would leave %s unused: leave the option out", option, storage, field)
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
	if err != nil || u.Host == "" {
		cfg.BaseURL = "" // what else depends on it is not judged
	} else {
		cfg.BaseURL = strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Host)
	}
	if !strings.HasPrefix(cfg.BasePath, "/") || strings.Contains(cfg.BasePath, "//") {
		b.fault("basePath: %q must begin with one slash", cfg.BasePath)
	}
	cfg.BasePath = strings.TrimSuffix(cfg.BasePath, "/")
	for name, to := range map[string]string{"errorURL": cfg.ErrorURL, "challengeURL": cfg.ChallengeURL} {
		if u, err := url.Parse(to); err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
			b.fault("%s: %q is no path and no http or https URL", name, to)
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
	b.h.signer = cookie.NewSigner(b.h.keyring.SigningKeys())
}

// cookieName is RFC 6265's token, cookieDomain a host name.
var (
	cookieName   = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	cookieDomain = regexp.MustCompile(`^\.?[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$`)
)

func (b *compiler) cookies() {
	cfg := &b.h.cfg.Cookies
	explicit := cfg.Secure != nil // else it follows baseURL, which production wants to be https
	if !explicit {
		secure := strings.HasPrefix(b.h.cfg.BaseURL, "https://")
		cfg.Secure = &secure
	}
	if cfg.Domain != "" {
		d := strings.TrimPrefix(strings.ToLower(cfg.Domain), ".")
		u, _ := url.Parse(b.h.cfg.BaseURL)
		suffix, icann := publicsuffix.PublicSuffix(d)
		switch {
		case !cookieDomain.MatchString(cfg.Domain):
			b.fault("cookies.domain: %q is no host name", cfg.Domain)
		case suffix == d && (icann || strings.Contains(d, ".")):
			b.fault("cookies.domain: %q is a public suffix: every site below it would get the cookies", cfg.Domain)
		case u != nil && u.Host != "" && u.Hostname() != d && !strings.HasSuffix(u.Hostname(), "."+d):
			if b.h.cfg.Production {
				b.fault("cookies.domain: %q does not hold the host of baseURL %q: browsers would refuse the cookies", cfg.Domain, b.h.cfg.BaseURL)
			} else {
				b.h.log.Warn("cookies.domain does not hold the host of baseURL: browsers will refuse the cookies", "domain", cfg.Domain, "baseURL", b.h.cfg.BaseURL)
			}
		}
	}
	if b.h.cfg.Production && explicit && !*cfg.Secure {
		b.fault("cookies.secure: false is refused in production: the cookies would travel in the open")
	}
	if !cookieName.MatchString(cfg.Prefix) {
		b.fault("cookies.prefix: %q is no cookie name", cfg.Prefix)
	}
	for name, o := range cfg.Override {
		if o.Name != "" && !cookieName.MatchString(o.Name) {
			b.fault("cookies.override.%s.name: %q is no cookie name", name, o.Name)
		}
		if o.SameSite != "" && !slices.Contains([]string{"lax", "strict", "none"}, strings.ToLower(o.SameSite)) {
			b.fault("cookies.override.%s.sameSite: %q is none of lax, strict, none", name, o.SameSite)
		}
		if o.Path != "" && (o.Path[0] != '/' || strings.ContainsFunc(o.Path, func(r rune) bool { return r <= ' ' || r == ';' || r >= 0x7f })) {
			b.fault("cookies.override.%s.path: %q is no path", name, o.Path)
		}
	}
	life := time.Duration(b.h.cfg.Session.ExpiresIn) * time.Second
	b.h.cookies = cookieSet{token: b.h.Cookie("session_token", life),
		data:   b.h.Cookie("session_data", time.Duration(b.h.cfg.Session.CookieCache.MaxAge)*time.Second),
		forget: b.h.Cookie("dont_remember", 0), device: b.h.Cookie("device", deviceLife)}
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
			if len(l.Paths) == 0 {
				b.fault("plugin %s: a rate limit without paths", s.ID)
			}
			for _, path := range l.Paths {
				limit := ratelimit.Limit{Path: path, Rule: rule(l)}
				if !slices.ContainsFunc(h.list, func(e *endpoint) bool { return limit.Matches(e.path) }) {
					b.fault("plugin %s: the rate limit of %q holds for no endpoint: want a path as its route declares it", s.ID, path)
				}
				list = append(list, limit)
			}
		}
		c.Plugins = append(c.Plugins, list)
	}
	for _, l := range cfg.Rules {
		if len(l.Paths) == 0 {
			b.fault("rateLimit.rules: a rule without paths")
		}
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
	switch {
	case cfg.Store != nil:
		h.store = h.newSharedLimits(foreignLimits{h, cfg.Store})
	case cfg.Storage == "database":
		h.store = h.newSharedLimits(databaseLimits{h})
	default:
		h.store = ratelimit.NewMemory(0)
	}
}
