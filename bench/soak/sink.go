package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sink takes the mails and webhooks of all replicas, and counts.
type sink struct {
	address string

	mu         sync.Mutex
	ids        map[string]int // of mails and of webhooks
	mails      map[string]int // by template and recipient
	hooks      map[string]int // by type and id of what it tells of
	links      map[string]string
	duplicates int
}

func startSink() (*sink, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{address: ln.Addr().String(), ids: map[string]int{}, mails: map[string]int{}, hooks: map[string]int{}, links: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mail", s.mail)
	mux.HandleFunc("POST /hook", s.hook)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(ln) }() // ends with the program
	return s, nil
}

func (s *sink) once(id string) {
	if s.ids[id]++; s.ids[id] > 1 {
		s.duplicates++
	}
}

func (s *sink) mail(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Recipient, Template, ExternalID string
		Data                            map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once("mail " + m.ExternalID)
	s.mails[m.Template+" "+m.Recipient]++
	for _, text := range m.Data {
		if _, token, ok := strings.Cut(text, "/magic-link/verify?token="); ok {
			token, _, _ = strings.Cut(token, "&")
			s.links[m.Recipient] = token
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *sink) hook(w http.ResponseWriter, r *http.Request) {
	var h struct {
		Type string
		Data struct{ ID string }
	}
	if err := json.NewDecoder(r.Body).Decode(&h); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once("hook " + r.Header.Get("webhook-id"))
	s.hooks[h.Type+" "+h.Data.ID]++
	w.WriteHeader(http.StatusNoContent)
}

// link waits for the link that an address is sent, but not for ever: a replica that was
// killed with the mail in its hands lets go of it after a minute.
func (s *sink) link(email string, most time.Duration) string {
	for until := time.Now().Add(most); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		token := s.links[email]
		delete(s.links, email)
		s.mu.Unlock()
		if token != "" {
			return token
		}
	}
	return ""
}

func (s *sink) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	mails, hooks := 0, 0
	for _, n := range s.mails {
		mails += n
	}
	for _, n := range s.hooks {
		hooks += n
	}
	return fmt.Sprintf("%d mails and %d webhooks arrived, %d of them more than once", mails, hooks, s.duplicates)
}
