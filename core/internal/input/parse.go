package input

import (
	"fmt"
	"strings"
)

// Source is one request. Parse keeps no part of Body, Query and ContentType, so that
// they may be a server's reused memory; Param is called while filling.
type Source struct {
	// Body is the whole body. How long it may be is the host's business, within 64 MiB.
	Body []byte
	// HasBody tells an empty body from none. Without one the content type is not looked
	// at, and the body is undefined.
	HasBody bool
	// ContentType is the header's value, "" if there is none.
	ContentType string
	// Form: this endpoint also takes application/x-www-form-urlencoded.
	Form bool
	// NoBody: this endpoint ignores the body, whatever it is.
	NoBody bool
	// Query is what stands after "?", undecoded.
	Query string
	// Param returns a path parameter, decoded; nil if there are none.
	Param func(name string) (string, bool)
}

// Values is a request whose syntax is right.
type Values struct {
	body  tree // no nodes: undefined
	query tree
	param func(name string) (string, bool)
	// Room for a usual body and query, so that they cost no allocation of their own.
	bodyRoom  [12]node
	queryRoom [3]node
}

// Parse checks the media type and reads body and query. Its errors are *Error: 415
// UNSUPPORTED_MEDIA_TYPE, 400 BAD_REQUEST, 413 PAYLOAD_TOO_LARGE or JSON_TOO_DEEP.
func Parse(src Source) (*Values, error) {
	v := &Values{param: src.Param}
	v.body.nodes, v.query.nodes = v.bodyRoom[:0], v.queryRoom[:0]
	if src.HasBody && !src.NoBody {
		if len(src.Body) > maxBody {
			return nil, errBody
		}
		form, err := mediaType(src.ContentType, src.Form)
		if err != nil {
			return nil, err
		}
		if form {
			err = parseForm(&v.body, string(src.Body))
		} else {
			err = parseJSON(&v.body, string(src.Body))
		}
		if err != nil {
			return nil, err
		}
	}
	if err := parseQuery(&v.query, strings.Clone(src.Query)); err != nil {
		return nil, err
	}
	return v, nil
}

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

func mediaType(header string, allowForm bool) (form bool, err error) {
	header = strings.Trim(header, " \t")
	essence, _, _ := strings.Cut(header, ";")
	essence = strings.TrimRight(essence, " \t")
	if sameType(essence, typeJSON) {
		return false, nil
	}
	if allowForm && sameType(essence, typeForm) {
		return true, nil
	}
	allowed := typeJSON
	if allowForm {
		allowed = typeForm + ", " + typeJSON
	}
	if header == "" {
		return false, &Error{415, codeMediaType, "Content-Type is required. Allowed types: " + allowed}
	}
	return false, &Error{415, codeMediaType, fmt.Sprintf(`Content-Type "%s" is not allowed. Allowed types: %s`, latin1(header), allowed)}
}

// sameType compares lengths first, because EqualFold takes the two bytes of "ſ" for "s".
func sameType(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// latin1 reads header bytes as JavaScript's Headers do.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// BodyString looks at one member of the body before it is validated. present is false
// when it is absent, or null, false or zero, which Better Auth's checks also pass over;
// isString is false when it is anything else than a string.
func (v *Values) BodyString(name string) (value string, isString, present bool) {
	return v.body.lookup(name)
}

// QueryString is BodyString for a parameter of the query; one that is repeated is
// present and no string.
func (v *Values) QueryString(name string) (value string, isString, present bool) {
	return v.query.lookup(name)
}

func (t *tree) lookup(name string) (value string, isString, present bool) {
	if len(t.nodes) == 0 || t.nodes[0].kind != kindObject {
		return "", false, false
	}
	i := t.member(0, name)
	if i == 0 {
		return "", false, false
	}
	if n := &t.nodes[i]; n.kind == kindString {
		return n.str, true, true
	}
	return "", false, t.truthy(i)
}
