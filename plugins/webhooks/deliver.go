package webhooks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// parcel is a delivery to one endpoint.
type parcel struct {
	URL  string `json:"url"`
	ID   string `json:"id"`
	Type string `json:"type"`
	Body string `json:"body"` // as it is signed and sent
}

var delivery = core.NewJob[parcel]("webhooks.deliver")

// errUnknown keeps a delivery: a replica with a later configuration may know the endpoint.
var errUnknown = errors.New("webhook: the configuration has no endpoint with the URL of this delivery")

// deliver is the job: one attempt.
func (p *Plugin) deliver(ctx context.Context, d parcel) error {
	e := p.endpointOf(d.URL)
	if e == nil {
		return errUnknown
	}
	begun := p.host.Now()
	if !e.calm.begin(begun) {
		return fmt.Errorf("webhook %s to %s: not asked: its last answer was slow or did not come, or it wanted to be left alone", d.Type, e.name)
	}
	status, pause, err := p.send(ctx, e, d)
	var timeout net.Error
	now := p.host.Now()
	e.calm.end(now, now.Sub(begun), err != nil && errors.As(err, &timeout) && timeout.Timeout(), pause)
	switch {
	case err != nil:
		return fmt.Errorf("webhook %s to %s: %s", d.Type, e.name, reason(err))
	case status == http.StatusGone:
		p.host.Log().WarnContext(ctx, "a webhook's receiver is gone: the event is not delivered to it", "endpoint", e.name, "type", d.Type, "id", d.ID)
		return nil
	case status < 200 || status > 299:
		return fmt.Errorf("webhook %s to %s: answered %d", d.Type, e.name, status)
	}
	return nil
}

func (p *Plugin) endpointOf(url string) *endpoint {
	for _, e := range p.endpoints {
		if e.url == url {
			return e
		}
	}
	return nil
}

// send makes one request. pause is how long the receiver wants to be left alone.
func (p *Plugin) send(ctx context.Context, e *endpoint, d parcel) (status int, pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, strings.NewReader(d.Body))
	if err != nil {
		return 0, 0, err
	}
	now := p.host.Now()
	at := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Sallyport-Webhooks")
	r.Header.Set("Webhook-Id", d.ID)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", signature(e.keys, d.ID, at, d.Body))
	res, err := p.client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	// A short answer is read, so that the receiver can write it, and forgotten.
	defer time.AfterFunc(drainTime, cancel).Stop()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	_ = res.Body.Close()
	return res.StatusCode, retryAfter(res.Header.Get("Retry-After"), now), nil
}

// signature is the header: one for each key, with spaces between them. Standard Webhooks,
// "Signature scheme": neither id nor time holds a full stop.
func signature(keys [][]byte, id, at, body string) string {
	list := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "." + body))
		list[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(list, " ")
}

const maxPause = time.Hour

// retryAfter reads the header of that name (RFC 9110, section 10.2.3), bounded: 0 where it
// says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return max(0, min(d, maxPause))
}

const (
	// hangPause is how long a receiver is left alone that gave no answer in time.
	hangPause = 30 * time.Second
	// slowAnswer is how long an answer takes of a receiver that gets one worker at a time.
	slowAnswer = 2 * time.Second
)

// calm keeps workers from waiting for one receiver that hangs or is slow: mail waits for the
// same workers. The deliveries that it turns away are put off as those that fail.
type calm struct {
	mu    sync.Mutex
	until time.Time
	slow  bool // its last answer was late, or did not come
	asked int  // by how many workers, now
}

func (c *calm) begin(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) || c.slow && c.asked > 0 {
		return false
	}
	c.asked++
	return true
}

func (c *calm) end(now time.Time, took time.Duration, hung bool, pause time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow = hung || took >= slowAnswer
	c.asked--
	if hung {
		pause = max(pause, hangPause)
	}
	if until := now.Add(pause); pause > 0 && until.After(c.until) {
		c.until = until
	}
}
