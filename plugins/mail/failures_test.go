package mail

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/plugintest"
)

// What a server says of a method is told as what it is, and never taken for success.
func TestMethodErrors(t *testing.T) {
	for kind, want := range map[string]string{
		"notFound": "404 MESSAGE_NOT_FOUND", "invalidArguments": "400 MAIL_REQUEST_INVALID", "invalidPatch": "400 MAIL_REQUEST_INVALID", "forbidden": "403 MAIL_FORBIDDEN", "accountReadOnly": "403 MAIL_FORBIDDEN",
		"stateMismatch": "409 MAIL_CHANGED", "overQuota": "409 MAILBOX_FULL", "tooLarge": "413 MAIL_TOO_LARGE", "rateLimit": "429 MAIL_RATE_LIMITED",
		"serverFail": "503 SERVICE_UNAVAILABLE", "serverUnavailable": "503 SERVICE_UNAVAILABLE", "unknownMethod": "503 SERVICE_UNAVAILABLE", "accountNotFound": "503 SERVICE_UNAVAILABLE", "requestTooLarge": "503 SERVICE_UNAVAILABLE", "made up": "503 SERVICE_UNAVAILABLE", "": "503 SERVICE_UNAVAILABLE",
	} {
		w := newWorld(t, Options{})
		w.f.put(w.box, object{})
		w.f.method = func(name string, _ map[string]any) (string, any, bool) { return or(kind, " "), nil, true }
		if a := w.put("/messages/e1", m{"isRead": true}); fmt.Sprint(a.Status, " ", a.Code()) != want {
			t.Errorf("%s: %d %s, want %s", kind, a.Status, a.Body, want)
		}
		w.f.method = func(name string, _ map[string]any) (string, any, bool) {
			return "", object{"notUpdated": object{"e1": object{"type": kind}}}, true
		}
		if a := w.put("/messages/e1", m{"isRead": true}); fmt.Sprint(a.Status, " ", a.Code()) != want {
			t.Errorf("notUpdated %s: %d %s, want %s", kind, a.Status, a.Body, want)
		}
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Sending: a draft that was not made, a submission that was refused, and one that is in doubt.
func TestSubmissionErrors(t *testing.T) {
	for _, c := range []struct {
		method string
		kind   string // a method's error
		answer any
		want   string
		drafts int
	}{
		// The server made it all the same, as Cyrus does.
		{"Email/set", "", object{"notCreated": object{"draft": object{"type": "overQuota"}}}, "409 MAILBOX_FULL", 0},
		{"Email/set", "", object{}, "503 SERVICE_UNAVAILABLE", 1},
		{"Email/set", "", object{"created": object{"draft": object{}}}, "503 SERVICE_UNAVAILABLE", 1},
		{"Email/set", "", object{"notCreated": object{"draft": object{"type": "blobNotFound"}}}, "404 ATTACHMENT_NOT_FOUND", 0},
		{"Identity/get", "", object{"list": []any{object{"id": "i-other", "email": "postmaster@mail.example"}}}, "503 SERVICE_UNAVAILABLE", 0},
		{"EmailSubmission/set", "", object{"notCreated": object{"sending": object{"type": "invalidRecipients", "invalidRecipients": []any{"bob@example.com"}}}}, "400 MAIL_RECIPIENTS_INVALID", 0},
		{"EmailSubmission/set", "", object{"notCreated": object{"sending": object{"type": "forbiddenToSend"}}}, "403 MAIL_FORBIDDEN", 0},
		{"EmailSubmission/set", "", object{"notCreated": object{"sending": object{"type": "forbiddenFrom"}}}, "503 SERVICE_UNAVAILABLE", 0},
		{"EmailSubmission/set", "serverFail", nil, "503 SERVICE_UNAVAILABLE", 0},
		{"EmailSubmission/set", "serverPartialFail", nil, "503 MAIL_SEND_UNCERTAIN", 1},
		{"EmailSubmission/set", "", object{}, "503 MAIL_SEND_UNCERTAIN", 1},
		{"Mailbox/set", "", object{"notCreated": object{"new": object{"type": "forbidden"}}}, "403 MAIL_FORBIDDEN", 0},
	} {
		w := newWorld(t, Options{})
		w.f.method = func(name string, args map[string]any) (string, any, bool) {
			return c.kind, c.answer, name == c.method && args["create"] != nil || name == c.method && name == "Identity/get"
		}
		if a := w.send(nil); fmt.Sprint(a.Status, " ", a.Code()) != c.want || len(w.box.mails) != c.drafts {
			t.Errorf("%s %s%v: %d %s, want %s; %d drafts", c.method, c.kind, c.answer, a.Status, a.Body, c.want, len(w.box.mails))
		}
	}
}

// Answers that are none: each is 503 with its cause in the log, and without a secret in it.
func TestBrokenServer(t *testing.T) {
	const ok = `{"methodResponses":[["Mailbox/get",{"accountId":"acc-ada","list":[]},"0"]],"sessionState":"s1"}`
	answer := func(status int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		f   func(http.ResponseWriter, *http.Request)
		log string
	}{
		"200":             {answer(200, ok), ""},
		"401":             {answer(401, "SECRET"), "does not take the user's credentials"},
		"403":             {answer(403, "SECRET"), "answered 403"},
		"404":             {answer(404, "SECRET"), "answered 404"},
		"500":             {answer(500, "SECRET"), "answered 500"},
		"503":             {answer(503, ok), "answered 503"},
		"204":             {answer(204, ""), "is not JMAP"},
		"request error":   {answer(400, `{"type":"urn:ietf:params:jmap:error:unknownCapability"}`), "(unknownCapability)"},
		"odd request":     {answer(400, `{"type":"urn:SECRET password"}`), "(unknown error)"},
		"HTML":            {answer(200, "<html>SECRET"), "is not JMAP"},
		"half":            {answer(200, ok[:40]), "is not JMAP"},
		"empty":           {answer(200, "{}"), "is not JMAP: the answer to Mailbox/get"},
		"null":            {answer(200, "null"), "is not JMAP"},
		"no answers":      {answer(200, `{"methodResponses":[]}`), "is not JMAP"},
		"other method":    {answer(200, strings.Replace(ok, "Mailbox/get", "Email/get", 1)), "is not JMAP"},
		"other call":      {answer(200, strings.Replace(ok, `"0"`, `"1"`, 1)), "is not JMAP"},
		"other account":   {answer(200, strings.Replace(ok, "acc-ada", "acc-bob", 1)), "is not JMAP"},
		"no account":      {answer(200, strings.Replace(ok, `"accountId":"acc-ada",`, "", 1)), "is not JMAP"},
		"two of a triple": {answer(200, `{"methodResponses":[["Mailbox/get",{}]]}`), "is not JMAP"},
		"other types":     {answer(200, strings.Replace(ok, "[]}", `"SECRET"}`, 1)), "is not JMAP"},
		"deep":            {answer(200, strings.Repeat("[", 100000)), "is not JMAP"},
		"huge":            {func(w http.ResponseWriter, _ *http.Request) { flood(w) }, "too large"},
		"truncated": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, ok)
		}, "unexpected EOF"},
		"hung up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "answered 307"},
	} {
		w := newWorld(t, Options{})
		w.f.raw = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/" {
				return false
			}
			c.f(rw, r)
			return true
		}
		a := w.get("/labels")
		log := w.Logs.String()
		switch {
		case c.log == "":
			a.Want(200)
			continue
		case a.Status != 503 || a.Code() != "SERVICE_UNAVAILABLE" || !strings.Contains(log, c.log):
			t.Errorf("%s: %d %s\n%s", name, a.Status, a.Body, log)
		case strings.Contains(log+string(a.Body), "SECRET") || strings.Contains(log, w.box.password):
			t.Errorf("%s: a secret in the log: %s", name, log)
		}
	}
}

