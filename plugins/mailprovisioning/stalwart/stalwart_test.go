package stalwart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// server plays the part of the management API that is used here, as its description has
// it: members it does not name are refused, principals are checked, failures are status
// 200 with a member "error".
type server struct {
	*httptest.Server
	mu    sync.Mutex
	list  map[string]*principal
	calls []string
	fail  func(w http.ResponseWriter, r *http.Request) bool
}

func serve(t *testing.T) *server {
	s := &server{list: map[string]*principal{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code, field string) {
	answer(w, map[string]string{"error": code, "field": field})
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	if s.fail != nil && s.fail(w, r) {
		return
	}
	user, password, _ := r.BasicAuth()
	name, below := strings.CutPrefix(r.URL.Path, "/api/principal/")
	switch {
	case user != "admin" || password != "secret":
		w.WriteHeader(401)
		answer(w, map[string]any{"type": "about:blank", "status": 401, "title": "Unauthorized"})
	case r.Method == "POST" && r.URL.Path == "/api/principal":
		s.create(w, r)
	case below && s.list[name] == nil && r.Method != "POST":
		answer(w, map[string]string{"error": "notFound", "item": name})
	case below && r.Method == "GET":
		p := *s.list[name]
		p.Secrets = nil // never given out
		answer(w, map[string]any{"data": p})
	case below && r.Method == "PATCH":
		s.patch(w, r, s.list[name])
	case below && r.Method == "DELETE":
		delete(s.list, name)
		answer(w, map[string]any{"data": nil})
	default:
		w.WriteHeader(404)
	}
}

func (s *server) create(w http.ResponseWriter, r *http.Request) {
	var p principal
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Type != "individual" || p.Name == "" || len(p.Secrets) != 1 || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(400)
		return
	}
	for _, other := range s.list {
		if other.Name == p.Name {
			refuse(w, "fieldAlreadyExists", "name")
			return
		}
		if slices.Equal(other.Emails, p.Emails) {
			refuse(w, "fieldAlreadyExists", "emails")
			return
		}
	}
	s.list[p.Name] = &p
	answer(w, map[string]any{"data": len(s.list)})
}

func (s *server) patch(w http.ResponseWriter, r *http.Request, p *principal) {
	var list []struct {
		Action string   `json:"action"`
		Field  string   `json:"field"`
		Value  []string `json:"value"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		w.WriteHeader(400)
		return
	}
	for _, c := range list {
		dst := map[string]*[]string{"roles": &p.Roles, "secrets": &p.Secrets, "emails": &p.Emails}[c.Field]
		if c.Action != "set" || dst == nil {
			w.WriteHeader(400)
			return
		}
		*dst = c.Value
	}
	answer(w, map[string]any{"data": nil})
}

var ada = contract.Mailbox{Name: "ada", Address: "ada@example.com", DisplayName: "Ada <b>", Password: "pw of ada", Owner: "u1"}

func provisioner(t *testing.T, s *server) *Provisioner {
	t.Helper()
	p, err := New(Options{URL: s.URL, User: "admin", Password: "secret", Quota: 1 << 30, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMailbox(t *testing.T) {
	s := serve(t)
	p := provisioner(t, s)
	ctx := t.Context()
	if taken, err := p.Taken(ctx, "ada", "u1"); taken || err != nil {
		t.Errorf("%v, %v", taken, err)
	}
	for range 2 {
		if id, err := p.Create(ctx, ada); id != "ada" || err != nil {
			t.Fatalf("%q, %v", id, err)
		}
	}
	got := s.list["ada"]
	if !slices.Equal(got.Secrets, []string{"pw of ada"}) || !slices.Equal(got.Emails, []string{"ada@example.com"}) || !slices.Equal(got.Roles, []string{"user"}) || got.Quota != 1<<30 {
		t.Errorf("%+v", got)
	}
	for owner, want := range map[string]bool{"u1": false, "u2": true, "": true, "1": true} {
		if taken, err := p.Taken(ctx, "ada", owner); taken != want || err != nil {
			t.Errorf("owner %q: %v, %v", owner, taken, err)
		}
	}
	other := ada
	other.Owner = "u2"
	if _, err := p.Create(ctx, other); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("another owner's name: %v", err)
	}
	other.Name = "ada2"
	if _, err := p.Create(ctx, other); err == nil || !strings.Contains(err.Error(), "address") {
		t.Errorf("another owner's address: %v", err)
	}
	if err := p.Delete(ctx, "ada", "u2"); err == nil {
		t.Error("somebody else's was deleted")
	}
	for range 2 {
		if err := p.Delete(ctx, "ada", "u1"); err != nil {
			t.Error(err)
		}
	}
	if len(s.list) != 0 {
		t.Errorf("%d principals are left", len(s.list))
	}
}

// A step that fails leaves what the next try goes on from: the role comes last.
func TestRetries(t *testing.T) {
	s := serve(t)
	p := provisioner(t, s)
	broken := true
	s.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if broken && r.Method == "PATCH" {
			w.WriteHeader(500)
			return true
		}
		return false
	}
	if _, err := p.Create(t.Context(), ada); err == nil {
		t.Fatal("made without its role")
	}
	broken = false
	if _, err := p.Create(t.Context(), ada); err != nil || !slices.Equal(s.list["ada"].Roles, []string{"user"}) {
		t.Errorf("%v", err)
	}
}

func TestFailures(t *testing.T) {
	s := serve(t)
	p := provisioner(t, s)
	for name, fail := range map[string]func(w http.ResponseWriter){
		"500":             func(w http.ResponseWriter) { w.WriteHeader(500) },
		"503 with HTML":   func(w http.ResponseWriter) { w.WriteHeader(503); fmt.Fprint(w, "<html>") },
		"no JSON":         func(w http.ResponseWriter) { fmt.Fprint(w, "ok") },
		"another error":   func(w http.ResponseWriter) { refuse(w, "assertFailed", "") },
		"forbidden":       func(w http.ResponseWriter) { w.WriteHeader(403) },
		"a redirect":      func(w http.ResponseWriter) { w.Header().Set("Location", "https://evil.example"); w.WriteHeader(307) },
		"data is no such": func(w http.ResponseWriter) { fmt.Fprint(w, `{"data":7}`) },
	} {
		s.fail = func(w http.ResponseWriter, _ *http.Request) bool { fail(w); return true }
		if _, err := p.Taken(t.Context(), "ada", "u1"); err == nil {
			t.Errorf("%s: taken is known", name)
		}
		if name != "data is no such" { // which Create does not read
			if _, err := p.Create(t.Context(), ada); err == nil || strings.Contains(err.Error(), ada.Password) {
				t.Errorf("%s: created: %v", name, err)
			}
		}
		if err := p.Delete(t.Context(), "ada", "u1"); err == nil {
			t.Errorf("%s: deleted", name)
		}
	}
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	s.fail = func(http.ResponseWriter, *http.Request) bool { <-hang; return true }
	if _, err := p.Create(t.Context(), ada); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that hangs: %v", err)
	}
}

// A proxy that makes statuses of the API's errors.
func TestStatuses(t *testing.T) {
	s := serve(t)
	p := provisioner(t, s)
	s.fail = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(404); return r.Method == "GET" }
	if taken, err := p.Taken(t.Context(), "ada", "u1"); taken || err != nil {
		t.Errorf("%v, %v", taken, err)
	}
}
