package plugintest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// values are what no handler expects, as JSON.
var values = []string{
	`null`, `true`, `false`, `0`, `-1`, `1.5`, `1e309`, `9007199254740993`, `""`, `" "`, `"\u0000"`, "\"a\xffb\"", `"\ud800"`,
	`[]`, `{}`, `[null]`, `[[]]`, `{"a":{"b":[1]}}`, `["x","y"]`, `"' OR '1'='1"`, `"{user.id} ?"`, `"%s%n$1"`, `"\r\nSet-Cookie: a=b"`,
	`"../../etc/passwd"`, `"<script>alert(1)</script>"`, `"https://evil.example/"`, `"javascript:alert(1)"`, `"İıſK\u200b\u202e\ud83d\ude00"`,
	`"e\u0301\u0301\u0301"`, `"__proto__"`, `"a@b.co"`, `"2026-01-01T00:00:00.000Z"`, `"` + strings.Repeat("A", 5000) + `"`,
	`"` + strings.Repeat("é", 70000) + `"`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
}

// texts are values for query and path, encoded.
var texts = []string{"", "%00", "%ff", "%", "%zz", "..", "%2e%2e", "%2f", "a%0d%0aSet-Cookie:x", "%27", "{user.id}", "?", "%3f", "%E2%80%AE", "%C4%B0",
	"true", "-1", "1e309", "%5B%5D", strings.Repeat("A", 9000)}

// bodies are whole bodies.
var bodies = []string{``, `{`, `null`, `[]`, `"text"`, `1`, `{}`, `{"a":1,"a":2}`, `{"":""}`, `{"__proto__":{"admin":true}}`, "\xef\xbb\xbf{}", "\x00", "{\"a\":\"\xff\"}",
	`{} {}`, `{"a":1,}`, `{"x":` + strings.Repeat(`{"x":`, 10000) + `1` + strings.Repeat(`}`, 10001),
	`{` + strings.Repeat(`"k":1,`, 3) + `"z":1}`, `{"big":"` + strings.Repeat("A", 2<<20) + `"}`, many(3000)}

