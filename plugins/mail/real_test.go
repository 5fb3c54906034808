package mail

import (
	"context"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// spy is a plugin that lets a test ask for users' credentials.
type spy struct{ boxes contract.Mailboxes }

func (s *spy) Spec() core.Spec {
	return core.Spec{ID: "spy", Needs: []core.Need{core.Require(&s.boxes)}}
}

var spies sync.Map // by harness

func provider(h *plugintest.Harness) contract.Mailboxes {
	s, _ := spies.Load(h)
	return s.(*spy).boxes
}

func realWorld(t *testing.T, s *mailServer, relay *relayServer) *plugintest.Harness {
	t.Helper()
	watch := &spy{}
	h := plugintest.New(t, plugintest.Options{Plugins: append(s.plugins(relay), watch)})
	spies.Store(h, watch)
	return h
}

const hello = `From: Bob <bob@example.com>
To: ada@mail.example
Subject: Hello
Message-ID: <one@example.com>
Date: Fri, 27 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=utf-8

Hi there
--y
Content-Type: text/html; charset=utf-8

<p>Hi <b>there</b><script>alert(1)</script><img src=http://evil.example/x.gif></p>
--y--
--x
Content-Type: application/pdf
Content-Disposition: attachment; filename="a b.pdf"

%PDF-1.4
--x--
`

// TestReal is a user's way through their mail on a real server.
func TestReal(t *testing.T) {
	s := startCyrus(t)
	relay := startRelay(t)
	h := realWorld(t, s, relay)
	ada := h.SignUp("ada@example.com")
	ada.Get(base+"/threads").WantCode(404, "MAILBOX_NOT_FOUND")
	h.RunJobs()
	if a := ada.Get(base + "/threads").Want(200); a.Get("total") != 0.0 {
		t.Errorf("%s", a.Body)
	}
	s.put(t, h, ada, "INBOX", hello)
	a := ada.Get(base + "/threads").Want(200)
	t.Logf("%s", a.Body)
	a = ada.Get(base + "/threads/" + a.Text("threads.0.id")).Want(200)
	t.Logf("%s", a.Body)
	t.Logf("%s", ada.Get(base+"/labels").Want(200).Body)
	t.Logf("%s", ada.Get(base+"/accounts").Want(200).Body)
	f := ada.Get(base + "/messages/" + a.Text("messages.0.id") + "/attachments/" + a.Text("messages.0.attachments.0.blobId")).Want(200)
	t.Logf("%v %q", f.Header, f.Body)
	r := ada.Post(base+"/send", m{"to": []m{{"email": "bob@example.com", "name": "Bob Ö"}}, "bcc": []m{{"email": "eve@example.com"}}, "subject": "Re: Hello ö", "body": "thanks", "htmlBody": "<p>thanks</p>",
		"inReplyTo": a.Text("messages.0.messageId"), "references": "<one@example.com>"})
	t.Logf("%s\n%s\n%v", r.Body, h.Logs.String(), relay.mails())
	a = ada.Get(base + "/threads/" + a.Text("id")).Want(200)
	t.Logf("%s", a.Body)
	_ = context.Background
}
