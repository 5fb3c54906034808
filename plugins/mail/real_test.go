package mail

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/plugintest"
)

// hello is a mail with everything in it.
const hello = `From: =?utf-8?q?B=C3=B6b?= <bob@example.com>
To: ada@mail.example
Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=
Message-ID: <one@example.com>
Date: Fri, 27 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--y
Content-Type: text/html; charset=utf-8

<p onclick=x>Hi <b>there</b><script>alert(1)</script><img src=http://evil.example/x.gif></p>
--y--
--x
Content-Type: text/html; name="r.html"
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.html

<script>alert(1)</script>
--x--
`

// broken are mails that are hardly any.
var broken = []string{
	"From: bob@example.com\nSubject: =?x-unknown?q?=FF=FE?=\nContent-Type: text/plain; charset=x-unknown\n\n\xff\xfe\x80 broken\n",
	"Subject: =?utf-8?q?a=0D=0ABcc:_x=E2=80=AE?=\nFrom: =?utf-8?q?=E2=80=AEbob?= <bob@example.com>\nContent-Type: text/html; charset=utf-16\n\n<p>odd</p>\n",
	"From: nobody\nContent-Type: multipart/mixed; boundary=\n\nx\n",
	"From: bob@example.com\nContent-Type: multipart/mixed; boundary=z\n\n--z\nContent-Type: message/rfc822\n\n" + strings.Repeat("Content-Type: multipart/mixed; boundary=z\n\n--z\n", 200) + "\n",
	"From: bob@example.com\nSubject: large\nContent-Type: text/html\n\n" + strings.Repeat("<div><p>large</p>\n", 10<<20/18) + "\n",
}

// TestReal is a user's way through their mail on a real server, from the mailbox that is made
// to the one that is gone.
func TestReal(t *testing.T) {
	s := startCyrus(t)
	relay := startRelay(t)
	h, ada := s.world(t, relay)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(h.Logs.String())
		}
	})
	s.put(t, ada, "INBOX", hello)

	list := ada.Get(base + "/threads").Want(200)
	if list.Get("total") != 1.0 || list.Text("threads.0.subject") != "Größe" || list.Text("threads.0.from.0.name") != "Böb" || list.Text("threads.0.snippet") != "Grüße" || list.Get("threads.0.isRead") != false || list.Get("threads.0.hasAttachment") != true {
		t.Errorf("%s", list.Body)
	}
	thread := ada.Get(base + "/threads/" + list.Text("threads.0.id")).Want(200)
	if thread.Text("messages.0.bodyText") != "Grüße" || thread.Text("messages.0.bodyHtml") != "<p>Hi <b>there</b><img></p>" || thread.Text("messages.0.messageId") != "one@example.com" || thread.Text("messages.0.attachments.0.name") != "résumé.html" {
		t.Errorf("%s", thread.Body)
	}
	id := thread.Text("messages.0.id")
	file := ada.Get(base + "/messages/" + id + "/attachments/" + thread.Text("messages.0.attachments.0.blobId")).Want(200)
	if !strings.Contains(string(file.Body), "<script>") || file.Value("Content-Type") != "application/octet-stream" || !strings.Contains(file.Value("Content-Disposition"), "filename*=UTF-8''r%C3%A9sum%C3%A9.html") {
		t.Errorf("%v %q", file.Header, file.Body)
	}

	parallel(t, h, ada, id)
	if a := ada.Get(base + "/threads").Want(200); a.Get("threads.0.isRead") != true || a.Get("threads.0.isFlagged") != true {
		t.Errorf("after two changes at a time: %s", a.Body)
	}
	if out, err := exec.Command(cyrusScript, "index", s.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for query, want := range map[string]float64{"?q=Gr%C3%BC%C3%9Fe": 1, "?q=absent": 0, "?limit=1&offset=1": 0} {
		if a := ada.Get(base + "/threads" + query).Want(200); float64(len(a.Get("threads").([]any))) != want {
			t.Errorf("%s: %s", query, a.Body)
		}
	}

	up := ada.Post(base+"/attachments", m{"name": "ö.txt", "type": "text/plain", "content": "aGVsbG8="}).Want(200)
	sent := ada.Post(base+"/send", m{"to": []m{{"email": "bob@example.com", "name": "Böb"}}, "bcc": []m{{"email": "eve@example.com"}}, "subject": "Re: Größe", "body": "Dänke\n.\nx", "htmlBody": "<p>Dänke</p>",
		"inReplyTo": "one@example.com", "references": []string{"one@example.com"}, "attachments": []m{{"blobId": up.Text("blobId"), "name": "ö.txt", "type": "text/plain"}}}).Want(200)
	s.sent(t, relay)
	thread = ada.Get(base + "/threads/" + list.Text("threads.0.id")).Want(200)
	if thread.Text("messages.1.id") != sent.Text("emailId") || thread.Text("messages.1.bcc.0.email") != "eve@example.com" || thread.Text("messages.1.bodyText") != "Dänke\n.\nx" || thread.Get("messages.1.isRead") != true {
		t.Errorf("%s", thread.Body)
	}
	labels := ada.Get(base + "/labels").Want(200)
	ids := map[string]string{}
	for i := 0; labels.Get(fmt.Sprint(i)) != nil; i++ {
		ids[fmt.Sprint(labels.Get(fmt.Sprint(i, ".role")))] = labels.Text(fmt.Sprint(i, ".id"))
	}
	if ids["inbox"] == "" || ids["sent"] == "" || ids["drafts"] == "" {
		t.Fatalf("%s", labels.Body)
	}
	update := func(body m, status int) {
		t.Helper()
		ada.Do(plugintest.Request{Method: "PUT", Path: base + "/messages/" + id, Body: body}).Want(status)
	}
	update(m{"isRead": false, "mailboxIds": []string{ids["drafts"]}}, 200)
	if a := ada.Get(base + "/threads?mailboxId=" + ids["inbox"]).Want(200); a.Get("total") != 0.0 {
		t.Errorf("after the move: %s", a.Body)
	}
	if a := ada.Get(base + "/threads?mailboxId=" + ids["drafts"]).Want(200); a.Get("total") != 1.0 || a.Get("threads.0.isRead") != false {
		t.Errorf("after the move: %s", a.Body)
	}
	update(m{"mailboxIds": []string{"unknown"}}, 400)
	ada.Get(base+"/threads?mailboxId=unknown").WantCode(400, "MAIL_REQUEST_INVALID")
	ada.Do(plugintest.Request{Method: "PUT", Path: base + "/messages/Munknown", Body: m{"isRead": true}}).WantCode(404, "MESSAGE_NOT_FOUND")
	ada.Get(base+"/threads/Tunknown").WantCode(404, "THREAD_NOT_FOUND")
	ada.Get(base+"/messages/"+id+"/attachments/Gunknown").WantCode(404, "ATTACHMENT_NOT_FOUND")
	if a := ada.Post(base+"/send", m{"to": []m{{"email": "bob@example.com"}}, "subject": "x", "body": "x", "attachments": []m{{"blobId": "Gunknown", "name": "x"}}}); a.Status < 400 || a.Status > 499 {
		t.Errorf("an attachment that is not there: %d %s", a.Status, a.Body)
	}
	if len(relay.mails()) != 1 {
		t.Errorf("%d mails", len(relay.mails()))
	}

	s.broken(t, ada)
	s.others(t, h, id, list.Text("threads.0.id"))
	s.gone(t, h, ada)
}

