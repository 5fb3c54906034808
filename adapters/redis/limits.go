package redis

import (
	"context"
	_ "embed"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/core/contract"
)

//go:embed scripts/take.lua
var takeLua string

var takeScript = rueidis.NewLuaScript(takeLua)

// limits is contract.LimitStore.
type limits struct{ c *Client }

// Limits counts requests: one hash for each client and path, which goes two windows after
// the last request that was allowed.
func (c *Client) Limits() contract.LimitStore { return limits{c} }

func (l limits) Take(ctx context.Context, key string, rule contract.LimitRule, now time.Time) (contract.LimitDecision, error) {
	if rule.Max < 1 || rule.Window < time.Millisecond {
		return contract.LimitDecision{RetryAfter: max(rule.Window, time.Second)}, nil
	}
	res, err := l.c.run(ctx, takeScript, []string{l.c.prefix + "limit:" + key},
		[]string{millis(now), strconv.FormatInt(rule.Window.Milliseconds(), 10), strconv.Itoa(rule.Max)})
	if err != nil {
		return contract.LimitDecision{}, err
	}
	wait, err := res.AsInt64()
	return contract.LimitDecision{Allowed: err == nil && wait == 0, RetryAfter: time.Duration(wait) * time.Millisecond}, err
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
