package redis

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/core/contract"
)

var (
	//go:embed scripts/read.lua
	readLua string
	//go:embed scripts/write.lua
	writeLua string
	//go:embed scripts/void.lua
	voidLua string

	readScript, writeScript, voidScript = rueidis.NewLuaScript(readLua), rueidis.NewLuaScript(writeLua), rueidis.NewLuaScript(voidLua)
)

const (
	versionAge = time.Minute     // that old may be what Write is given
	blockLimit = 2 * time.Minute // the longest block
	// keepEpochs is how long a subject's epoch is kept: longer than a copy may live that was
	// written by the last reader who did not know it.
	keepEpochs = contract.MaxSessionCopy + versionAge + blockLimit + 2*time.Minute
)

// sessions is contract.SessionStore.
type sessions struct{ c *Client }

// Sessions keeps copies of sessions. Versions are Redis's own clock in microseconds, so
// that those of replicas need not agree. Of a cluster, one node has all copies: a script
// has to see a copy and the epochs of its subjects at once.
func (c *Client) Sessions() contract.SessionStore { return sessions{c} }

func (s sessions) epochs() string { return s.c.prefix + "{sessions}:epochs" }

func (s sessions) keys(key string) []string {
	return []string{s.c.prefix + "{sessions}:copy:" + key, s.epochs()}
}

func (s sessions) Read(ctx context.Context, key string) ([]byte, int64, error) {
	res, err := s.c.run(ctx, readScript, s.keys(key), []string{milliseconds(keepEpochs)})
	if err != nil {
		return nil, 0, err
	}
	list, err := res.ToArray()
	if err != nil || len(list) != 2 {
		return nil, 0, fmt.Errorf("redis: the answer is none of the script's: %w", err)
	}
	if found, err := list[0].AsInt64(); err == nil && found == 1 {
		data, err := list[1].AsBytes()
		return data, 0, err
	}
	version, err := list[1].AsInt64()
	return nil, version, err
}

func (s sessions) Write(ctx context.Context, key string, c contract.SessionCopy, version int64) (bool, error) {
	life := min(c.Life, contract.MaxSessionCopy)
	if life < time.Millisecond {
		return false, nil
	}
	res, err := s.c.run(ctx, writeScript, s.keys(key), []string{milliseconds(keepEpochs), strconv.FormatInt(version, 10),
		microseconds(versionAge), strings.Join(c.Subjects, " "), string(c.Data), milliseconds(life)})
	if err != nil {
		return false, err
	}
	kept, err := res.AsInt64()
	return kept == 1, err
}

func (s sessions) Block(ctx context.Context, limit time.Duration, subjects ...string) (mark int64, err error) {
	return s.void(ctx, min(limit, blockLimit), 0, subjects)
}

func (s sessions) Release(ctx context.Context, mark int64, subjects ...string) error {
	_, err := s.void(ctx, 0, mark, subjects)
	return err
}

func (s sessions) void(ctx context.Context, limit time.Duration, mark int64, subjects []string) (int64, error) {
	args := append([]string{milliseconds(keepEpochs), microseconds(limit), strconv.FormatInt(mark, 10)}, subjects...)
	res, err := s.c.run(ctx, voidScript, []string{s.epochs()}, args)
	if err != nil {
		return 0, err
	}
	return res.AsInt64()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
