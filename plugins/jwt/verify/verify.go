package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var (
	// ErrInvalid means that a token does not count; the text says why.
	ErrInvalid = errors.New("verify: invalid token")
	// ErrExpired is the ErrInvalid of a token that was good until it expired.
	ErrExpired = fmt.Errorf("%w: expired", ErrInvalid)
	// ErrUnavailable means that the keys cannot be had: nothing is known about the token.
	ErrUnavailable = errors.New("verify: the keys are not available")
)

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 16 << 10

// Options configure a Verifier.
type Options struct {
	// JWKSURL is where the keys are. Required; https, or http to a loopback address.
	JWKSURL string
	// Issuer is what iss must be. Required.
	Issuer string
	// Audience is what aud must be or contain. Required.
	Audience string
	// Algorithms that are accepted: EdDSA, ES256, ES512, RS256, PS256. Default EdDSA alone.
	Algorithms []string
	// Client fetches the keys. Its redirect policy is not used: redirects fail. Default: one
	// of its own.
	Client *http.Client
	// MinRefresh is the least time between the beginnings of two fetches. Default 30 s.
	MinRefresh time.Duration
	// MaxAge is how long fetched keys are used without another fetch that succeeds. Default
	// 1 h, at least MinRefresh.
	MaxAge time.Duration
	// Timeout bounds a fetch. Default 10 s.
	Timeout time.Duration
	// Leeway is what clocks may differ by, at exp, iat and nbf. Default 5 s, at most 2 min;
	// negative is none.
	Leeway time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Claims are the claims of a token that is good.
type Claims struct {
	KeyID     string
	Issuer    string
	Subject   string
	Audience  []string
	IssuedAt  time.Time
	ExpiresAt time.Time
	// All are all claims, as encoding/json decodes them: the user's fields too.
	All map[string]any
}

// Verifier checks tokens. It is safe for use by many goroutines.
type Verifier struct {
	o      Options
	client http.Client
	parser *jwt.Parser

	mu      sync.Mutex
	keys    map[string]key
	fetched time.Time // when keys came
	tried   time.Time // when the last fetch began
	last    error     // what it ended in
	flight  chan struct{}
}

// New makes a Verifier. It fetches nothing yet.
func New(o Options) (*Verifier, error) {
	if len(o.Algorithms) == 0 {
		o.Algorithms = []string{"EdDSA"}
	}
	set(&o.MinRefresh, 30*time.Second)
	set(&o.MaxAge, time.Hour)
	set(&o.Timeout, 10*time.Second)
	set(&o.Leeway, 5*time.Second)
	o.Leeway = max(o.Leeway, 0)
	if o.Now == nil {
		o.Now = time.Now
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("verify: "+format, args...)) }
	if err := checkURL(o.JWKSURL); err != nil {
		fault("JWKSURL: %w", err)
	}
	if o.Issuer == "" || o.Audience == "" {
		fault("Issuer and Audience are required")
	}
	for _, alg := range o.Algorithms {
		if !slices.Contains([]string{"EdDSA", "ES256", "ES512", "RS256", "PS256"}, alg) {
			fault("Algorithms: %q is none of EdDSA, ES256, ES512, RS256, PS256", alg)
		}
	}
	if o.MinRefresh < 0 || o.MaxAge < o.MinRefresh || o.Timeout < 0 || o.Leeway > 2*time.Minute {
		fault("MinRefresh %v, MaxAge %v, Timeout %v and Leeway %v do not go together", o.MinRefresh, o.MaxAge, o.Timeout, o.Leeway)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	v := &Verifier{o: o}
	if o.Client != nil {
		v.client = *o.Client
	}
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	v.parser = jwt.NewParser(jwt.WithValidMethods(o.Algorithms), jwt.WithStrictDecoding(), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(o.Leeway), jwt.WithTimeFunc(o.Now))
	return v, nil
}

func set[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("no absolute URL without credentials")
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return errors.New("https is required: whoever can change the answer can sign tokens")
	}
	return nil
}

func invalid(why string) error { return fmt.Errorf("%w: %s", ErrInvalid, why) }

// Verify checks a token and returns its claims. The error is an ErrInvalid, or an
// ErrUnavailable where the keys cannot be had before ctx ends; claims come without one.
func (v *Verifier) Verify(ctx context.Context, token string) (Claims, error) {
	switch {
	case len(token) > maxToken:
		return Claims{}, invalid("too long")
	case strings.Count(token, ".") != 2:
		return Claims{}, invalid("no three parts")
	}
	var kid string
	var ours error // why the key was not given out
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		var k key
		if kid, ours = header(t); ours == nil {
			k, ours = v.key(ctx, kid)
		}
		if ours == nil && k.alg != t.Method.Alg() {
			ours = invalid("the key is for another algorithm")
		}
		return k.public, ours
	})
	switch {
	case ours != nil:
		return Claims{}, ours
	// The library joins what it finds: a token is expired if nothing else is wrong with it.
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenInvalidIssuer) && !errors.Is(err, jwt.ErrTokenInvalidAudience) &&
		!errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return Claims{}, ErrExpired
	case err != nil:
		return Claims{}, invalid(reason(err))
	}
	return claimsOf(kid, claims)
}

// header checks what the library does not, and returns the kid.
func header(t *jwt.Token) (string, error) {
	if _, crit := t.Header["crit"]; crit {
		return "", invalid("crit is not supported")
	}
	if typ, there := t.Header["typ"]; there {
		if s, _ := typ.(string); !strings.EqualFold(s, "JWT") { // another kind of token
			return "", invalid("typ is not JWT")
		}
	}
	kid, _ := t.Header["kid"].(string)
	if kid == "" || len(kid) > 256 {
		return "", invalid("no kid")
	}
	return kid, nil
}

// reason says in words of ours why a token was refused: the library's quote it.
func reason(err error) string {
	for _, r := range []struct {
		err error
		why string
	}{
		{jwt.ErrTokenMalformed, "malformed"}, {jwt.ErrTokenUnverifiable, "unknown algorithm"}, {jwt.ErrTokenSignatureInvalid, "signature or algorithm"},
		{jwt.ErrTokenRequiredClaimMissing, "a required claim is missing"}, {jwt.ErrTokenInvalidIssuer, "another issuer"},
		{jwt.ErrTokenInvalidAudience, "another audience"}, {jwt.ErrTokenNotValidYet, "not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "issued in the future"},
	} {
		if errors.Is(err, r.err) {
			return r.why
		}
	}
	return "claims"
}

// claimsOf reads the claims that every token has.
func claimsOf(kid string, all jwt.MapClaims) (Claims, error) {
	exp, err1 := all.GetExpirationTime()
	iat, err2 := all.GetIssuedAt()
	aud, err3 := all.GetAudience()
	iss, _ := all["iss"].(string)
	sub, _ := all["sub"].(string)
	if err1 != nil || err2 != nil || err3 != nil || exp == nil || iat == nil || sub == "" || exp.Before(iat.Time) {
		return Claims{}, invalid("a required claim is missing")
	}
	return Claims{KeyID: kid, Issuer: iss, Subject: sub, Audience: aud, IssuedAt: iat.Time, ExpiresAt: exp.Time, All: all}, nil
}
