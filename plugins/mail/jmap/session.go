package jmap

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Capabilities (RFC 8620 section 9.4.1, RFC 8621 section 10.1).
const (
	CapCore       = "urn:ietf:params:jmap:core"
	CapMail       = "urn:ietf:params:jmap:mail"
	CapSubmission = "urn:ietf:params:jmap:submission"
)

// Session is what the client keeps of a session object (RFC 8620 section 2).
type Session struct {
	// AccountID is the user's primary account for mail.
	AccountID string
	// Submits tells that this account can send.
	Submits bool
	// MaxGet and MaxCalls are the server's bounds of one call and of one request.
	MaxGet, MaxCalls int
	State            string

	api, download, upload string
	using                 []string
}

// Bounds that are used where the server names none, or more.
const (
	mostGet   = 500
	mostCalls = 16
)

// Session reads the user's session object.
func (c *Client) Session(ctx context.Context, l Login) (*Session, error) {
	raw, err := c.request(ctx, l, http.MethodGet, c.session.String(), "", nil, 1<<20)
	if err != nil {
		return nil, err
	}
	var in struct {
		APIURL       string                     `json:"apiUrl"`
		DownloadURL  string                     `json:"downloadUrl"`
		UploadURL    string                     `json:"uploadUrl"`
		State        string                     `json:"state"`
		Capabilities map[string]json.RawMessage `json:"capabilities"`
		Primary      map[string]string          `json:"primaryAccounts"`
		Accounts     map[string]struct {
			Capabilities map[string]json.RawMessage `json:"accountCapabilities"`
		} `json:"accounts"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("%w: the session object", ErrProtocol)
	}
	s := &Session{AccountID: in.Primary[CapMail], State: in.State, MaxGet: mostGet, MaxCalls: mostCalls,
		download: in.DownloadURL, upload: in.UploadURL, using: []string{CapCore, CapMail}}
	account, there := in.Accounts[s.AccountID]
	if s.AccountID == "" || !there {
		return nil, ErrNoAccount
	}
	if _, s.Submits = account.Capabilities[CapSubmission]; s.Submits {
		s.using = append(s.using, CapSubmission)
	}
	var limits struct {
		Get   float64 `json:"maxObjectsInGet"`
		Calls float64 `json:"maxCallsInRequest"`
	}
	if json.Unmarshal(in.Capabilities[CapCore], &limits) == nil { // without them the defaults hold
		bound(&s.MaxGet, limits.Get)
		bound(&s.MaxCalls, limits.Calls)
	}
	if in.APIURL == "" {
		return nil, fmt.Errorf("%w: the session object names no apiUrl", ErrProtocol)
	}
	s.api, err = c.at(in.APIURL)
	return s, err
}

func bound(v *int, n float64) {
	if n >= 1 && n < float64(*v) {
		*v = int(n)
	}
}

// expand fills in a URL template of the session's (RFC 6570 level 1).
func (c *Client) expand(template string, values map[string]string) (string, error) {
	for name, v := range values {
		template = strings.ReplaceAll(template, "{"+name+"}", url.PathEscape(v))
	}
	if template == "" || strings.ContainsAny(template, "{}") {
		return "", fmt.Errorf("%w: a URL of the session", ErrProtocol)
	}
	return c.at(template)
}

// Download reads a blob of the account (RFC 8620 section 6.2), at most limit bytes of it:
// a larger one is ErrTooLarge, one that is not there ErrNotFound.
func (c *Client) Download(ctx context.Context, l Login, s *Session, blobID string, limit int64) ([]byte, error) {
	target, err := c.expand(s.download, map[string]string{"accountId": s.AccountID, "blobId": blobID,
		"name": "blob", "type": "application/octet-stream"})
	if err != nil {
		return nil, err
	}
	return c.request(ctx, l, http.MethodGet, target, "", nil, limit)
}

// Upload stores bytes (RFC 8620 section 6.1), and gives the id of the blob.
func (c *Client) Upload(ctx context.Context, l Login, s *Session, mediaType string, data []byte) (string, error) {
	target, err := c.expand(s.upload, map[string]string{"accountId": s.AccountID})
	if err != nil {
		return "", err
	}
	raw, err := c.request(ctx, l, http.MethodPost, target, mediaType, strings.NewReader(string(data)), 64<<10)
	if err != nil {
		return "", err
	}
	var out struct {
		AccountID string `json:"accountId"`
		BlobID    string `json:"blobId"`
	}
	if json.Unmarshal(raw, &out) != nil || out.BlobID == "" || out.AccountID != s.AccountID {
		return "", fmt.Errorf("%w: the answer to an upload", ErrProtocol)
	}
	return out.BlobID, nil
}
