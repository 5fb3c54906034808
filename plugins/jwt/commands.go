package jwt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

var errUsage = errors.New("usage: sallyport keys list|rotate|rewrap")

// keysCommand is "sallyport keys".
func (p *Plugin) keysCommand(ctx context.Context, _ *core.Host, args []string, out io.Writer) error {
	if len(args) != 1 {
		return errUsage
	}
	switch args[0] {
	case "list":
		return p.list(ctx, out)
	case "rotate":
		row, err := p.rotate(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "new key %s (%s); servers sign with it within %d s, earlier keys stay known for %s\n",
			row.ID, *row.Alg, int(keyMemory/time.Second), p.grace())
		return err
	case "rewrap":
		return p.rewrap(ctx, out)
	}
	return errUsage
}

func (p *Plugin) all(ctx context.Context) ([]Key, error) {
	return keys.List(ctx, p.host.DB(), core.ListOptions{Order: []core.Order{colCreated.Asc(), colID.Asc()}})
}

// list prints all keys and what they are good for.
func (p *Plugin) list(ctx context.Context, out io.Writer) error {
	rows, err := p.all(ctx)
	if err != nil {
		return err
	}
	now := p.host.Now()
	signing := pick(rows, p.o.Algorithm, now)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KID\tALG\tCREATED\tEXPIRES\tSTATE")
	for i := range rows {
		k := &rows[i]
		end, state := "never", "live"
		if k.ExpiresAt != nil {
			end = k.ExpiresAt.Format(time.RFC3339)
		}
		switch {
		case k == signing:
			state = "signing"
		case k.live(now):
		case k.ExpiresAt.Add(p.grace()).After(now):
			state = "verifies until " + k.ExpiresAt.Add(p.grace()).Format(time.RFC3339)
		default:
			state = "past"
		}
		if _, err := p.open(k); err != nil {
			state += ", unusable"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.alg(p.o.Algorithm), k.CreatedAt.Format(time.RFC3339), end, state)
	}
	return w.Flush()
}

// rewrap encrypts every private key with the current secret, or writes it as it is where
// encryption is switched off. Keys that cannot be read stay, and are an error at the end.
func (p *Plugin) rewrap(ctx context.Context, out io.Writer) error {
	rows, err := p.all(ctx)
	if err != nil {
		return err
	}
	var failed []error
	done := 0
	for i := range rows {
		k := &rows[i]
		if _, err := p.open(k); err != nil {
			failed = append(failed, err)
			continue
		}
		private, err := p.unwrap(k.PrivateKey)
		if err != nil {
			return err
		}
		stored, err := p.wrap(private)
		if err != nil {
			return err
		}
		// Guarded: what somebody else has written since stays.
		n, err := keys.Update(ctx, p.host.DB(), []core.Set{colPrivate.Set(stored)}, colID.Eq(k.ID), colPrivate.Eq(k.PrivateKey))
		if err != nil {
			return err
		}
		done += int(n)
	}
	if done > 0 {
		if err := p.host.Record(ctx, &core.Event{Type: eventRewrapped, Actor: core.Operator, Detail: map[string]string{"keys": strconv.Itoa(done)}}); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d of %d keys rewrapped\n", done, len(rows))
	return errors.Join(failed...)
}
