// Package input turns a request's body, query and path parameters into a Go struct, and
// refuses what does not fit with the very texts of Better Auth (better-call, zod 4.6).
//
// The steps are apart, because the origin check stands between them and looks at a few
// members:
//
//	v, err := input.Parse(src)             // media type, JSON or form syntax, caps
//	url, isString, present := v.BodyString("callbackURL")
//	err = decoder.Fill(&in, v)             // types and rules, every issue collected
//
// A struct names where each field comes from, and its rules:
//
//	type In struct {
//		Email    string         `json:"email" input:"email"`
//		Password string         `json:"password" input:"nonempty"`
//		Image    *string        `json:"image"`              // may be absent, not null
//		Remember *bool          `json:"rememberMe" input:"default=true"`
//		Rest     map[string]any `json:",rest"`              // all other members
//		Token    string         `query:"token"`
//		ID       string         `path:"id"`
//	}
//
// Kinds: string, bool, int, int64, float64, slices, map[string]T, nested structs,
// json.RawMessage, any, [Opt], and pointers to them, which make a field optional. An
// embedded struct without tags adds its fields. Integers are z.number().int(): 1.0 is
// one, 1.5 and what lies beyond 2^53-1 are not.
//
// Rules, separated by commas:
//
//	email        zod's pattern for e-mail addresses
//	url          what the JavaScript URL class takes, of any scheme; trimmed
//	nonempty     min=1
//	min=N max=N  code points of a string, items of a slice, or the number itself
//	trim         white space off both ends of a string, before the rules after it
//	enum=a|b|c   one of these strings
//	coerce       bool: JavaScript's truthiness; string: JavaScript's String(value)
//	single       on []string: a bare string is a list of one
//	default=V    for an absent field; of a string, bool or number; no commas
//	optional     may be absent, for kinds that need no pointer
//	required     must be sent though it is a pointer; only useful with nullable
//	nullable     null is allowed and leaves the zero value, or nil
//	body         on any field from the body: the whole body may be absent
//	loose        on the rest field: z.looseObject, not an intersection with a record
//	union        on the rest field: loose, and an intersection with a union, which the
//	             struct checks: see [Checker]
//
// JSON is read more strictly than JavaScript does, because databases, logs and other
// parsers behind this one would disagree about it: no duplicate names, no broken UTF-8,
// no half surrogate pairs, no NUL. Names are case-sensitive. Nothing that is wrong with
// a request gives a status of 500 or more.
package input
