package input

import "reflect"

// Checker is an input with a rule that no tag can say, of one member or between several:
// Check tells the member that is at fault, "" for the body or query as a whole, and what is
// wrong with it; twice "" where nothing is. It is asked with all other rules, so that its
// issue stands behind theirs in one message; members that were refused are zero.
type Checker interface {
	Check() (member, wrong string)
}

var checkerType = reflect.TypeFor[Checker]()

// check asks the struct, if it is a Checker, and adds its issue.
func (f *filler) check(o *object, s reflect.Value) {
	if !o.checked {
		return
	}
	member, wrong := s.Addr().Interface().(Checker).Check()
	if wrong == "" {
		return
	}
	depth := len(f.path)
	if member != "" {
		f.in(member)
	}
	f.issue(wrong)
	f.out(depth)
}
