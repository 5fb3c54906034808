package jmap

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// What a server may answer that is not an answer.
var (
	ErrUnauthorized = errors.New("jmap: the server does not take the user's credentials")
	ErrNotFound     = errors.New("jmap: there is nothing at this address")
	ErrTooLarge     = errors.New("jmap: the server's answer is too large")
	ErrProtocol     = errors.New("jmap: the server's answer is not JMAP")
	ErrNoAccount    = errors.New("jmap: the session names no account for mail")
)

// StatusError is an HTTP status that is no success, with the type of a request-level error
// (RFC 8620 section 3.6.1), such as "limit".
type StatusError struct {
	Status int
	Type   string
}

func (e *StatusError) Error() string {
	if e.Type != "" {
		return fmt.Sprintf("jmap: the server answered %d (%s)", e.Status, e.Type)
	}
	return fmt.Sprintf("jmap: the server answered %d", e.Status)
}

// MethodError is a method-level error (RFC 8620 section 3.6.2).
type MethodError struct{ Method, Type string }

func (e *MethodError) Error() string { return "jmap: " + e.Method + ": " + e.Type }

// SetError is why one object was not created or updated (RFC 8620 section 5.3).
type SetError struct {
	Method            string   `json:"-"`
	Type              string   `json:"type"`
	Properties        []string `json:"properties"`
	InvalidRecipients []string `json:"invalidRecipients"` // RFC 8621 section 7.5
}

func (e *SetError) Error() string { return "jmap: " + e.Method + ": " + kind(e.Type) }

// kind keeps a server's word for a kind of error if it looks like one: it gets into logs.
func kind(s string) string {
	s = strings.TrimPrefix(s, "urn:ietf:params:jmap:error:")
	if s == "" || len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return "unknown error"
	}
	return s
}

func problem(res *http.Response) error {
	e := &StatusError{Status: res.StatusCode}
	var p struct {
		Type string `json:"type"`
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if err == nil && json.Unmarshal(raw, &p) == nil && strings.HasPrefix(p.Type, "urn:") {
		e.Type = kind(p.Type)
	}
	return e
}
