package input

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

func ptr[T any](v T) *T { return &v }

func TestFillBody(t *testing.T) {
	var in signUp
	err := compile(t, in).Decode(&in, jsonSource(`{ "z": [1, 2],"name":"N\u00e9","email":"a@b.co", "password":"p","rememberMe":false,"a":null,"__proto__":1,"Name":"other" }`))
	want := signUp{Name: "Né", Email: "a@b.co", Password: "p", RememberMe: ptr(false),
		Rest: Members{{"z", json.RawMessage("[1, 2]")}, {"a", json.RawMessage("null")}, {"Name", json.RawMessage(`"other"`)}}}
	if err != nil || !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, %v", in, err)
	}
	var l loose
	if err := compile(t, l).Decode(&l, jsonSource(`{"a":"x","b":{"c":1}}`)); err != nil ||
		!reflect.DeepEqual(l, loose{A: "x", Rest: map[string]json.RawMessage{"b": json.RawMessage(`{"c":1}`)}}) {
		t.Errorf("got %+v, %v", l, err)
	}
	var a anyRules
	if err := compile(t, a).Decode(&a, jsonSource(`{"response":{"x":[1,"a",null,true]},"opt":{"k": "\u0041"}}`)); err != nil ||
		!reflect.DeepEqual(a, anyRules{map[string]any{"x": []any{1.0, "a", nil, true}}, json.RawMessage(`{"k": "\u0041"}`)}) {
		t.Errorf("got %+v, %v", a, err)
	}
	a = anyRules{Response: "old", Opt: json.RawMessage("1")}
	if err := compile(t, a).Decode(&a, jsonSource(`{"response":null}`)); err != nil || a.Response != nil || a.Opt != nil {
		t.Errorf("what was in dst is left: %+v, %v", a, err)
	}
}

func TestOpt(t *testing.T) {
	type update struct {
		Name  Opt[string]   `json:"name" input:"min=2"`
		Image Opt[string]   `json:"image"`
		Tags  Opt[[]string] `json:"tags"`
	}
	var in update
	d := compile(t, in)
	if err := d.Decode(&in, jsonSource(`{"name":"ab","image":null}`)); err != nil ||
		!reflect.DeepEqual(in, update{Name: Of("ab"), Image: Opt[string]{Set: true, Null: true}}) {
		t.Errorf("got %+v, %v", in, err)
	}
	if err := d.Decode(&in, jsonSource(`{"tags":["a"]}`)); err != nil || !reflect.DeepEqual(in, update{Tags: Of([]string{"a"})}) {
		t.Errorf("got %+v, %v", in, err)
	}
	wantError(t, "opt", d.Decode(&in, jsonSource(`{"name":"a","image":1,"tags":[1]}`)), 400, "VALIDATION_ERROR",
		"[body.name] Too small: expected string to have >=2 characters; [body.image] Invalid input: expected string, received number; [body.tags.0] Invalid input: expected string, received number")
}

type embedded struct {
	Shared string `json:"shared"`
}

type everything struct {
	embedded
	_      struct{} `input:"body"`
	B      *string  `json:"b"`
	N      int      `json:"n" input:"default=7"`
	Hidden string   `json:"-"`
	Q      *string  `query:"q"`
	ID     string   `path:"id"`
}

func TestSources(t *testing.T) {
	param := func(name string) (string, bool) { return "42", name == "id" }
	d := compile(t, everything{})
	var in everything
	src := jsonSource(`{"shared":"s","b":"x","n":1,"q":"no","id":"no","Hidden":"no","hidden":"no"}`)
	src.Query, src.Param = "q=y&b=no", param
	want := everything{embedded: embedded{"s"}, B: ptr("x"), N: 1, Q: ptr("y"), ID: "42"}
	if err := d.Decode(&in, src); err != nil || !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, %v", in, err)
	}
	if err := d.Decode(&in, Source{Param: param}); err != nil || !reflect.DeepEqual(in, everything{N: 7, ID: "42"}) {
		t.Errorf("without a body: %+v, %v", in, err)
	}
	bad := jsonSource(`{"shared":1}`)
	bad.Query = "q=1&q=2"
	wantError(t, "body before query", d.Decode(&in, bad), 400, "VALIDATION_ERROR", "[body.shared] Invalid input: expected string, received number")
	wantError(t, "query before path", d.Decode(&in, Source{Query: "q=1&q=2"}), 400, "VALIDATION_ERROR", "[query.q] Invalid input: expected string, received array")
	wantError(t, "no path", d.Decode(&in, Source{}), 400, "VALIDATION_ERROR", "[params.id] Invalid input: expected string, received undefined")
	for _, s := range []string{"\x00", "\xff"} {
		wantError(t, "path", d.Decode(&in, Source{Param: func(string) (string, bool) { return s, true }}), 400, "BAD_REQUEST", "Invalid character in path")
	}
}

