package core

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core/internal/input"
)

// encodeInput writes an input struct as the request that would give it, so that a call
// from Go meets the same decoder: nil pointers and slices are absent. limit is the most
// that the body may have in bytes.
func encodeInput(in any, limit int) (input.Source, error) {
	e := inputEncoder{body: map[string]any{}, query: url.Values{}, params: map[string]string{}}
	if err := e.fields(reflect.ValueOf(in).Elem()); err != nil {
		return input.Source{}, err
	}
	raw, err := json.Marshal(e.body)
	if err != nil {
		return input.Source{}, ErrBadRequest.Because(err)
	}
	if len(raw) > limit {
		return input.Source{}, ErrPayloadTooLarge
	}
	return input.Source{Body: raw, HasBody: true, ContentType: "application/json", Query: e.query.Encode(),
		Param: func(name string) (string, bool) { p, ok := e.params[name]; return p, ok }}, nil
}

type inputEncoder struct {
	body   map[string]any
	query  url.Values
	params map[string]string
}

func (e *inputEncoder) fields(v reflect.Value) error {
	for i := range v.NumField() {
		f, t := v.Field(i), v.Type().Field(i)
		if t.Anonymous && f.Kind() == reflect.Struct && t.Tag == "" {
			if err := e.fields(f); err != nil {
				return err
			}
			continue
		}
		if !t.IsExported() || (f.Kind() == reflect.Pointer || f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.IsNil() {
			continue
		}
		if err := e.field(f, t.Tag); err != nil {
			return err
		}
	}
	return nil
}

func (e *inputEncoder) field(f reflect.Value, tag reflect.StructTag) error {
	value := f.Interface()
	if rest, ok := value.(Members); ok {
		for _, m := range rest {
			if _, twice := e.body[m.Name]; twice {
				return ErrBadRequest.WithMessage("Duplicate key in request body")
			}
			if !utf8.ValidString(m.Name) || !utf8.Valid(m.Raw) {
				return errNoText
			}
			e.body[m.Name] = m.Raw
		}
		return nil
	}
	if o, ok := value.(interface{ Sent() (any, bool) }); ok {
		sent := false
		if value, sent = o.Sent(); !sent {
			return nil
		}
	}
	// encoding/json would replace the bytes, and a password would become another one.
	if !validText(reflect.ValueOf(value)) {
		return errNoText
	}
	for kind, put := range map[string]func(name string){
		"json":  func(name string) { e.body[name] = value },
		"query": func(name string) { e.query.Set(name, fmt.Sprint(reflect.Indirect(f).Interface())) },
		"path":  func(name string) { e.params[name] = f.String() },
	} {
		if name, _, _ := strings.Cut(tag.Get(kind), ","); name != "" && name != "-" {
			put(name)
		}
	}
	return nil
}

var errNoText = ErrBadRequest.WithMessage("Invalid UTF-8 in request body")

// validText tells whether every text inside v is UTF-8.
func validText(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || validText(v.Elem())
	case reflect.Slice, reflect.Array:
		if b, ok := v.Interface().(json.RawMessage); ok {
			return utf8.Valid(b)
		}
		for i := range v.Len() {
			if !validText(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if !validText(k) || !validText(v.MapIndex(k)) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && !validText(v.Field(i)) {
				return false
			}
		}
	}
	return true
}
