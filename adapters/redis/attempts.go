package redis

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/core/contract"
)

var (
	//go:embed scripts/attempt.lua
	attemptLua string

	attemptScript = rueidis.NewLuaScript(attemptLua)
	lockedScript  = rueidis.NewLuaScript(`return redis.call('HGET', KEYS[1], 'locked')`)
	forgetScript  = rueidis.NewLuaScript(`return redis.call('DEL', KEYS[1])`)
)

// settleLife is how long beyond window and lock a counter is kept: a lease.
const settleLife = time.Minute

// attempts is contract.AttemptStore.
type attempts struct{ c *Client }

// Attempts counts guesses at secrets: one hash for each account, network and device that
// somebody failed at, which goes when window and lock are over. Of a cluster, one node has
// all of them: a script counts for an account and a network in one step.
func (c *Client) Attempts() contract.AttemptStore { return attempts{c} }

func (a attempts) key(key string) string { return a.c.prefix + "{attempts}:" + key }

func (a attempts) run(ctx context.Context, what string, now time.Time, life time.Duration, forget string, limits []contract.AttemptLimit) (rueidis.RedisResult, error) {
	keys, args := make([]string, len(limits)), make([]string, 0, 2+5*len(limits))
	args = append(args, what, millis(now))
	for i, l := range limits {
		keys[i] = a.key(l.Key)
		gone := "0"
		if l.Key == forget {
			gone = "1"
		}
		args = append(args, strconv.Itoa(l.Max), milliseconds(l.Window), milliseconds(l.Lock), milliseconds(life), gone)
	}
	return a.c.run(ctx, attemptScript, keys, args)
}

func (a attempts) Reserve(ctx context.Context, now time.Time, lease time.Duration, limits ...contract.AttemptLimit) ([]time.Duration, error) {
	wait := make([]time.Duration, len(limits))
	res, err := a.run(ctx, "reserve", now, lease, "", limits)
	if err != nil {
		return wait, err
	}
	list, err := res.AsIntSlice()
	if err == nil && len(list) != len(limits) {
		err = fmt.Errorf("redis: %d counters answered of %d", len(list), len(limits))
	}
	if err != nil {
		return wait, err
	}
	for i, ms := range list {
		wait[i] = time.Duration(ms) * time.Millisecond
	}
	return wait, nil
}

func (a attempts) Fail(ctx context.Context, now time.Time, limits ...contract.AttemptLimit) error {
	_, err := a.run(ctx, "fail", now, settleLife, "", limits)
	return err
}

func (a attempts) Release(ctx context.Context, now time.Time, forget string, limits ...contract.AttemptLimit) error {
	_, err := a.run(ctx, "release", now, settleLife, forget, limits)
	return err
}

func (a attempts) Forget(ctx context.Context, key string) error {
	_, err := a.c.run(ctx, forgetScript, []string{a.key(key)}, nil)
	return err
}

func (a attempts) Locked(ctx context.Context, now time.Time, key string) (time.Time, error) {
	res, err := a.c.run(ctx, lockedScript, []string{a.key(key)}, nil)
	if err != nil {
		return time.Time{}, err
	}
	ms, err := res.AsInt64()
	if rueidis.IsRedisNil(err) {
		return time.Time{}, nil
	}
	if until := time.UnixMilli(ms).UTC(); err == nil && until.After(now) {
		return until, nil
	}
	return time.Time{}, err
}
