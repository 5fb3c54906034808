package server

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// pluginSecret is an option of an enabled plugin that is tagged as a secret.
type pluginSecret struct {
	path string
	set  bool   // the option itself holds one
	file string // of the option with "File" behind its name; empty for none
}

// pluginSecrets are those of all enabled plugins, in order.
func (c *Config) pluginSecrets() (out []pluginSecret) {
	for _, p := range c.Plugins {
		if p.Options != nil {
			out = append(out, secretsIn(reflect.ValueOf(p.Options), "plugins."+p.ID)...)
		}
	}
	return out
}

// secretsIn finds the secrets below one value of options.
func secretsIn(v reflect.Value, path string) (out []pluginSecret) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out = secretsIn(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			out = append(out, secretsIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Map:
		all := map[string]reflect.Value{}
		for _, k := range v.MapKeys() {
			all[k.String()] = v.MapIndex(k)
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			out = append(out, secretsIn(all[name], join(path, name))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, inline, ok := yamlField(&f)
			switch {
			case inline:
				out = append(out, secretsIn(v.Field(i), path)...)
			case !ok:
			case f.Tag.Get("secret") == "true":
				s := pluginSecret{path: join(path, name), set: !v.Field(i).IsZero()}
				if beside := v.FieldByName(f.Name + "File"); beside.IsValid() && beside.Kind() == reflect.String {
					s.file = beside.String()
				}
				out = append(out, s)
			default:
				out = append(out, secretsIn(v.Field(i), join(path, name))...)
			}
		}
	}
	return out
}
