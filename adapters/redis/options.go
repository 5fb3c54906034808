package redis

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

// Options say where Redis is and how long it may take.
type Options struct {
	// URL is redis://user:password@host:port/database, or rediss:// for TLS (1.2 or later,
	// with the system's certificates). One address of a cluster is enough: the others are
	// found. Default: none.
	URL string `yaml:"url"`
	// Prefix begins every key: letters, digits, ".", ":", "-" and "_". Deployments that
	// share a Redis need different ones. Default "sallyport:".
	Prefix string `yaml:"prefix"`
	// Timeout is how long one question may take, as a duration. Default 250ms, from 10ms
	// to 5s. After three in a row without an answer Redis counts as down.
	Timeout time.Duration `yaml:"timeout"`
	// Pause is how long Redis is left alone when it is down, as a duration: meanwhile
	// requests go on at once without it. Default 1s, from 100ms to 1m.
	Pause time.Duration `yaml:"pause"`
	// Clock is for tests. Default time.Now.
	Clock func() time.Time `yaml:"-"`
}

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9.:_-]{1,64}$`)

// check fills in the defaults and reports every fault.
func (o *Options) check() (client rueidis.ClientOption, err error) {
	if o.Prefix == "" {
		o.Prefix = "sallyport:"
	}
	if o.Timeout == 0 {
		o.Timeout = 250 * time.Millisecond
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	var errs []error
	if !prefixForm.MatchString(o.Prefix) {
		errs = append(errs, fmt.Errorf(`redis.prefix: %q: want at most 64 letters, digits, ".", ":", "-" and "_"`, o.Prefix))
	}
	if o.Timeout < 10*time.Millisecond || o.Timeout > 5*time.Second {
		errs = append(errs, errors.New("redis.timeout: must be from 10ms to 5s"))
	}
	if o.Pause < 100*time.Millisecond || o.Pause > time.Minute {
		errs = append(errs, errors.New("redis.pause: must be from 100ms to 1m"))
	}
	client, err = parseURL(o.URL)
	if err = errors.Join(append(errs, err)...); err != nil {
		return client, err
	}
	client.Dialer.Timeout = o.Timeout
	client.Dialer.KeepAlive = 15 * time.Second
	client.ConnWriteTimeout = max(time.Second, o.Timeout)
	client.DisableRetry = true // a script that counts is not to be sent twice
	client.DisableCache = true // no CLIENT TRACKING: not every managed Redis has it
	client.ClientSetInfo = rueidis.DisableClientSetInfo
	client.ReadBufferEachConn, client.WriteBufferEachConn = 64<<10, 64<<10
	return client, nil
}

// parseURL never quotes the URL: it may hold a password.
func parseURL(s string) (rueidis.ClientOption, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"redis", "rediss", "valkey", "valkeys"}, u.Scheme) {
		return rueidis.ClientOption{}, errors.New("redis.url: want redis://user:password@host:port/database, or rediss:// for TLS")
	}
	o, err := rueidis.ParseURL(s)
	if err != nil {
		return rueidis.ClientOption{}, errors.New("redis.url: the database must be a number, and parameters what they say")
	}
	return o, nil
}
