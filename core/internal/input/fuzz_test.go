package input

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every request is either decoded, with what is required in place, or refused with a
// status that says that it is the client's fault.
func FuzzDecode(f *testing.F) {
	rows, _ := zodTable(f)
	for i, row := range rows {
		if row.Body != nil && i%9 == 0 {
			f.Add([]byte(*row.Body), row.Query, uint8(0))
		}
	}
	f.Add([]byte("email=a&password=b"), "token=a&token=b", uint8(1))
	type required struct {
		Email    string   `json:"email" input:"email"`
		Password string   `json:"password" input:"nonempty"`
		Roles    []string `json:"roles" input:"single"`
		N        int      `json:"n" input:"min=1"`
		Rest     Members  `json:",rest"`
		Token    string   `query:"token" input:"nonempty"`
	}
	decoders := []*Decoder{compile(f, required{})}
	for _, s := range zodStructs {
		decoders = append(decoders, compile(f, s))
	}
	f.Fuzz(func(t *testing.T, body []byte, query string, mode uint8) {
		src := Source{Body: body, HasBody: mode&2 == 0, Form: true, ContentType: typeJSON, Query: query}
		if mode&1 != 0 {
			src.ContentType = typeForm
		}
		v, err := Parse(src)
		if err != nil {
			clientFault(t, err)
			return
		}
		for _, d := range decoders {
			dst := reflect.New(d.typ)
			if err := d.Fill(dst.Interface(), v); err != nil {
				clientFault(t, err)
				if !dst.Elem().IsZero() {
					t.Fatalf("refused with %v, yet filled: %+v", err, dst)
				}
				continue
			}
			r, ok := dst.Interface().(*required)
			if !ok {
				continue
			}
			if !isEmail(r.Email) || r.Password == "" || r.Roles == nil || r.N < 1 || r.Token == "" {
				t.Fatalf("required fields are missing: %+v", r)
			}
			for _, s := range append([]string{r.Password, r.Token}, r.Roles...) {
				if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
					t.Fatalf("%q", s)
				}
			}
			for _, m := range r.Rest {
				if !json.Valid(m.Raw) {
					t.Fatalf("%s: %q", m.Name, m.Raw)
				}
			}
		}
	})
}

func clientFault(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Status < 400 || e.Status >= 500 || e.Code == "" || e.Message == "" ||
		len(e.Message) > maxMessage || !utf8.ValidString(e.Message) {
		t.Fatalf("%v", err)
	}
}

// What is taken is JSON to encoding/json too, with the same meaning; what is not taken is
// either no JSON, or refused for a reason of ours.
func FuzzJSON(f *testing.F) {
	rows, _ := zodTable(f)
	for i, row := range rows {
		if row.Body != nil && i%9 == 0 {
			f.Add(*row.Body)
		}
	}
	f.Add(`"\ud83d\ude00\u00e9\n"`)
	f.Add(`{"a":[1e2,-0.5,true,null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		var tr tree
		err := parseJSON(&tr, body)
		if err == errSyntax {
			if json.Valid([]byte(body)) {
				t.Fatalf("%q is JSON", body)
			}
			return
		}
		if err != nil {
			return
		}
		var want any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "\uFEFF")), &want); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if got := tr.value(0); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, want %#v", body, got, want)
		}
		var again any
		if err := json.Unmarshal(tr.raw(0), &again); err != nil || !reflect.DeepEqual(again, want) {
			t.Fatalf("%q: raw %q, %v", body, tr.raw(0), err)
		}
	})
}

func FuzzQuote(f *testing.F) {
	f.Add("a\"\\\n\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		var back string
		if err := json.Unmarshal(quote(s), &back); err != nil || back != s {
			t.Fatalf("%q: %q, %v", s, back, err)
		}
	})
}

func BenchmarkSignIn(b *testing.B) {
	d := compile(b, signIn{})
	src := jsonSource(`{"email":"somebody@example.com","password":"correct horse","rememberMe":true}`)
	b.ReportAllocs()
	for b.Loop() {
		var in signIn
		if err := d.Decode(&in, src); err != nil {
			b.Fatal(err)
		}
	}
}
