package vault

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sort"
	"sync"
	"text/tabwriter"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// rewrapCommand is "sallyport vault rewrap": every wrapped key goes under the active
// key-encryption key, in the bound format, while servers go on. Each row changes in one
// guarded statement and is readable before and after it, so that the command can be
// stopped at any moment and started again: it passes over what is done.
func (p *Plugin) rewrapCommand(ctx context.Context, _ *core.Host, args []string, out io.Writer) error {
	f := flag.NewFlagSet("sallyport vault rewrap", flag.ContinueOnError)
	f.SetOutput(out)
	batch := f.Int("batch", 500, "users that are looked up at once")
	workers := f.Int("workers", 4, "rows that are worked on at the same time")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *batch < 1 || *workers < 1 || f.NArg() > 0 {
		return errors.New("usage: sallyport vault rewrap [-batch N] [-workers N]")
	}
	// A provider that cannot wrap is found out here, and one with versions learns the newest.
	if _, err := p.keys.Wrap(ctx, make([]byte, keySize), []byte("sallyport vault probe")); err != nil {
		return fmt.Errorf("the active key-encryption key cannot wrap: %w", err)
	}
	if p.host.Dialect() == storage.SQLite {
		*workers = 1 // it has one writer
	}
	r := rewrapper{p: p}
	err := p.eachUser(ctx, *batch, *workers, r.one)
	fmt.Fprintf(out, "%d rewrapped, %d were under %s already, %d failed\n", r.done, r.current, p.keys.Active(), len(r.failed))
	for _, e := range r.failed[:min(len(r.failed), 20)] {
		fmt.Fprintln(out, " ", e)
	}
	if err == nil && len(r.failed) > 0 {
		err = fmt.Errorf("%d keys could not be rewrapped", len(r.failed))
	}
	return err
}

type rewrapper struct {
	p             *Plugin
	mu            sync.Mutex
	done, current int
	failed        []error
}

// one rewraps a user's key, if it is not where it belongs. It ends the command with an
// error where the database fails; a row that does not open is counted.
func (r *rewrapper) one(ctx context.Context, userID string) error {
	v, err := r.p.read(ctx, userID)
	if err != nil || v == nil || v.WrappedMK == nil || v.WrapIV == nil {
		return err
	}
	if v.FormatVersion == formatBound && v.KeyCheck != nil && r.p.keys.Current(v.wrapped()) {
		r.count(&r.current)
		return nil
	}
	was := *v
	key, err := r.p.unwrap(ctx, v)
	if err == nil {
		err = r.p.wrap(ctx, v, key)
		zero(key)
	}
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failed = append(r.failed, fmt.Errorf("user %s, under %s: %w", userID, was.KekID, err))
		return nil
	}
	a := &act{p: r.p, userID: userID, action: "rewrap"}
	err = r.p.change(ctx, a, was.KekID+" to "+v.KekID, []core.Set{colWrapped.Set(v.WrappedMK), colIV.Set(v.WrapIV),
		colFormat.Set(v.FormatVersion), colKek.Set(v.KekID), colCheck.Set(v.KeyCheck)},
		colVersion.Eq(was.KeyVersion), colWrapped.Eq(was.WrappedMK), colZero.Eq(false))
	if errors.Is(err, ErrVersionConflict) { // rotated or given up meanwhile: under the active key, or gone
		err = nil
	}
	if err == nil {
		r.count(&r.done)
	}
	return err
}

func (r *rewrapper) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// eachUser runs fn for every user in the order of their ids, several at a time. Row-level
// security shows a vault to its user's transactions alone, so that users are what is listed.
func (p *Plugin) eachUser(ctx context.Context, batch, workers int, fn func(context.Context, string) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ids := make(chan string)
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for id := range ids {
				if err := fn(ctx, id); err != nil {
					cancel(err)
					return
				}
			}
		}()
	}
	err := p.sendUsers(ctx, batch, ids)
	close(ids)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (p *Plugin) sendUsers(ctx context.Context, batch int, ids chan<- string) error {
	after := ""
	for {
		page, err := p.host.UserIDs(ctx, after, batch)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, id := range page {
			select {
			case ids <- id:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		after = page[len(page)-1]
	}
}

// keysCommand is "sallyport vault keys": which key-encryption keys are still needed.
func (p *Plugin) keysCommand(ctx context.Context, _ *core.Host, args []string, out io.Writer) error {
	if len(args) > 0 {
		return errors.New("usage: sallyport vault keys")
	}
	var mu sync.Mutex
	counts, zeroKnowledge := map[string]int{}, 0
	err := p.eachUser(ctx, 500, 1, func(ctx context.Context, userID string) error {
		v, err := p.read(ctx, userID)
		if err != nil || v == nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if v.WrappedMK == nil {
			zeroKnowledge++
		} else {
			counts[fmt.Sprintf("%s\t%d", v.KekID, v.FormatVersion)]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	names := make([]string, 0, len(counts))
	for k := range counts {
		names = append(names, k)
	}
	sort.Strings(names)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tFORMAT\tVAULTS")
	for _, k := range names {
		fmt.Fprintf(w, "%s\t%d\n", k, counts[k])
	}
	fmt.Fprintf(w, "(zero knowledge)\t-\t%d\n", zeroKnowledge)
	return w.Flush()
}