func TestFillRefusesOtherTypes(t *testing.T) {
	d := compile(t, signIn{})
	v, err := Parse(Source{})
	if err != nil {
		t.Fatal(err)
	}
	for _, dst := range []any{nil, signIn{}, (*signIn)(nil), &signUp{}, ptr(1)} {
		var e *Error
		if err := d.Fill(dst, v); err == nil || errors.As(err, &e) {
			t.Errorf("%T: %v", dst, err)
		}
	}
}

// A server reuses its buffers: nothing that was filled may change with them.
func TestNothingIsShared(t *testing.T) {
	body := []byte(`{"shared":"abc","b":"esc\n"}`)
	query, id := []byte("q=query"), []byte("path")
	view := func(b []byte) string { return unsafe.String(&b[0], len(b)) }
	src := Source{Body: body, HasBody: true, ContentType: "application/json", Query: view(query),
		Param: func(string) (string, bool) { return view(id), true }}
	var in everything
	if err := compile(t, in).Decode(&in, src); err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{body, query, id} {
		for i := range b {
			b[i] = '#'
		}
	}
	if in.Shared != "abc" || *in.B != "esc\n" || *in.Q != "query" || in.ID != "path" {
		t.Errorf("got %+v", in)
	}
}

func TestMessageIsBounded(t *testing.T) {
	d := compile(t, recordRules{})
	long := strings.Repeat("k", 1000)
	err := d.Decode(&recordRules{}, jsonSource(`{"m":{},"n":{"`+long+`":[`+strings.Repeat("1,", 100)+`1]}}`))
	var e *Error
	if !errors.As(err, &e) || len(e.Message) > maxMessage || len(e.Message) < maxMessage/2 || !strings.HasSuffix(e.Message, "received number") {
		t.Errorf("got %.200v", err)
	}
	err = d.Decode(&recordRules{}, jsonSource(`{"m":{"`+strings.Repeat("k", maxMessage)+`":1,"b":2}}`))
	wantError(t, "long name", err, 400, "VALIDATION_ERROR", "[body] Invalid input: expected string, received number")
}

func TestErrorIs(t *testing.T) {
	err := error(Invalid("body.role", "Invalid input"))
	if !errors.Is(err, &Error{Code: "VALIDATION_ERROR"}) || errors.Is(err, &Error{Code: "BAD_REQUEST"}) || errors.Is(err, errors.ErrUnsupported) {
		t.Error("errors.Is does not compare codes")
	}
	if err.Error() != "VALIDATION_ERROR: [body.role] Invalid input" {
		t.Error(err)
	}
}