func flood(w io.Writer) {
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for range 64 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// Session objects that are none.
func TestBrokenSession(t *testing.T) {
	const good = `{"apiUrl":"/api/","capabilities":{},"accounts":{"acc-ada":{}},"primaryAccounts":{"urn:ietf:params:jmap:mail":"acc-ada"},"state":"s1"}`
	for name, c := range map[string]struct{ body, log string }{
		"good":            {good, ""},
		"empty":           {"{}", "names no account"},
		"HTML":            {"<html>", "is not JMAP"},
		"no api":          {strings.Replace(good, "/api/", "", 1), "names no apiUrl"},
		"odd api":         {strings.Replace(good, "/api/", "http://[::1", 1), "an address that is none"},
		"foreign account": {strings.Replace(good, `"acc-ada":{}`, `"acc-bob":{}`, 1), "names no account"},
		"huge":            {good + strings.Repeat(" ", 1<<20), "too large"},
	} {
		w := newWorld(t, Options{})
		w.f.raw = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/.well-known/jmap" {
				_, _ = io.WriteString(rw, c.body)
			}
			return r.URL.Path == "/.well-known/jmap"
		}
		a := w.get("/labels")
		if c.log == "" && a.Status != 200 || c.log != "" && (a.Status != 503 || !strings.Contains(w.Logs.String(), c.log)) {
			t.Errorf("%s: %d %s\n%s", name, a.Status, a.Body, w.Logs.String())
		}
	}
}

