package input

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The structs of testdata/zod.mjs's schemas.
type (
	signUp struct {
		Name        string  `json:"name"`
		Email       string  `json:"email" input:"email"`
		Password    string  `json:"password" input:"nonempty"`
		Image       *string `json:"image"`
		CallbackURL *string `json:"callbackURL"`
		RememberMe  *bool   `json:"rememberMe"`
		Rest        Members `json:",rest"`
	}
	signIn struct {
		Email       string  `json:"email"`
		Password    string  `json:"password"`
		CallbackURL *string `json:"callbackURL"`
		RememberMe  bool    `json:"rememberMe" input:"default=true"`
	}
	record struct {
		All map[string]any `json:",rest"`
	}
	loose struct {
		A    string                     `json:"a"`
		Rest map[string]json.RawMessage `json:",rest" input:"loose"`
	}
	optionalBody struct {
		A string `json:"a" input:"body"`
		B *bool  `json:"b"`
	}
	stringRules struct {
		Min      string  `json:"min" input:"min=3"`
		Max      string  `json:"max" input:"max=2"`
		Both     string  `json:"both" input:"min=2,max=4"`
		Trim     string  `json:"trim" input:"trim,nonempty"`
		Email    string  `json:"email" input:"email,min=8"`
		URL      string  `json:"url" input:"url"`
		Nullable *string `json:"nullable" input:"nullable,required"`
		Nullish  *string `json:"nullish" input:"nullable"`
		Def      string  `json:"def" input:"default=x"`
	}
	numberRules struct {
		Int   int      `json:"int" input:"min=1,max=100"`
		Float float64  `json:"float" input:"min=0.5"`
		Opt   *float64 `json:"opt"`
		Any   *int64   `json:"any"`
	}
	enumRules struct {
		One string  `json:"one" input:"enum=x"`
		Two string  `json:"two" input:"enum=otp|totp,default=totp"`
		Opt *string `json:"opt" input:"enum=a|b"`
	}
	arrayRules struct {
		S       []string  `json:"s"`
		Bounded []float64 `json:"bounded" input:"min=2,max=3"`
		Single  []string  `json:"single" input:"single"`
		Nested  [][]bool  `json:"nested" input:"optional"`
	}
	nestedRules struct {
		S struct {
			A    string `json:"a"`
			List []struct {
				C float64 `json:"c"`
			} `json:"list"`
		} `json:"s"`
		O *struct {
			X *string `json:"x"`
			Y *struct {
				Z string `json:"z"`
			} `json:"y"`
		} `json:"o"`
		R *struct {
			A    string         `json:"a"`
			Rest map[string]any `json:",rest"`
		} `json:"r"`
	}
	recordRules struct {
		M map[string]string   `json:"m"`
		N map[string][]string `json:"n" input:"optional"`
	}
	anyRules struct {
		Response any             `json:"response"`
		Opt      json.RawMessage `json:"opt" input:"optional"`
	}
	coerceRules struct {
		B  bool    `json:"b" input:"coerce"`
		S  string  `json:"s" input:"coerce,min=2"`
		OB *bool   `json:"ob" input:"coerce"`
		OS *string `json:"os" input:"coerce"`
	}
	queryRules struct {
		Token       string   `query:"token"`
		CallbackURL *string  `query:"callbackURL"`
		Flag        *bool    `query:"flag" input:"coerce"`
		List        []string `query:"list" input:"optional"`
		N           *float64 `query:"n"`
		Mail        *string  `query:"mail" input:"email"`
	}
)

var zodStructs = map[string]any{
	"signUp": signUp{}, "signIn": signIn{}, "record": record{}, "loose": loose{}, "optional": optionalBody{},
	"strings": stringRules{}, "numbers": numberRules{}, "enums": enumRules{}, "arrays": arrayRules{},
	"nested": nestedRules{}, "records": recordRules{}, "anything": anyRules{}, "coerce": coerceRules{}, "query": queryRules{},
}

// verdict is one row: what Better Auth answers, or the value of the member Key.
type verdict struct {
	Schema, Key, Query, Message string
	Body                        *string
	Value                       json.RawMessage
}

func zodTable(t testing.TB) (rows []verdict, emails map[string]bool) {
	t.Helper()
	raw, err := os.ReadFile("testdata/zod.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Rows   []verdict
		Emails map[string]bool
	}
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) < 1000 || len(table.Emails) < 40 {
		t.Fatal("too few rows")
	}
	return table.Rows, table.Emails
}

func compile(t testing.TB, v any) *Decoder {
	t.Helper()
	d, err := Compile(reflect.TypeOf(v))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (v verdict) source() Source {
	s := Source{Query: v.Query}
	if v.Body != nil {
		s.Body, s.HasBody, s.ContentType = []byte(*v.Body), true, "application/json"
	}
	return s
}

func TestMessagesAreZods(t *testing.T) {
	decoders := map[string]*Decoder{}
	for name, s := range zodStructs {
		decoders[name] = compile(t, s)
	}
	rows, _ := zodTable(t)
	values := 0
	for _, row := range rows {
		input := row.Query
		if row.Body != nil {
			input = *row.Body
		}
		d := decoders[row.Schema]
		dst := reflect.New(d.typ)
		err := d.Decode(dst.Interface(), row.source())
		if row.Message != "" {
			var e *Error
			if !errors.As(err, &e) || e.Status != 400 || e.Code != "VALIDATION_ERROR" || e.Message != row.Message {
				t.Errorf("%s %s:\n got %v\nwant %s", row.Schema, input, err, row.Message)
			}
			if !dst.Elem().IsZero() {
				t.Errorf("%s %s: refused, yet filled", row.Schema, input)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v, zod takes it", row.Schema, input, err)
			continue
		}
		if row.Key == "" || row.Schema == "nested" && row.Key == "r" {
			continue
		}
		values++
		compareValue(t, row, dst.Interface())
	}
	if values < 100 {
		t.Errorf("only %d values compared", values)
	}
}

// compareValue compares one member of the struct, as JSON, with what zod made of it.
func compareValue(t *testing.T, row verdict, dst any) {
	raw, err := json.Marshal(dst)
	if err != nil {
		t.Error(err)
		return
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	var want any
	if len(row.Value) > 0 {
		if err := json.Unmarshal(row.Value, &want); err != nil {
			t.Fatal(err)
		}
	}
	got := members[row.Key]
	if r, ok := dst.(*record); ok {
		got = r.All[row.Key]
	}
	if s, ok := want.(string); ok && row.Schema == "arrays" {
		want = []any{s} // the rule single
	}
	if row.Schema == "nested" {
		drop(got)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s %s: %s is %#v, zod makes it %#v", row.Schema, *row.Body, row.Key, got, want)
	}
}

// drop removes the nulls of absent optional members, which zod leaves out.
func drop(v any) {
	if m, ok := v.(map[string]any); ok {
		for k, x := range m {
			if drop(x); x == nil {
				delete(m, k)
			}
		}
	}
}

func TestEmailsAreZods(t *testing.T) {
	_, emails := zodTable(t)
	for s, want := range emails {
		if got := isEmail(s); got != want {
			t.Errorf("isEmail(%q) = %v, zod says %v", s, got, want)
		}
	}
}

func TestEmailLength(t *testing.T) {
	for n, want := range map[int]bool{maxEmail: true, maxEmail + 1: false, 1 << 20: false} {
		if got := ValidEmail(strings.Repeat("a", n-len("@b.cd")) + "@b.cd"); got != want {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
}
