package ratelimit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/internal/origin/glob"
)

// DefaultRule holds for paths that no other rule names.
var DefaultRule = Rule{Window: 10 * time.Second, Max: 100}

// Limit gives paths a rule. Path is compared as it is; a "*" at its end makes it a
// prefix ("/two-factor/*").
type Limit struct {
	Path string
	Rule Rule
}

// CustomLimit overrides what everybody else says of a path. Path may hold wildcards as
// package glob describes them ("/sign-in/*" is one segment, "/**" is everything).
type CustomLimit struct {
	Path string
	Off  bool // no limit at all; Rule must be zero
	Rule Rule
}

// Config is what Rules are made of. Plugins holds one list for each plugin, in the order
// of configuration.
type Config struct {
	Default Rule // zero means DefaultRule
	Plugins [][]Limit
	Custom  []CustomLimit
}

// Rules tells the limit of each path. It is safe for concurrent use.
type Rules struct {
	fallback Rule
	plugins  []Limit
	custom   []custom
}

type custom struct {
	CustomLimit
	wild *glob.Pattern // nil for an exact path
}

// special are core's own limits on what guesses or sends mail.
var special = []Limit{
	{"/sign-in*", Rule{10 * time.Second, 3}},
	{"/sign-up*", Rule{10 * time.Second, 3}},
	{"/change-password*", Rule{10 * time.Second, 3}},
	{"/change-email*", Rule{10 * time.Second, 3}},
	{"/request-password-reset", Rule{time.Minute, 3}},
	{"/send-verification-email", Rule{time.Minute, 3}},
	{"/forget-password*", Rule{time.Minute, 3}},
	{"/email-otp/send-verification-otp", Rule{time.Minute, 3}},
	{"/email-otp/request-password-reset", Rule{time.Minute, 3}},
}

// NewRules reports every rule that allows nothing and every path that names none.
func NewRules(c Config) (*Rules, error) {
	r := &Rules{fallback: c.Default}
	var errs []error
	if r.fallback == (Rule{}) {
		r.fallback = DefaultRule
	}
	errs = append(errs, check("the default rate limit", r.fallback))
	for _, limits := range c.Plugins {
		for _, l := range limits {
			name := fmt.Sprintf("the rate limit of %q", l.Path)
			if !strings.HasPrefix(l.Path, "/") || glob.Has(strings.TrimSuffix(l.Path, "*")) {
				errs = append(errs, fmt.Errorf("%s: the path must begin with a slash, and may hold one * at its end", name))
			}
			errs = append(errs, check(name, l.Rule))
			r.plugins = append(r.plugins, l)
		}
	}
	for _, l := range c.Custom {
		cl, err := compileCustom(l)
		errs = append(errs, err)
		r.custom = append(r.custom, cl)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

func check(name string, r Rule) error {
	if r.Max < 1 || r.Window <= 0 {
		return fmt.Errorf("%s: %d per %v allows nothing; both must be positive", name, r.Max, r.Window)
	}
	return nil
}

func compileCustom(l CustomLimit) (custom, error) {
	name := fmt.Sprintf("the custom rate limit of %q", l.Path)
	c := custom{CustomLimit: l}
	if l.Path == "" {
		return c, fmt.Errorf("%s: the path is empty", name)
	}
	// Better Auth takes a path for a pattern only when it holds a "*".
	if strings.Contains(l.Path, "*") {
		var err error
		if c.wild, err = glob.Compile(l.Path); err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
	} else if !strings.HasPrefix(l.Path, "/") || len(l.Path) > 1 && strings.HasSuffix(l.Path, "/") {
		return c, fmt.Errorf("%s: a path begins with a slash and does not end in one", name)
	}
	if l.Off {
		if l.Rule != (Rule{}) {
			return c, fmt.Errorf("%s: is off, and has a rule", name)
		}
		return c, nil
	}
	return c, check(name, l.Rule)
}

// For returns the rule of a path, without base path and trailing slash, and false when
// it has no limit. The last that speaks wins: the default, the special rules, the first
// limit of a plugin that matches in the order of configuration, the first custom one.
func (r *Rules) For(path string) (rule Rule, limited bool) {
	rule = r.fallback
	if l := first(special, path); l != nil {
		rule = l.Rule
	}
	if l := first(r.plugins, path); l != nil {
		rule = l.Rule
	}
	for i := range r.custom {
		c := &r.custom[i]
		if c.wild == nil && c.Path == path || c.wild != nil && c.wild.Match(path) {
			if c.Off {
				return Rule{}, false
			}
			return c.Rule, true
		}
	}
	return rule, true
}

// Matches tells whether the limit is about a path.
func (l Limit) Matches(path string) bool {
	prefix, wild := strings.CutSuffix(l.Path, "*")
	return wild && strings.HasPrefix(path, prefix) || l.Path == path
}

func first(limits []Limit, path string) *Limit {
	for i := range limits {
		if l := &limits[i]; l.Matches(path) {
			return l
		}
	}
	return nil
}

// noAddress stands in a key for a client whose address is not known: all of them share
// one count per path.
const noAddress = "no-trusted-ip"

// Key is what is counted: the client's address (as clientip.Key gives it, "" if not
// known) and the path, without base path and trailing slash.
func Key(address, path string) string {
	if address == "" {
		address = noAddress
	}
	return address + "|" + path
}
