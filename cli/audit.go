package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// auditList prints events, newest first.
func auditList(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	user := f.String("user", "", "of this `user` alone: an address or id; the id finds one who was deleted, too")
	types := f.String("type", "", "of these `types` alone, separated by commas")
	since := f.String("since", "", "from this `time` on: RFC 3339, a day (2026-01-31), or how long ago (24h)")
	until := f.String("until", "", "before this `time`")
	failures := f.Bool("failed", false, "failures alone")
	limit := f.Int("limit", 100, "at most so many `events`")
	return func(ctx context.Context) (int, error) {
		q := core.EventQuery{UserID: *user, Failed: *failures}
		if *types != "" {
			q.Types = strings.Split(*types, ",")
		}
		var err1, err2 error
		q.From, err1 = moment(*since)
		q.To, err2 = moment(*until)
		if err := errors.Join(err1, err2); err != nil {
			return misused, err
		}
		if *limit < 1 {
			return misused, fmt.Errorf("--limit: %d is less than 1", *limit)
		}
		return withAuth(func(ctx context.Context, r *run, auth *core.Auth) (int, error) {
			if err := knownTypes(auth, q.Types); err != nil {
				return misused, err
			}
			if err := r.events(ctx, auth, q, *limit); err != nil {
				return failed, err
			}
			return ok, nil
		})(r, f)(ctx)
	}
}

// knownTypes refuses a type that nothing records: an empty list would look like an answer.
func knownTypes(auth *core.Auth, want []string) error {
	var known []string
	for _, t := range auth.EventTypes() {
		known = append(known, t.Name)
	}
	for _, t := range want {
		if !slices.Contains(known, t) {
			return fmt.Errorf("--type: %q is none of %s", t, strings.Join(known, ", "))
		}
	}
	return nil
}

// events prints up to limit events, page by page.
func (r *run) events(ctx context.Context, auth *core.Auth, q core.EventQuery, limit int) error {
	h := auth.Host()
	if strings.Contains(q.UserID, "@") {
		u, err := h.FindUser(ctx, q.UserID)
		if err != nil {
			return err
		}
		if u == nil {
			return fmt.Errorf("no user has the address %q", q.UserID)
		}
		q.UserID = u.ID
	}
	var list []core.EventRecord
	for len(list) < limit {
		q.Limit = min(100, limit-len(list))
		page, err := h.Events(ctx, q)
		if err != nil {
			return err
		}
		list = append(list, page.Events...)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	return r.table("TIME\tTYPE\tREASON\tUSER\tBY\tADDRESS\tDETAIL\tSEQ", func(line func(...string)) {
		for _, e := range list {
			seq := "-"
			if e.Seq > 0 {
				seq = strconv.FormatInt(e.Seq, 10)
			}
			var detail []string
			for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
				detail = append(detail, printable(k+"="+e.Detail[k]))
			}
			line(e.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"), e.Type, either(e.Reason, "-"), either(e.UserID, "-"), either(e.Actor, "-"),
				either(e.IP, "-"), either(strings.Join(detail, " "), "-"), seq)
		}
	})
}

// moment reads a time of the command line.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: say 2026-01-31, 2026-01-31T12:00:00Z or 24h", s)
}

// auditVerify checks the chain. Its exit code is 1 where there is a break.
func auditVerify(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	head := f.String("head", "", "a `head` that an earlier run has printed: SEQ:HASH")
	return func(ctx context.Context) (int, error) {
		kept, err := parseHead(*head)
		if err != nil {
			return misused, err
		}
		return withAuth(func(ctx context.Context, r *run, auth *core.Auth) (int, error) {
			report, err := auth.Host().VerifyChain(ctx, kept)
			if err != nil {
				return failed, err
			}
			return r.report(report, kept)
		})(r, f)(ctx)
	}
}

func (r *run) report(v *core.ChainReport, kept *core.ChainHead) (int, error) {
	fmt.Fprintf(r.out, "%d events in the chain, of these %d erased; %d not linked yet\n", v.Linked, v.Erased, v.Waiting)
	switch {
	case v.Fault != nil:
		return failed, fmt.Errorf("the chain is broken: %w", v.Fault)
	case v.Last == 0:
		fmt.Fprintln(r.out, "there is no chain yet (audit.chain)")
		return ok, nil
	case kept != nil && v.First > kept.Seq+1:
		fmt.Fprintf(r.out, "note: event %d was deleted by age (audit.retention): its head was not compared\n", kept.Seq)
	}
	fmt.Fprintf(r.out, "the chain is whole\nhead %d:%s\n", v.Last, v.Head)
	return ok, nil
}

func parseHead(s string) (*core.ChainHead, error) {
	if s == "" {
		return nil, nil
	}
	seq, hash, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil || n < 1 || hash == "" {
		return nil, fmt.Errorf("--head: %q is not SEQ:HASH, as an earlier run has printed it", s)
	}
	return &core.ChainHead{Seq: n, Hash: hash}, nil
}
