package input

import (
	"encoding/json"
	"reflect"
)

// Opt is a field that tells "absent" from null and from a value: with neither Set, it
// was not sent; with Set and Null it was null; otherwise Value is what was sent.
type Opt[T any] struct {
	Set   bool
	Null  bool
	Value T
}

// Of is an Opt that was sent with v.
func Of[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

func (Opt[T]) isOpt() {}

type optional interface{ isOpt() }

// Member is one member of an object; Raw is its value as it was sent.
type Member struct {
	Name string
	Raw  json.RawMessage
}

// Members are members of an object in the order sent, the type of a `json:",rest"` field
// for which that order matters.
type Members []Member

var (
	optType     = reflect.TypeFor[optional]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	membersType = reflect.TypeFor[Members]()
	anyMapType  = reflect.TypeFor[map[string]any]()
	rawMapType  = reflect.TypeFor[map[string]json.RawMessage]()
)

// Sent returns the value as it goes into JSON, and whether there is one.
func (o Opt[T]) Sent() (any, bool) {
	if o.Null {
		return nil, o.Set
	}
	return o.Value, o.Set
}

// ValidEmail tells whether the rule email would take an address.
func ValidEmail(s string) bool { return isEmail(s) }
