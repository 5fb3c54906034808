package mail

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// fake is a strict JMAP server in memory: it knows what is used here, refuses arguments and
// members that the RFCs do not name, and calls itself by another host's name. Tests change
// what it answers.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	accounts map[string]*fakeAccount // by login name
	submits  bool
	maxGet   int
	calls    []string // "METHOD path" and methods
	sent     []any    // what EmailSubmission/set was given
	// raw answers a request by itself; method a call: an error's type, or another answer.
	raw    func(w http.ResponseWriter, r *http.Request) bool
	method func(name string, args map[string]any) (string, any, bool)
}

type fakeAccount struct {
	id, password string
	boxes        []map[string]any
	mails        []map[string]any // oldest first
	blobs        map[string][]byte
	draft        []byte // what a new mail is; nil for a usual one
	n            int
}

func startFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{accounts: map[string]*fakeAccount{}, submits: true, maxGet: 500}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) account(login string) *fakeAccount {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.accounts[login] == nil {
		a := &fakeAccount{id: "acc-" + login, password: "pw of " + login, blobs: map[string][]byte{}}
		for _, b := range []string{"inbox", "archive", "trash"} {
			a.boxes = append(a.boxes, map[string]any{"id": "m-" + b, "name": b, "role": b, "parentId": nil, "sortOrder": len(a.boxes)})
		}
		f.accounts[login] = a
	}
	return f.accounts[login]
}

// put adds a mail; what is not given is usual.
func (f *fake) put(a *fakeAccount, e map[string]any) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return a.put(e)
}

func (a *fakeAccount) put(e map[string]any) string {
	a.n++
	id, ok := e["id"].(string)
	if !ok {
		id = "e" + strconv.Itoa(a.n)
	}
	for k, v := range map[string]any{"id": id, "blobId": "b-" + id, "threadId": "t" + strconv.Itoa(a.n), "mailboxIds": map[string]any{"m-inbox": true},
		"keywords": map[string]any{}, "receivedAt": fmt.Sprintf("2026-11-%02dT10:%02d:00Z", 1+a.n/60, a.n%60), "subject": "Subject " + id, "preview": "preview",
		"from": []any{map[string]any{"name": "Bob", "email": "bob@example.com"}}, "hasAttachment": false} {
		if _, ok := e[k]; !ok {
			e[k] = v
		}
	}
	a.mails = append(a.mails, e)
	a.blobs[e["blobId"].(string)] = []byte("Subject: x\r\nBcc: eve@example.com,\r\n mallory@example.com\r\nTo: bob@example.com\r\n\r\nBcc: this stays\r\n")
	return id
}

// html is a mail's body of one part.
func htmlMail(html string) map[string]any {
	part := []any{map[string]any{"partId": "1", "type": "text/html"}}
	return map[string]any{"textBody": part, "htmlBody": part, "bodyValues": map[string]any{"1": map[string]any{"value": html}}}
}

func (f *fake) did(call string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path)
	raw := f.raw
	f.mu.Unlock()
	if raw != nil && raw(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	user, password, _ := r.BasicAuth()
	a := f.accounts[user]
	if a == nil || password != a.password {
		w.WriteHeader(401)
		return
	}
	switch {
	case r.Method == "GET" && r.URL.Path == "/.well-known/jmap":
		f.session(w, a)
	case r.Method == "POST" && r.URL.Path == "/api/" && r.Header.Get("Content-Type") == "application/json":
		f.api(w, r, a)
	case r.Method == "POST" && r.URL.Path == "/up/"+a.id:
		data, _ := io.ReadAll(r.Body) //nolint:errcheck // what is missing is seen below
		id := "up-" + strconv.Itoa(len(a.blobs))
		a.blobs[id] = data
		reply(w, map[string]any{"accountId": a.id, "blobId": id, "type": r.Header.Get("Content-Type"), "size": len(data)})
	case r.Method == "GET" && strings.HasPrefix(r.URL.Path, "/down/"+a.id+"/"):
		blob, ok := a.blobs[strings.TrimPrefix(r.URL.Path, "/down/"+a.id+"/")]
		if !ok {
			w.WriteHeader(404)
			return
		}
		w.Header().Set("Content-Type", r.URL.Query().Get("t"))
		_, _ = w.Write(blob)
	default:
		w.WriteHeader(404)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) session(w http.ResponseWriter, a *fakeAccount) {
	caps := map[string]any{jmap.CapMail: map[string]any{}}
	if f.submits {
		caps[jmap.CapSubmission] = map[string]any{}
	}
	const self = "https://jmap.evil.example:666"
	reply(w, map[string]any{"apiUrl": self + "/api/", "downloadUrl": self + "/down/{accountId}/{blobId}?n={name}&t={type}", "uploadUrl": self + "/up/{accountId}",
		"state": "s1", "capabilities": map[string]any{jmap.CapCore: map[string]any{"maxObjectsInGet": f.maxGet, "maxCallsInRequest": 4}, jmap.CapMail: map[string]any{}, jmap.CapSubmission: map[string]any{}},
		"accounts":        map[string]any{"shared": map[string]any{"accountCapabilities": caps}, a.id: map[string]any{"accountCapabilities": caps}},
		"primaryAccounts": map[string]any{jmap.CapMail: a.id}})
}

func (f *fake) api(w http.ResponseWriter, r *http.Request, a *fakeAccount) {
	var in struct {
		Using []string `json:"using"`
		Calls [][]any  `json:"methodCalls"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || len(in.Calls) > 4 {
		w.WriteHeader(400)
		reply(w, map[string]any{"type": "urn:ietf:params:jmap:error:limit", "status": 400})
		return
	}
	var out []any
	for _, c := range in.Calls {
		name, args := c[0].(string), c[1].(map[string]any)
		f.calls = append(f.calls, name)
		if !slices.Contains(in.Using, jmap.CapSubmission) && (strings.HasPrefix(name, "EmailSub") || strings.HasPrefix(name, "Identity")) {
			out = append(out, []any{"error", map[string]any{"type": "unknownMethod"}, c[2]})
			continue
		}
		resolve(args, out)
		kind, result := f.call(a, name, args)
		if f.method != nil {
			if k, res, ok := f.method(name, args); ok {
				kind, result = k, res
			}
		}
		if kind != "" {
			out = append(out, []any{"error", map[string]any{"type": kind}, c[2]})
			continue
		}
		if m, ok := result.(map[string]any); ok && m["accountId"] == nil {
			m["accountId"] = a.id
		}
		out = append(out, []any{name, result, c[2]})
	}
	reply(w, map[string]any{"methodResponses": out, "sessionState": "s1"})
}

// resolve follows references (RFC 8620 section 3.7) of the two forms that are used.
func resolve(args map[string]any, done []any) {
	for k, v := range args {
		name, ok := strings.CutPrefix(k, "#")
		if !ok {
			continue
		}
		delete(args, k)
		ref := v.(map[string]any)
		i, _ := strconv.Atoi(ref["resultOf"].(string)) //nolint:errcheck // of this client
		result, _ := json.Marshal(done[i].([]any)[1])  //nolint:errcheck // it is JSON
		var m map[string]any
		_ = json.Unmarshal(result, &m)
		if ref["path"] == "/ids" {
			args[name] = m["ids"]
			continue
		}
		ids := []any{}
		list, _ := m["list"].([]any)
		for _, e := range list {
			if id := e.(map[string]any)[strings.TrimPrefix(ref["path"].(string), "/list/*/")]; !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		args[name] = ids
	}
}
