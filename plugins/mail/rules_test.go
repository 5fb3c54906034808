package mail

import (
	"testing"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// TestRules holds the plugin to the rules of all.
func TestRules(t *testing.T) {
	f := startFake(t)
	f.put(f.account("ada"), map[string]any{"id": "one", "threadId": "first", "hasAttachment": true, "attachments": []any{object{"blobId": "b-one", "name": "a.txt", "type": "text/plain"}}})
	journey := func(h *plugintest.Harness) {
		ada := h.SignUp("ada@example.com")
		put := func(path string, body any) {
			ada.Do(plugintest.Request{Method: "PUT", Path: base + path, Body: body}).Want(200)
		}
		ada.Get(base + "/labels").Want(200)
		ada.Post(base+"/labels", m{"role": "archive"}).Want(200)
		ada.Get(base + "/threads?limit=10&q=one").Want(200)
		ada.Get(base + "/threads/first").Want(200)
		ada.Get(base + "/messages/one/attachments/b-one").Want(200)
		put("/messages/one", m{"isRead": true})
		ada.Get(base + "/accounts").Want(200)
		put("/accounts/"+ada.UserID, m{"displayName": "Ada Lovelace", "signature": "Yours, Ada"})
		ada.Post(base+"/attachments", m{"name": "a.txt", "type": "text/plain", "content": "aGVsbG8="}).Want(200)
		ada.Post(base+"/send", m{"to": []m{{"email": "bob@example.com"}}, "subject": "Hi", "body": "Hello"}).Want(200)
	}
	plugintest.Check(t, func() core.Plugin { return New(Options{URL: f.URL}) }, plugintest.Options{Rules: plugintest.Rules{Journey: journey,
		Others: func() []core.Plugin { return []core.Plugin{&lender{f: f}} }}})
}
