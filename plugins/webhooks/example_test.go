package webhooks

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Example_receiver is a service that takes events.
func Example_receiver() {
	secret := "whsec_q0kP2ZlH8n3v9Yd5sW7xJ1bT4mR6cE0uKfGhAiLoNpQ="
	queue := func(id, typ string, data json.RawMessage) { fmt.Println(id, typ, string(data)) }

	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /hooks/sallyport", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var event struct {
			Type string
			Data json.RawMessage
		}
		if err := json.Unmarshal(body, &event); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		queue(r.Header.Get("webhook-id"), event.Type, event.Data) // unless it has the id already
		w.WriteHeader(http.StatusNoContent)
	})

	for _, body := range []string{`{"type":"user.deleted","data":{"id":"u1"}}`, `{"type":"user.deleted","data":{"id":"u2"}}`} {
		r := httptest.NewRequest("POST", "/hooks/sallyport", strings.NewReader(body))
		for name, value := range signed(secret, "msg_1", time.Now(), `{"type":"user.deleted","data":{"id":"u1"}}`) {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		http.DefaultServeMux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// msg_1 user.deleted {"id":"u1"}
	// 204
	// 400
}

// signed are the headers of a delivery.
func signed(secret, id string, at time.Time, body string) map[string]string {
	keys, err := readSecrets(secret, "")
	if err != nil {
		panic(err)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	return map[string]string{"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature(keys, id, stamp, body)}
}

// TestJavaScript runs the code of the page with Node.
func TestJavaScript(t *testing.T) {
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```js\n")
	code, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the page has no JavaScript")
	}
	const body = `{"type":"user.created","data":{"name":"Zoë"}}`
	now := time.Now()
	forged := signed(secretB, "msg_1", now, body)
	cases, err := json.Marshal([]any{
		signed(secretA, "msg_1", now, body), signed(secretB+" "+secretA, "msg_1", now, body), // taken
		forged, signed(secretA, "msg_1", now.Add(-10*time.Minute), body), signed(secretA, "msg_1", now, body+" "),
		map[string]string{}, map[string]string{"webhook-id": "msg_1", "webhook-timestamp": forged["webhook-timestamp"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "receiver.mjs")
	code += fmt.Sprintf(`
for (const headers of %s) {
  try { console.log(verify(headers, %q).data.name) } catch (e) { console.log(e.message) }
}`, cases, body)
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", file)
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+secretA)
	out, err := cmd.CombinedOutput()
	want := "Zoë\nZoë\nnot signed by who knows the secret\ntoo old, or a clock is wrong\n" +
		"not signed by who knows the secret\ntoo old, or a clock is wrong\nnot signed by who knows the secret\n"
	if err != nil || string(out) != want {
		t.Errorf("%v %s", err, out)
	}
}
