package bearer

import "github.com/sallyport-auth/sallyport/core"

// ID is the plugin's name in the config file.
const ID = "bearer"

// Options configure the plugin.
type Options struct {
	// RequireSignature refuses session tokens without their signature. Default false: what
	// a sign-in answers in its body as "token" can be sent as it is.
	RequireSignature bool `yaml:"requireSignature"`
}

// Plugin is the plugin. Make it with New.
type Plugin struct{ o Options }

// New makes the plugin.
func New(o Options) *Plugin { return &Plugin{o} }

// Spec implements core.Plugin.
func (p *Plugin) Spec() core.Spec {
	return core.Spec{ID: ID, Hooks: []core.Hook{core.Authenticate.Before(p.authenticate)}}
}
