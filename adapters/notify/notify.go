// Package notify hands mails to a notification service over HTTP: one POST of JSON for
// each message, and the service owns the texts and the delivery. The service mana-notify
// speaks this form; so does anything that takes
//
//	POST <URL>
//	X-Service-Key: <ServiceKey>
//	Content-Type: application/json
//
//	{"channel": "email", "appId": "...", "recipient": "ada@example.com",
//	 "template": "verify-email", "externalId": "...",
//	 "data": {"url": "...", "token": "...", "otp": "...", "id": "...", "newEmail": "...",
//	          "name": "...", "email": "...", "language": "...", and what Message.Data adds}}
//
// and answers 2xx once it has taken the message. Values that are empty are left out of
// data. language is one of "en", "de", "fr", "it" and "es" if the recipient reads one of
// them, or else what they would rather read ("pt"); the service chooses the text. externalId is the same for every retry; the service should answer a repeated one
// with 2xx and drop it.
//
// Threats:
//
//   - The body holds live links and codes and the header holds a key: https is required
//     unless the service is on this machine, redirects are not followed, and no error
//     holds the key, the body, or anything that the service answered but its status.
//   - What a user chose (name, newEmail) is sent as it is: the service has to escape it
//     where it puts it into HTML or a mail header. adapters/smtp does that by itself.
package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/mailtext"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/option"
)

const (
	defaultChannel = "email"
	defaultTimeout = 10 * time.Second
	maxTimeout     = 5 * time.Minute
	maxKey         = 4 << 10  // bytes of the service key
	maxRequest     = 1 << 20  // bytes; mana-notify refuses more
	maxAnswer      = 64 << 10 // bytes read of an answer, so that its connection is reused
)

// Options say where the service is and who is calling.
type Options struct {
	// URL is the service's endpoint, path included, for instance
	// https://notify.example/api/v1/notifications/send. It must be https, or http to a
	// loopback host; it must not hold user information or a fragment. Required.
	URL string `yaml:"url"`
	// AllowHTTP permits http to any host, for a network that is private and trusted:
	// everybody on the way can read the key, and every link and code. Default: false.
	AllowHTTP bool `yaml:"allowHttp"`
	// ServiceKey is the secret that the service knows its callers by: 1 to 4096 visible
	// ASCII characters. Required.
	ServiceKey string `yaml:"serviceKey"`
	// AppID names the calling app to the service. Required.
	AppID string `yaml:"appId"`
	// Channel is the way that the service delivers by. With "email", a recipient that is
	// no bare mail address is refused before anything is sent. Default: "email".
	Channel string `yaml:"channel"`
	// Timeout bounds one attempt, from connecting to the answer's end: more than zero, at
	// most 5 minutes. Default: 10 s.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the requests; its redirect policy is not used. Default: a client with
	// Go's default transport, which obeys HTTPS_PROXY and NO_PROXY.
	Client *http.Client `yaml:"-"`
}

type mailer struct {
	url, key, app, channel string
	timeout                time.Duration
	client                 *http.Client
}

// New returns a mailer, or an error that names every option at fault. It does not
// connect. The mailer may be used from several goroutines at once.
func New(o Options) (contract.Mailer, error) {
	if o.Channel == "" {
		o.Channel = defaultChannel
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	err := errors.Join(checkURL(o.URL, o.AllowHTTP), checkKey(o.ServiceKey))
	if o.AppID == "" {
		err = errors.Join(err, errors.New("notify: appId is missing"))
	}
	if o.Timeout < 0 || o.Timeout > maxTimeout {
		err = errors.Join(err, fmt.Errorf("notify: timeout must be more than zero and at most %v", maxTimeout))
	}
	if err != nil {
		return nil, err
	}
	client := &http.Client{}
	if o.Client != nil {
		*client = *o.Client // the app's own client keeps its redirect policy
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &mailer{o.URL, o.ServiceKey, o.AppID, o.Channel, o.Timeout, client}, nil
}

// checkURL does not repeat the URL: it may hold a key in its query or, refused, a password.
func checkURL(s string, allowHTTP bool) error {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return errors.New("notify: url is missing")
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("notify: url is not an absolute https URL")
	case u.User != nil || u.Fragment != "":
		return errors.New("notify: url must not hold user information or a fragment")
	case u.Scheme == "http" && !allowHTTP && !option.Loopback(u.Hostname()):
		return errors.New("notify: url must be https; http needs a loopback host or allowHttp")
	}
	return nil
}

func checkKey(key string) error {
	if key == "" {
		return errors.New("notify: serviceKey is missing")
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return errors.New("notify: serviceKey must be visible ASCII characters without spaces")
		}
	}
	if len(key) > maxKey {
		return fmt.Errorf("notify: serviceKey is longer than %d bytes", maxKey)
	}
	return nil
}