// A redirect to another origin gets no request, and so no password.
func TestForeignRedirect(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	for _, target := range []string{other.URL + "/", "//" + strings.TrimPrefix(other.URL, "http://") + "/", "/.well-known/jmap"} {
		w := newWorld(t, Options{})
		w.f.raw = func(rw http.ResponseWriter, r *http.Request) bool {
			http.Redirect(rw, r, target, http.StatusFound)
			return true
		}
		w.get("/labels").WantCode(503, "SERVICE_UNAVAILABLE")
		if n := w.f.did("GET /.well-known/jmap"); n > 5 {
			t.Errorf("%d requests in a circle", n)
		}
	}
	if reached {
		t.Error("it followed to another origin")
	}
	w := newWorld(t, Options{}) // on the same one it does: Cyrus redirects /.well-known/jmap
	w.f.raw = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/.well-known/jmap" && r.URL.RawQuery == "" {
			http.Redirect(rw, r, "/.well-known/jmap?here", http.StatusMovedPermanently)
			return true
		}
		return false
	}
	w.get("/labels").Want(200)
}

// A server that does not answer is given up, and a client that has gone is nobody's failure.
func TestSlowServer(t *testing.T) {
	w := newWorld(t, Options{Timeout: 50 * time.Millisecond})
	release := make(chan struct{})
	defer close(release)
	w.f.raw = func(http.ResponseWriter, *http.Request) bool { <-release; return true }
	w.get("/labels").WantCode(503, "SERVICE_UNAVAILABLE")
	if log := w.Logs.String(); !strings.Contains(log, "deadline exceeded") && !strings.Contains(log, "timeout") {
		t.Error(log)
	}
	w.send(nil).WantCode(503, "SERVICE_UNAVAILABLE")

	p := New(Options{URL: w.f.URL, Timeout: time.Minute})
	h := plugintest.New(t, plugintest.Options{Plugins: append(w.Config.Plugins[:0:0], &lender{f: w.f}, p)})
	h.SignUp("ada@example.com")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.client.Session(ctx, loginOf(w.box))
	if f := h.Auth.Classify(ctx, failure(err)); !f.Canceled || f.Status != 503 {
		t.Errorf("%v: %+v", err, f)
	}
}

// The session object is read once in five minutes, and anew after an error, for another
// password, and when its state changes.
func TestSessionCache(t *testing.T) {
	w := newWorld(t, Options{})
	reads := func(want int, why string) {
		t.Helper()
		if got := w.f.did("GET /.well-known/jmap"); got != want {
			t.Errorf("%s: read %d times, want %d", why, got, want)
		}
	}
	w.get("/labels").Want(200)
	w.get("/labels").Want(200)
	reads(1, "twice")
	w.Clock.Advance(sessionLife - time.Second)
	w.get("/labels").Want(200)
	reads(1, "just before it ends")
	w.Clock.Advance(time.Second)
	w.get("/labels").Want(200)
	reads(2, "after five minutes")
	w.f.raw = func(rw http.ResponseWriter, r *http.Request) bool { rw.WriteHeader(401); return true }
	w.get("/labels").Want(503)
	w.f.raw = nil
	w.get("/labels").Want(200)
	reads(3, "after 401")
	w.box.password = "another"
	w.get("/labels").Want(200)
	reads(4, "another password")
	w.put("/messages/nothing", m{"isRead": true}).Want(404)
	w.get("/labels").Want(200)
	reads(4, "after what is the client's fault")
	s := &sessions{}
	for i := range mostSessions + 1 {
		s.put([32]byte{byte(i), byte(i >> 8)}, nil, time.Time{})
	}
	if len(s.kept) > mostSessions {
		t.Errorf("%d sessions are kept", len(s.kept))
	}
}

// A user reads their own mail and nobody else's: ids of others are unknown on their account.
func TestOthersMail(t *testing.T) {
	w := newWorld(t, Options{})
	w.f.put(w.box, object{"id": "secret", "threadId": "secret-thread", "attachments": []any{object{"blobId": "b", "type": "text/plain"}}})
	bob := w.SignUp("bob@example.com")
	for _, path := range []string{"/threads/secret-thread", "/messages/secret/attachments/b"} {
		bob.Get(base + path).Want(404)
	}
	if a := bob.Get(base + "/threads").Want(200); a.Get("total") != 0.0 {
		t.Errorf("%s", a.Body)
	}
	bob.Do(plugintest.Request{Method: "PUT", Path: base + "/messages/secret", Body: m{"isRead": true}}).WantCode(404, "MESSAGE_NOT_FOUND")
}
