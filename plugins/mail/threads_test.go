package mail

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugintest"
)

func TestThreads(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.maxGet = 3 // so that what is read has to be read in pieces
	for i := range 9 {
		e := object{"threadId": fmt.Sprintf("t%d", i%3), "subject": fmt.Sprintf("Subject %d", i), "keywords": object{}}
		switch i {
		case 0, 3, 6:
			e["keywords"] = object{seen: true}
		case 1:
			e["keywords"] = object{flagged: true}
		case 2:
			e["hasAttachment"] = true
		case 8:
			e["mailboxIds"] = object{"m-archive": true}
			e["from"] = nil
			e["subject"] = nil
		}
		w.f.put(w.box, e)
	}
	a := w.get("/threads").Want(200)
	if a.Get("total") != 3.0 || a.Text("threads.0.id") != "t2" || a.Text("threads.1.subject") != "Subject 7" || a.Get("threads.0.subject") != "" || len(a.Get("threads.0.from").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	for i, want := range []string{"false false true", "false true false", "true false false"} {
		n := fmt.Sprintf("threads.%d.", i)
		if got := fmt.Sprint(a.Get(n+"isRead"), a.Get(n+"isFlagged"), a.Get(n+"hasAttachment")); strings.ReplaceAll(got, "  ", " ") != want || a.Get(n+"messageCount") != 3.0 {
			t.Errorf("%s: %s, want %s: %s", n, got, want, a.Body)
		}
	}
	if a.Text("threads.2.lastMessageAt") != "2026-11-01T10:07:00.000Z" || a.Text("threads.1.from.0.email") != "bob@example.com" || a.Text("threads.1.from.0.name") != "Bob" || a.Text("threads.1.snippet") != "preview" {
		t.Errorf("%s", a.Body)
	}
	if a.Value("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	for query, want := range map[string]string{
		"?limit=1": "t2", "?limit=1&offset=2": "t0", "?offset=3": "", "?offset=1000000": "", "?mailboxId=m-archive": "t2", "?q=Subject+7": "t1", "?q=Subject+7&mailboxId=m-archive": "", "?mailboxId=&q=": "t2 t1 t0",
	} {
		a, ids := w.get("/threads"+query).Want(200), []string{}
		for _, th := range a.Get("threads").([]any) {
			ids = append(ids, th.(object)["id"].(string))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=-1", "limit=NaN", "limit=", "limit=1.5", "limit=1e1", "limit=99999999999999999999", "offset=-1", "offset=NaN", "offset=Infinity", "offset=1000001",
		"mailboxId=a/b", "mailboxId=%C3%A9", "mailboxId=" + strings.Repeat("a", 256), "q=" + strings.Repeat("x", 257)} {
		if a := w.get("/threads?"+query).WantCode(400, "VALIDATION_ERROR"); a.Get("statusCode") != 400.0 || a.Text("message") == "" {
			t.Errorf("%s: %s", query, a.Body)
		}
	}
}

// A mail that goes between the query and the reading of it is left out.
func TestVanishing(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.put(w.box, object{})
	w.f.put(w.box, object{})
	w.f.method = func(name string, args map[string]any) (string, any, bool) {
		return "", object{"list": []any{}, "notFound": args["ids"]}, name == "Email/get"
	}
	if a := w.get("/threads").Want(200); len(a.Get("threads").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	w.get("/threads/t1").WantCode(404, "THREAD_NOT_FOUND")
}

func TestThread(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.put(w.box, object{"threadId": "t", "receivedAt": "2026-11-02T10:00:00Z", "subject": "Re: second", "keywords": object{seen: true, flagged: true}, "messageId": []any{"two@x"}, "references": []any{"one@x"}, "replyTo": []any{object{"email": "list@example.com"}}})
	first := object{"threadId": "t", "receivedAt": "2026-11-01T10:00:00.5+01:00", "subject": "first\r\nBcc: x\u202E", "from": []any{object{"name": "gpj.\u202Eexe\x00", "email": "bob@example.com"}}, "preview": "<p>bold</p><div>&amp; text</div>", "hasAttachment": true,
		"attachments": []any{object{"blobId": "b1", "name": "../a.svg", "type": "image/svg+xml", "size": 12, "disposition": "inline", "cid": "c1"}, object{"blobId": nil, "name": "x", "type": "x"}, object{"blobId": "b2", "type": "application/pdf", "size": -1}}}
	for k, v := range htmlMail(`<p>Hi<script>alert(1)</script></p><img src=x>`) {
		first[k] = v
	}
	w.f.put(w.box, first)
	a := w.get("/threads/t").Want(200)
	if a.Text("id") != "t" || a.Text("subject") != "first Bcc: x" || a.Text("messages.0.id") != "e2" || a.Text("messages.1.id") != "e1" {
		t.Errorf("%s", a.Body)
	}
	if a.Text("messages.0.bodyHtml") != "<p>Hi</p><img>" || a.Get("messages.0.bodyText") != nil || a.Get("messages.0.imagesBlocked") != true || a.Text("messages.0.from.0.name") != "gpj.exe" || a.Text("messages.0.preview") != "bold & text" || a.Text("messages.0.date") != "2026-11-01T09:00:00.500Z" {
		t.Errorf("%s", a.Body)
	}
	if a.Text("messages.0.attachments.0.name") != "a.svg" || a.Text("messages.0.attachments.0.id") != "b1" || a.Get("messages.0.attachments.0.inline") != true || a.Text("messages.0.attachments.1.name") != "attachment" || a.Get("messages.0.attachments.1.size") != 0.0 {
		t.Errorf("%s", a.Body)
	}
	if a.Get("messages.1.isRead") != true || a.Get("messages.1.isFlagged") != true || a.Text("messages.1.messageId") != "two@x" || a.Text("messages.1.references.0") != "one@x" || a.Text("messages.1.replyTo.0.email") != "list@example.com" || a.Text("messages.1.mailboxIds.0") != "m-inbox" {
		t.Errorf("%s", a.Body)
	}
	for _, id := range []string{"nothing", "e1", "a%2fb", "%00", strings.Repeat("a", 300), "t%3f"} {
		if a := w.get("/threads/" + id); a.Status != 404 && a.Status != 400 || a.Get("statusCode") == nil {
			t.Errorf("%s: %d %s", id, a.Status, a.Body)
		}
	}
	w.get("/threads/nothing").WantCode(404, "THREAD_NOT_FOUND")
}

// Of one second, in which servers tell no order, what is answered stands before the answer.
func TestRepliesOfOneSecond(t *testing.T) {
	w := newWorld(t, Options{})
	for _, refs := range [][]any{{"one@x", "two@x"}, {"one@x"}, {}} {
		w.f.put(w.box, object{"threadId": "t", "receivedAt": "2026-11-02T10:00:00Z", "references": refs})
	}
	a := w.get("/threads/t").Want(200)
	if a.Text("messages.0.id") != "e3" || a.Text("messages.1.id") != "e2" || a.Text("messages.2.id") != "e1" {
		t.Errorf("%s", a.Body)
	}
}

// Whatever a stranger sends, the answer is bounded.
func TestBounds(t *testing.T) {
	w := newWorld(t, Options{Timeout: time.Minute})
	long, many := strings.Repeat("é", 1200), []any{}
	for range 250 {
		many = append(many, object{"name": long, "email": long, "blobId": "b", "type": long})
	}
	e := object{"threadId": "t", "subject": long, "preview": long, "from": many, "to": many, "cc": many, "attachments": many[:200], "messageId": []any{long}, "references": []any{long, long}}
	for k, v := range htmlMail(strings.Repeat("<p>x</p>", 2<<20/8)) {
		e[k] = v
	}
	w.f.put(w.box, e)
	if a := w.get("/threads").Want(200); len(a.Body) > 200_000 || len(a.Get("threads.0.from").([]any)) != maxAddresses {
		t.Errorf("%d bytes", len(a.Body))
	}
	if a := w.get("/threads/t").Want(200); len(a.Body) > 2<<20 || a.Get("messages.0.bodyHtml") == "" || a.Get("messages.0.bodyTruncated") != true || len(a.Get("messages.0.attachments").([]any)) != maxFiles {
		t.Errorf("%d bytes, %v", len(a.Body), a.Get("messages.0.bodyTruncated"))
	}
	for i := range 200 {
		w.f.put(w.box, object{"threadId": "t", "subject": fmt.Sprint("n", i)})
	}
	if a := w.get("/threads/t").Want(200); len(a.Get("messages").([]any)) != maxMessages || a.Text("messages.99.subject") != "n199" {
		t.Errorf("%d messages", len(a.Get("messages").([]any)))
	}
	if a := w.get("/threads").Want(200); a.Get("threads.0.messageCount") != 201.0 {
		t.Errorf("%s", a.Body)
	}
}

// A head of megabytes keeps neither the list nor the thread from being read.
func TestHugeHead(t *testing.T) {
	w := newWorld(t, Options{Timeout: time.Minute})
	w.f.put(w.box, object{"threadId": "t", "subject": strings.Repeat("x", 17<<20)})
	for range 11 {
		w.f.put(w.box, object{"subject": "of a friend"})
	}
	if a := w.get("/threads").Want(200); a.Get("total") != 12.0 || a.Text("threads.0.subject") != "of a friend" || a.Text("threads.11.id") != "t" || a.Get("threads.11.subject") != "" {
		t.Errorf("%.2000s", a.Body)
	}
	if a := w.get("/threads/t").Want(200); a.Get("messages.0.bodyHtml") != "" || a.Get("messages.0.bodyTruncated") != true {
		t.Errorf("%.300s", a.Body)
	}
}

// Mails whose texts are more than is read at once are shown cut, or without.
func TestTooMuchText(t *testing.T) {
	w := newWorld(t, Options{Timeout: time.Minute})
	values, parts := object{}, []any{}
	for i := range 100 { // parts of the full length each
		id := fmt.Sprint(i)
		values[id], parts = object{"value": strings.Repeat("x", maxHTML)}, append(parts, object{"partId": id, "type": "text/html"})
	}
	w.f.put(w.box, object{"threadId": "t", "htmlBody": parts, "bodyValues": values})
	if a := w.get("/threads/t").Want(200); a.Get("messages.0.bodyTruncated") != true || len(a.Text("messages.0.bodyHtml")) < maxHTML/16 {
		t.Errorf("%.300s", a.Body)
	}
	w.f.method = func(name string, args map[string]any) (string, any, bool) {
		return "", object{"list": []any{object{"id": "e1", "preview": strings.Repeat("x", 17<<20)}}}, name == "Email/get" && args["fetchHTMLBodyValues"] == true
	}
	if a := w.get("/threads/t").Want(200); a.Get("messages.0.bodyTruncated") != true || a.Get("messages.0.bodyHtml") != "" {
		t.Errorf("%.300s", a.Body)
	}
}

func TestUpdate(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.put(w.box, object{"subject": "one", "keywords": object{"custom": true}})
	for _, step := range []struct {
		body any
		want string
	}{
		{m{"isRead": true}, "map[$seen:true custom:true] map[m-inbox:true]"},
		{m{"isFlagged": true, "isRead": false}, "map[$flagged:true custom:true] map[m-inbox:true]"},
		{m{"isFlagged": false, "mailboxIds": []string{"m-archive", "m-trash"}}, "map[custom:true] map[m-archive:true m-trash:true]"},
		{m{"mailboxIds": m{"m-inbox": true}}, "map[custom:true] map[m-inbox:true]"},
	} {
		if a := w.put("/messages/e1", step.body).Want(200); a.Get("success") != true {
			t.Errorf("%s", a.Body)
		}
		e := w.mail("one")
		if got := fmt.Sprint(e["keywords"], e["mailboxIds"]); strings.ReplaceAll(got, "] map", "] map") != step.want {
			t.Errorf("%v: %s, want %s", step.body, got, step.want)
		}
	}
	for _, bad := range []any{m{}, m{"isRead": nil}, m{"isRead": "yes"}, m{"isRead": 1}, m{"mailboxIds": []string{}}, m{"mailboxIds": m{}}, m{"mailboxIds": m{"m-inbox": false}}, m{"mailboxIds": "m-inbox"}, m{"mailboxIds": []any{1}},
		m{"mailboxIds": []string{"a/b"}}, m{"mailboxIds": []string{""}}, m{"mailboxIds": nil}, m{"mailboxIds": strings.Split(strings.Repeat("x1 x2 x3 x4 x5 ", 0)+"a b c d e f g h i j k l m n o p q r s t u", " ")}} {
		w.put("/messages/e1", bad).Want(400)
	}
	w.put("/messages/nothing", m{"isRead": true}).WantCode(404, "MESSAGE_NOT_FOUND")
	w.put("/messages/a%2Fb", m{"isRead": true}).WantCode(404, "MESSAGE_NOT_FOUND")
	w.put("/messages/e1", m{"mailboxIds": []string{"unknown"}}).WantCode(400, "MAIL_REQUEST_INVALID")
}

// Two changes at a time both hold.
func TestParallelUpdates(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.put(w.box, object{"subject": "one"})
	parallel(t, w.Harness, w.ada, "e1")
	if got := fmt.Sprint(w.mail("one")["keywords"]); got != "map[$flagged:true $seen:true]" {
		t.Error(got)
	}
}

func parallel(t *testing.T, h *plugintest.Harness, who *plugintest.Client, id string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, body := range []m{{"isRead": true}, {"isFlagged": true}} {
		c := who.Copy()
		wg.Go(func() {
			if a := c.Do(plugintest.Request{Method: "PUT", Path: base + "/messages/" + id, Body: body}); a.Status != 200 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
}

func TestAttachment(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.put(w.box, object{"attachments": []any{object{"blobId": "b1", "name": "Größe \"x\".html", "type": "text/html"}, object{"blobId": "gone", "type": "text/plain"}, object{"blobId": "big", "type": "image/png", "name": "a.png"}}})
	w.f.put(w.box, object{"attachments": []any{object{"blobId": "other", "type": "text/plain"}}})
	w.box.blobs["b1"], w.box.blobs["other"] = []byte("<script>alert(1)</script>"), []byte("x")
	a := w.get("/messages/e1/attachments/b1").Want(200)
	for name, want := range map[string]string{"Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="Gr__e _x_.html"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20_x_.html`,
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"} {
		if got := a.Value(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if string(a.Body) != "<script>alert(1)</script>" {
		t.Errorf("%q", a.Body)
	}
	for path, code := range map[string]string{
		"/messages/e1/attachments/other": "ATTACHMENT_NOT_FOUND", // of another message
		"/messages/e1/attachments/b-e1":  "ATTACHMENT_NOT_FOUND", // the message itself
		"/messages/e1/attachments/gone":  "ATTACHMENT_NOT_FOUND", "/messages/nothing/attachments/b1": "MESSAGE_NOT_FOUND",
		"/messages/e1/attachments/..%2fb1": "ATTACHMENT_NOT_FOUND", "/messages/%2e%2e/attachments/b1": "ATTACHMENT_NOT_FOUND",
	} {
		w.get(path).WantCode(404, code)
	}
	w.box.blobs["big"] = make([]byte, maxFile+1)
	w.get("/messages/e1/attachments/big").WantCode(413, "MAIL_TOO_LARGE")
	w.box.blobs["big"] = make([]byte, maxFile)
	if a := w.get("/messages/e1/attachments/big").Want(200); len(a.Body) != maxFile || a.Value("Content-Type") != "image/png" {
		t.Errorf("%d bytes of %s", len(a.Body), a.Value("Content-Type"))
	}
}

func TestAccounts(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.ada.UserID
	if a := w.get("/accounts").Want(200); a.Text("0.id") != id || a.Text("0.email") != "ada@mail.example" || a.Text("0.displayName") != "ada" || a.Get("0.signature") != "" || a.Get("0.isDefault") != true {
		t.Errorf("%s", a.Body)
	}
	if a := w.put("/accounts/"+id, m{"displayName": "Ada Lovelace"}).Want(200); a.Text("displayName") != "Ada Lovelace" || a.Get("signature") != "" {
		t.Errorf("%s", a.Body)
	}
	w.put("/accounts/"+id, m{"signature": "Yours,\nAda"}).Want(200)
	if a := w.get("/accounts").Want(200); a.Text("0.displayName") != "Ada Lovelace" || a.Text("0.signature") != "Yours,\nAda" {
		t.Errorf("%s", a.Body)
	}
	if a := w.put("/accounts/"+id, m{"displayName": nil}).Want(200); a.Text("displayName") != "ada" || a.Text("signature") != "Yours,\nAda" {
		t.Errorf("%s", a.Body)
	}
	for _, bad := range []any{m{}, m{"displayName": "a\r\nBcc: x"}, m{"displayName": "a\u202Eb"}, m{"displayName": strings.Repeat("x", 101)}, m{"displayName": 1}, m{"signature": strings.Repeat("x", 10001)}, m{"signature": "\x00"}} {
		w.put("/accounts/"+id, bad).Want(400)
	}
	bob := w.SignUp("bob@example.com")
	w.put("/accounts/"+bob.UserID, m{"signature": "mine"}).WantCode(404, "MAIL_ACCOUNT_NOT_FOUND")
	nobody := w.SignUp("nobody@example.com")
	for _, path := range []string{"/accounts", "/threads", "/labels", "/threads/t1"} {
		nobody.Get(base+path).WantCode(404, "MAILBOX_NOT_FOUND")
	}
	if data, err := w.Host.Export(t.Context(), id); err != nil || !strings.Contains(fmt.Sprint(data["mailSettings"]), "signature") {
		t.Errorf("%v, %v", data["mailSettings"], err)
	}
}

func TestLabels(t *testing.T) {
	w := newWorld(t, Options{})
	w.box.boxes = append(w.box.boxes, object{"id": "m-x", "name": "a\u202Eb", "parentId": "m-inbox", "sortOrder": 0, "totalEmails": 3, "unreadEmails": 2})
	a := w.get("/labels").Want(200)
	if a.Text("0.name") != "ab" || a.Get("0.role") != nil || a.Get("0.totalEmails") != 3.0 || a.Get("0.unreadEmails") != 2.0 || a.Text("0.parentId") != "m-inbox" || a.Text("1.role") != "inbox" || a.Text("3.role") != "trash" {
		t.Errorf("%s", a.Body)
	}
	w.get("/nothing").WantCode(404, "NOT_FOUND")
}
