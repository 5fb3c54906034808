package core

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// plugins tells which Auth a plugin value belongs to. Init gives a plugin its Host: a
// value in two Auths at once would answer the requests of one with the other's database,
// and nothing else could notice. It is the package's only state.
var plugins sync.Map // Plugin to *Host

// own takes the plugins of the list for this Auth, until it closes or New fails.
func (h *Host) own() error {
	var errs []error
	for _, p := range h.cfg.Plugins {
		if p == nil {
			continue
		}
		// Other values are copies, or may share their address with another one.
		if t := reflect.TypeOf(p); t.Kind() != reflect.Pointer || t.Elem().Size() == 0 {
			continue
		}
		if owner, taken := plugins.LoadOrStore(p, h); taken && owner != h {
			errs = append(errs, fmt.Errorf("core: the plugin %T belongs to another Auth already: make a new one for each", p))
		}
	}
	return errors.Join(errs...)
}

func (h *Host) disown() {
	for _, p := range h.cfg.Plugins {
		if p != nil && reflect.TypeOf(p).Comparable() {
			plugins.CompareAndDelete(p, h)
		}
	}
}
