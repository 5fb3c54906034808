package core

import (
	"github.com/sallyport-auth/sallyport/core/internal/clientip"
	"github.com/sallyport-auth/sallyport/core/internal/secret"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Describe compiles a configuration like New and reports the same faults, without a
// database and without initialising a plugin. The result can be asked for Routes,
// Errors, Commands and Schema; it can serve nothing.
func Describe(cfg Config) (*Auth, error) {
	if cfg.Database == nil {
		cfg.Database = noDatabase{}
	}
	cfg.NoBackground = true
	h, _, _, err := compile(cfg)
	if err != nil {
		return nil, err
	}
	return &Auth{h}, nil
}

type noDatabase struct{ storage.Database }

// ParseSecrets reads a list of secrets in the form of BETTER_AUTH_SECRETS,
// "2:new,1:old": the current one first. Its error holds no secret.
func ParseSecrets(text string) ([]Secret, error) {
	entries, err := secret.ParseEnv(text)
	if err != nil {
		return nil, err
	}
	out := make([]Secret, len(entries))
	for i, e := range entries {
		out[i] = Secret{Version: e.Version, Value: e.Value, DecryptOnly: e.DecryptOnly}
	}
	return out, nil
}

// Pattern returns the path of the endpoint that answers a request, with its parameters
// unfilled, so that a log can name it without the token in "/reset-password/:token".
func (a *Auth) Pattern(method, path string) (pattern string, ok bool) {
	ep, _ := a.h.router.find(method, path)
	if ep == nil {
		return "", false
	}
	return ep.pattern, true
}

// ClientIP returns the address that a request came from, as sessions and rate limits
// know it; empty if it is not known.
func (a *Auth) ClientIP(ex Exchange) string {
	addr := a.h.clientAddr(ex.Peer(), ex.HeaderLines("X-Forwarded-For"))
	if !addr.IsValid() {
		return ""
	}
	return clientip.Key(addr)
}

// PageEntries lists what plugins add to the built-in pages.
func (a *Auth) PageEntries() []PageEntry {
	var out []PageEntry
	for _, s := range a.h.specs {
		out = append(out, s.Pages...)
	}
	return out
}