func TestCompileRefuses(t *testing.T) {
	type recursive struct {
		Next *recursive `json:"next"`
	}
	type nested struct {
		Q string `query:"q"`
	}
	for want, v := range map[string]any{
		"is no struct":                      1,
		"A: has no json, query or path tag": struct{ A string }{},
		"a: is not exported": struct {
			a string `query:"a"`
		}{},
		"A: has more than one": struct {
			A string `json:"a" query:"a"`
		}{},
		"A: has the tag \"\"": struct {
			A string `json:""`
		}{},
		"A: has the tag \"a,omitempty\"": struct {
			A string `json:"a,omitempty"`
		}{},
		"B: has the name of another": struct {
			embedded
			B string `json:"shared"`
		}{},
		"unsupported type chan int": struct {
			A chan int `json:"a"`
		}{},
		"unsupported type float32": struct {
			A float32 `json:"a"`
		}{},
		"unsupported type uint8": struct {
			A []byte `json:"a"`
		}{},
		"unsupported type *string": struct {
			A **string `json:"a"`
		}{},
		"keys are no strings": struct {
			A map[int]string `json:"a"`
		}{},
		"interface with methods": struct {
			A error `json:"a"`
		}{},
		"without json tags": struct {
			A struct{} `json:"a"`
		}{},
		"is recursive": recursive{},
		"cannot come from the query": struct {
			A nested `json:"a"`
		}{},
		"A: takes the rest, and is neither": struct {
			A map[string]string `json:",rest"`
		}{},
		"B: is the second field that takes": struct {
			A Members `json:",rest"`
			B Members `json:",rest"`
		}{},
		"which has no rules but loose": struct {
			A Members `json:",rest" input:"nonempty"`
		}{},
		"must be a string without rules": struct {
			A int `path:"a"`
		}{},
		`A: rule "nonempty" does not`: struct {
			A bool `json:"a" input:"nonempty"`
		}{},
		`A: rule "email" does not`: struct {
			A []string `json:"a" input:"email"`
		}{},
		`A: rule "coerce" does not`: struct {
			A int `json:"a" input:"coerce"`
		}{},
		`A: rule "single" does not`: struct {
			A []int `json:"a" input:"single"`
		}{},
		`A: rule "enum=" has no`: struct {
			A string `json:"a" input:"enum="`
		}{},
		`A: rule "min=x" has no`: struct {
			A string `json:"a" input:"min=x"`
		}{},
		`A: rule "min=-1" has no`: struct {
			A string `json:"a" input:"min=-1"`
		}{},
		`A: rule "default=x" has no`: struct {
			A bool `json:"a" input:"default=x"`
		}{},
		`A: rule "default=1" does not`: struct {
			A []string `json:"a" input:"default=1"`
		}{},
		`A: rule "required" does not`: struct {
			A string `json:"a" input:"required"`
		}{},
		`A: rule "min" is unknown`: struct {
			A string `json:"a" input:"min"`
		}{},
		`A: rule "email=1" is unknown`: struct {
			A string `json:"a" input:"email=1"`
		}{},
		`A: rule "nonemtpy" is unknown`: struct {
			A string `json:"a" input:"nonemtpy"`
		}{},
		`A: has a default, and is an Opt`: struct {
			A Opt[string] `json:"a" input:"default=x"`
		}{},
		`A: has the rule body, and is no`: struct {
			A string `query:"a" input:"body"`
		}{},
	} {
		if d, err := Compile(reflect.TypeOf(v)); d != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if d, err := Compile(nil); d != nil || err == nil {
		t.Error("nil is a struct")
	}
	if _, err := Compile(reflect.TypeFor[*signIn]()); err != nil {
		t.Error(err)
	}
}

type oneOf struct {
	N    *int    `json:"n"`
	Rest Members `json:",rest" input:"union"`
}

func (in *oneOf) Check() (member, wrong string) {
	switch {
	case len(in.Rest) == 0:
		return "", "Invalid input"
	case len(in.Rest) > 1:
		return "b", "one too many"
	}
	return "", ""
}

type queryOf struct {
	Q []string `query:"q" input:"single,optional"`
}

func (in *queryOf) Check() (member, wrong string) {
	if len(in.Q) > 1 {
		return "q", "Invalid input"
	}
	return "", ""
}

// A struct's own rule stands behind those of its members, in one message.
func TestChecker(t *testing.T) {
	d := compile(t, oneOf{})
	for body, want := range map[string]string{
		`{"a":1}`:             "",
		`{}`:                  "[body] Invalid input",
		`{"a":1,"b":2}`:       "[body.b] one too many",
		`{"n":"x"}`:           "[body.n] Invalid input: expected number, received string; [body] Invalid input",
		`{"n":"x","a":1}`:     "[body.n] Invalid input: expected number, received string",
		`[]`:                  "[body] Invalid input: expected object, received array; [body] Invalid input",
		`{"n":5,"a":1,"b":1}`: "[body.b] one too many",
	} {
		var in oneOf
		err := d.Decode(&in, Source{Body: []byte(body), HasBody: true, ContentType: "application/json"})
		if want != "" {
			wantError(t, body, err, 400, "VALIDATION_ERROR", want)
		} else if err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	var in queryOf
	q := compile(t, in)
	wantError(t, "query", q.Decode(&in, Source{Query: "q=1&q=2"}), 400, "VALIDATION_ERROR", "[query.q] Invalid input")
	if err := q.Decode(&in, Source{Query: "q=1"}); err != nil || len(in.Q) != 1 {
		t.Errorf("%v, %v", in.Q, err)
	}
}