// request is the body, in the service's words.
type request struct {
	Channel    string            `json:"channel"`
	AppID      string            `json:"appId"`
	Recipient  string            `json:"recipient"`
	Template   string            `json:"template"`
	Data       map[string]string `json:"data"`
	ExternalID string            `json:"externalId,omitempty"`
}

// Send posts m. It returns nil once the service answered 2xx. It returns an error
// for any other status, which it names; for a template that is missing, a recipient that
// the channel cannot have (wrapping [mailtext.ErrAddress] for "email") and a message
// beyond 1 MiB, all before anything is sent (the last two, and statuses that refuse this very
// message, are contract.Permanent); and for a service that cannot be reached,
// wrapping ctx's error or the network's.
func (s *mailer) Send(ctx context.Context, m contract.Message) error {
	body, err := s.encode(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("notify: the request could not be made")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Service-Key", s.key)

	res, err := s.client.Do(req)
	if err != nil {
		return safe(ctx, err)
	}
	defer res.Body.Close()
	// The status has decided; what follows only frees the connection for the next mail.
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		err := fmt.Errorf("notify: the service answered with status %d", res.StatusCode)
		if refused(res.StatusCode) {
			return contract.Permanent(err)
		}
		return err
	}
	return nil
}

// refused tells whether a status refuses this message for good. The other 4xx are about us or
// the moment: a key, a URL or a limit of the service that is not as it should be.
func refused(status int) bool {
	switch status {
	case 401, 402, 403, 404, 405, 407, 408, 421, 423, 425, 426, 429:
		return false
	}
	return status >= 400 && status < 500
}

func (s *mailer) encode(m contract.Message) ([]byte, error) {
	if m.Template == "" {
		return nil, errors.New("notify: the message has no template")
	}
	if m.To == "" {
		return nil, errors.New("notify: the message has no recipient")
	}
	if s.channel == defaultChannel {
		if err := mailtext.CheckAddress(m.To); err != nil {
			return nil, contract.Permanent(fmt.Errorf("notify: the recipient is %w", err))
		}
	}
	body, err := json.Marshal(request{s.channel, s.app, m.To, m.Template, data(m), m.ExternalID})
	if err != nil {
		return nil, errors.New("notify: the message cannot be written as JSON")
	}
	if len(body) > maxRequest {
		return nil, contract.Permanent(fmt.Errorf("notify: the message is longer than %d bytes", maxRequest))
	}
	return body, nil
}

// data returns Message.Data with the message's own values on top, so that no plugin's
// entry can stand in for the link or the address. Only "id" is the other way round: it is
// the user's, unless the mail is about something else, such as an invitation.
func data(m contract.Message) map[string]string {
	d := map[string]string{}
	if m.User.ID != "" {
		d["id"] = m.User.ID
	}
	for k, v := range m.Data {
		d[k] = v
	}
	for k, v := range map[string]string{
		"language": language(m.Language),
		"url":      m.URL, "token": m.Token, "otp": m.OTP, "newEmail": m.NewEmail,
		"name": m.User.Name, "email": m.User.Email,
	} {
		if v != "" {
			d[k] = v
		}
	}
	return d
}

// languages are those of the built-in texts, which a service may be expected to have.
var languages = []string{"en", "de", "fr", "it", "es"}

// language is the one to write in, a primary subtag (RFC 5646); empty if nothing is known.
func language(wanted string) string {
	if l := contract.MatchLanguage(languages, wanted); l != "" {
		return l
	}
	if all := contract.Languages(wanted); len(all) > 0 {
		return all[0]
	}
	return ""
}

// safe keeps of a transport's error what is known to hold neither the request nor the
// answer. The error of net/http itself repeats the URL, and quotes a malformed answer,
// which may in turn quote the message.
func safe(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("notify: no answer in time: %w", ctx.Err())
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return fmt.Errorf("notify: the service cannot be reached: %w", network)
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return fmt.Errorf("notify: the service cannot be trusted: %w", certificate)
	}
	var notTLS tls.RecordHeaderError
	if errors.As(err, &notTLS) {
		return errors.New("notify: the service does not speak TLS")
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("notify: no answer in time")
	}
	return errors.New("notify: the service gave no usable answer")
}