func many(n int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"k%d":%d,`, i, i)
	}
	return b.String() + `"end":1}`
}

// sent is a request of the journey with whoever sent it.
type sent struct {
	client *Client
	r      Request
}

// recorded runs the journey and returns the last success of each own endpoint, and of
// each alias by method and path.
func (c *checker) recorded(h *Harness) map[string]sent {
	last := map[string]sent{}
	c.walk(h, nil, func(client *Client, r *Request, a *Answer) {
		if i := h.own(r); i != nil && !refused(a) {
			key := i.Path
			if path, _, _ := strings.Cut(r.Path, "?"); h.aliased(r) {
				key = aliasOf(i, r.Method, path)
			}
			last[key] = sent{client.Copy(), *r}
		}
		c.inspect(h, r, a)
	})
	return last
}

func checkFuzz(c *checker) {
	h := c.harness(SQLite)
	last := c.recorded(h)
	f := &fuzzer{c: c, h: h}
	for _, i := range h.Auth.Routes() {
		if !owned(i) || i.Access == core.ServerOnly.String() {
			continue
		}
		base, ok := last[i.Path]
		if !ok {
			base = sent{h.Client(), *h.synth(&i)}
		}
		f.client = base.client
		if i.Access != core.Public.String() {
			f.email = fmt.Sprintf("fuzz%d@example.com", f.users)
			f.users++
			f.client = h.SignUp(f.email)
		} else {
			f.email = ""
		}
		if !slices.Contains(i.Methods, "GET") {
			f.body(&i, &base.r)
		}
		f.query(&i, &base.r)
		f.path(&i, &base.r)
		for _, alias := range i.Aliases {
			if base, ok := last[alias]; ok && base.r.Method != "GET" {
				f.body(&i, &base.r)
			}
		}
	}
}

type fuzzer struct {
	c      *checker
	h      *Harness
	client *Client
	email  string
	users  int
	seen   int // of the log
}

// send sends one variant. A session that a variant has ended is made anew.
func (f *fuzzer) send(r *Request) {
	a := f.client.send(r)
	f.c.inspect(f.h, r, a)
	var lines string
	if lines, f.seen = f.h.Logs.since(f.seen); strings.Contains(lines, `"panic"`) {
		f.c.fault("%s %s panics: sent %s\n\t%s", r.Method, r.Path, clip(fmt.Sprint(r.Body)), lastLine(lines))
	}
	if a.Status != 401 || f.email == "" {
		return
	}
	if client, err := f.h.TrySignIn(f.email); err == nil {
		f.client = client
		return
	}
	f.email = fmt.Sprintf("fuzz%d@example.com", f.users)
	f.users++
	f.client = f.h.SignUp(f.email)
}

func (f *fuzzer) body(i *core.RouteInfo, base *Request) {
	send := func(body []byte, header map[string]string) {
		r := *base
		r.Body, r.Header = body, map[string]string{}
		maps.Copy(r.Header, base.Header)
		maps.Copy(r.Header, header)
		f.send(&r)
	}
	for _, b := range bodies {
		send([]byte(b), nil)
	}
	var fields map[string]json.RawMessage
	if raw, err := json.Marshal(base.Body); err == nil {
		_ = json.Unmarshal(raw, &fields) // no object: the input type alone says what there is
	}
	if fields == nil { // null leaves no map either
		fields = map[string]json.RawMessage{}
	}
	for _, m := range members(i.In) {
		if _, ok := fields[m.name]; m.source == "json" && !ok {
			fields[m.name], _ = json.Marshal(m.example()) //nolint:errcheck // plain data
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	object := func(name, value string) []byte {
		var b strings.Builder
		b.WriteString("{")
		for _, n := range names {
			v := string(fields[n])
			if n == name {
				if value == "" {
					continue
				}
				v = value
			}
			if b.Len() > 1 {
				b.WriteString(",")
			}
			key, _ := json.Marshal(n) //nolint:errcheck // a string
			b.Write(key)
			b.WriteString(":" + v)
		}
		return []byte(b.String() + "}")
	}
	for _, n := range names {
		send(object(n, ""), nil)
		for _, v := range append(edges(i, n), values...) {
			send(object(n, v), nil)
		}
	}
	whole := object("", "")
	twice := append([]byte(`{"`+strings.Join(names, `":1,"`)+`":1,`), whole[1:]...)
	send(twice, nil)
	for _, typ := range []string{"text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""} {
		send(whole, map[string]string{"content-type": typ})
	}
	send([]byte(strings.Join(names, "=%00&")+"=%ff"), map[string]string{"content-type": "application/x-www-form-urlencoded"})
}

// edges are values at the limits of a member's rules, and just beyond.
func edges(i *core.RouteInfo, name string) (out []string) {
	for _, m := range members(i.In) {
		for rule := range strings.SplitSeq(m.rules, ",") {
			limit, text, _ := strings.Cut(rule, "=")
			n, err := strconv.Atoi(text)
			if m.name != name || err != nil || limit != "min" && limit != "max" || n < 1 || n > 1<<20 {
				continue
			}
			for k := n - 1; k <= n+1; k++ {
				out = append(out, `"`+strings.Repeat("x", k)+`"`, strconv.Itoa(k))
			}
		}
	}
	return out
}

func (f *fuzzer) query(i *core.RouteInfo, base *Request) {
	path, query, _ := strings.Cut(base.Path, "?")
	q, _ := url.ParseQuery(query) //nolint:errcheck // what the journey sent was read
	names := map[string]bool{"unknown": true}
	for n := range q {
		names[n] = true
	}
	for _, m := range members(i.In) {
		if m.source == "query" {
			names[m.name] = true
		}
	}
	for n := range names {
		rest := url.Values{}
		for k, v := range q {
			if k != n {
				rest[k] = v
			}
		}
		for _, v := range append([]string{"x&" + n + "=y", "x&" + n + "[]=y"}, texts...) {
			r := *base
			r.Path = path + "?" + rest.Encode() + "&" + n + "=" + v
			f.send(&r)
		}
	}
}

func (f *fuzzer) path(i *core.RouteInfo, base *Request) {
	pattern := strings.Split(f.h.below(i), "/")
	path, query, has := strings.Cut(base.Path, "?")
	parts := strings.Split(path, "/")
	if len(parts) != len(pattern) {
		return // sent by an alias
	}
	for k, p := range pattern {
		if !strings.HasPrefix(p, ":") {
			continue
		}
		for _, v := range texts {
			if strings.Contains(v, "?") {
				continue
			}
			r := *base
			changed := slices.Clone(parts)
			changed[k] = v
			if r.Path = strings.Join(changed, "/"); has {
				r.Path += "?" + query
			}
			f.send(&r)
		}
	}
}
