package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// StatusClient asks the server that issued a grant whether it still holds.
type StatusClient struct {
	// URL of the endpoint, for instance "https://auth.example.com/api/auth/mission-grant/status".
	URL string
	// ServiceKey authenticates the runner.
	ServiceKey string
	// Client makes the calls. Default one with a time-out of 10 s that follows no redirect.
	Client *http.Client
}

// Revoked is Options.Revoked: a grant that the server does not know counts as revoked.
func (s StatusClient) Revoked(ctx context.Context, digest string) (bool, error) {
	client := s.Client
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"?digest="+url.QueryEscape(digest), nil)
	if err != nil {
		return false, errors.New("the URL of the status endpoint is none")
	}
	req.Header.Set("X-Service-Key", s.ServiceKey)
	res, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	var out struct{ State, Code string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&out); err != nil && res.StatusCode == http.StatusOK {
		return false, errors.New("the status endpoint's answer is no JSON")
	}
	switch {
	case res.StatusCode == http.StatusNotFound && out.Code == "GRANT_NOT_FOUND":
		return true, nil
	case res.StatusCode != http.StatusOK:
		return false, fmt.Errorf("the status endpoint answers %d %s", res.StatusCode, strings.ToValidUTF8(out.Code[:min(len(out.Code), 64)], ""))
	}
	return out.State != "active", nil
}