// sent looks at what the relay got.
func (s *mailServer) sent(t *testing.T, relay *relayServer) {
	t.Helper()
	got := relay.mails()
	if len(got) != 1 || fmt.Sprint(got[0].to) != "[TO:<bob@example.com> TO:<eve@example.com>]" || strings.Contains(got[0].data, "eve@") {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{"From: ada <ada@mail.example>\r\n", "To: =?UTF-8?Q?B=C3=B6b?= <bob@example.com>\r\n", "In-Reply-To: <one@example.com>\r\n", "Message-I", "Date: ", "..\r\n", "aGVsbG8="} {
		if !strings.Contains(got[0].data, want) {
			t.Errorf("the mail lacks %q:\n%s", want, got[0].data)
		}
	}
}

// broken are listed and read like any other.
func (s *mailServer) broken(t *testing.T, ada *plugintest.Client) {
	t.Helper()
	for _, text := range broken {
		s.put(t, ada, "INBOX", text)
	}
	a := ada.Get(base + "/threads").Want(200)
	n := len(a.Get("threads").([]any))
	if n != len(broken)+1 || strings.Contains(string(a.Body), "\u202E") || strings.Contains(string(a.Body), "\\u202e") {
		t.Errorf("%d threads: %s", n, a.Body)
	}
	for i := range n {
		b := ada.Get(base + "/threads/" + a.Text(fmt.Sprint("threads.", i, ".id"))).Want(200)
		if a.Text(fmt.Sprint("threads.", i, ".subject")) == "large" && (b.Get("messages.0.bodyTruncated") != true || len(b.Body) > 2*maxHTML) {
			t.Errorf("%d bytes, %v", len(b.Body), b.Get("messages.0.bodyTruncated"))
		}
	}
}

// others do not see it, though they know the ids.
func (s *mailServer) others(t *testing.T, h *plugintest.Harness, id, thread string) {
	t.Helper()
	eve := h.SignUp("eve@example.com")
	h.RunJobs()
	eve.Get(base+"/threads/"+thread).WantCode(404, "THREAD_NOT_FOUND")
	eve.Do(plugintest.Request{Method: "PUT", Path: base + "/messages/" + id, Body: m{"isRead": true}}).WantCode(404, "MESSAGE_NOT_FOUND")
}

// gone is what is left when the account is deleted: nothing. With another password, the mail
// server is asked in vain.
func (s *mailServer) gone(t *testing.T, h *plugintest.Harness, ada *plugintest.Client) {
	t.Helper()
	set := exec.Command("saslpasswd2", "-p", "-c", "-f", filepath.Join(s.dir, "sasldb2"), "ada")
	set.Stdin = strings.NewReader("another")
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ada.Get(base+"/threads").WantCode(503, "SERVICE_UNAVAILABLE")
	if log := h.Logs.String(); !strings.Contains(log, "does not take the user's credentials") {
		t.Errorf("%s", log)
	}
	u, err := h.Host.UserByID(t.Context(), h.Host.DB(), ada.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Host.DeleteUser(t.Context(), nil, nil, u); err != nil {
		t.Fatal(err)
	}
	h.RunJobs()
	if n := s.inboxes(t, "user/ada"); n != 0 {
		t.Errorf("%d mailboxes are left", n)
	}
}

func (s *mailServer) world(t *testing.T, relay *relayServer) (*plugintest.Harness, *plugintest.Client) {
	t.Helper()
	watch := &spy{}
	h := plugintest.New(t, plugintest.Options{Plugins: append(s.plugins(relay), watch)})
	s.boxes = watch
	ada := h.SignUp("ada@example.com")
	ada.Get(base+"/threads").WantCode(404, "MAILBOX_NOT_FOUND")
	h.RunJobs()
	if a := ada.Get(base + "/threads").Want(200); a.Get("total") != 0.0 {
		t.Fatalf("%s", a.Body)
	}
	return h, ada
}
