package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"

	"github.com/sallyport-auth/sallyport/core"
)

// outboxList prints the jobs that wait or were given up: mails, mostly.
func outboxList(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	name := f.String("name", "", "of this `kind` alone, for instance mail")
	failures := f.Bool("failed", false, "those alone that were given up")
	limit := f.Int("limit", 100, "at most so many `jobs`, the oldest first")
	return func(ctx context.Context) (int, error) {
		if *limit < 1 {
			return misused, fmt.Errorf("--limit: %d is less than 1", *limit)
		}
		return withAuth(func(ctx context.Context, r *run, auth *core.Auth) (int, error) {
			list, err := auth.Host().Jobs(ctx, core.JobQuery{Name: *name, Failed: *failures, Limit: *limit})
			if err != nil {
				return failed, err
			}
			err = r.table("ID\tJOB\tCREATED\tSTATE\tATTEMPTS\tLAST ERROR", func(line func(...string)) {
				for _, j := range list {
					line(j.ID, j.Name, stamp(j.CreatedAt), jobState(&j), strconv.Itoa(j.Attempts), printable(j.LastError))
				}
			})
			if err != nil {
				return failed, err
			}
			return ok, nil
		})(r, f)(ctx)
	}
}

func jobState(j *core.JobInfo) string {
	switch {
	case j.Expired && !j.FailedAt.IsZero():
		return "expired " + stamp(j.ExpiresAt)
	case !j.FailedAt.IsZero():
		return "given up " + stamp(j.FailedAt)
	case j.Running:
		return "running"
	}
	return "due " + stamp(j.RunAt)
}

// onJobs declares the flags that say which jobs are meant, and runs do with them. None of
// them is no wish for all.
func onJobs(do func(context.Context, *core.Host, core.JobQuery) (n int64, note string, err error), done string) func(*run, *flag.FlagSet) func(context.Context) (int, error) {
	return func(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
		id := f.String("id", "", "the job of this `id`")
		name := f.String("name", "", "jobs of this `kind`, for instance mail")
		failures := f.Bool("failed", false, "jobs that were given up")
		all := f.Bool("all", false, "all jobs")
		return func(ctx context.Context) (int, error) {
			q := core.JobQuery{ID: *id, Name: *name, Failed: *failures}
			if (q == core.JobQuery{}) != *all {
				return misused, errors.New("say which jobs: --id, --name, --failed, or --all for every one")
			}
			return withAuth(func(ctx context.Context, r *run, auth *core.Auth) (int, error) {
				n, note, err := do(ctx, auth.Host(), q)
				if err != nil {
					return failed, err
				}
				if n == 0 && q.ID != "" {
					if j, err := jobOf(ctx, auth.Host(), q.ID); err != nil {
						return failed, err
					} else if j != nil && j.Expired {
						return failed, fmt.Errorf("the job %q has expired: what it carried is not sent any more, and has to be asked for anew", q.ID)
					}
					return failed, fmt.Errorf("no job has the id %q, or it is running", q.ID)
				}
				fmt.Fprintf(r.out, "%d %s%s\n", n, done, note)
				return ok, nil
			})(r, f)(ctx)
		}
	}
}

// jobOf is the job of an id; nil if there is none.
func jobOf(ctx context.Context, h *core.Host, id string) (*core.JobInfo, error) {
	list, err := h.Jobs(ctx, core.JobQuery{ID: id})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

var (
	outboxRetry = onJobs(func(ctx context.Context, h *core.Host, q core.JobQuery) (int64, string, error) {
		n, err := h.RetryJobs(ctx, q)
		if err != nil {
			return n, "", err
		}
		q.Expired = true
		late, err := h.Jobs(ctx, q)
		if err != nil || len(late) == 0 {
			return n, "", err
		}
		return n, fmt.Sprintf("; %d left alone, since they have expired", len(late)), nil
	}, "to be tried again at once")
	outboxPurge = onJobs(func(ctx context.Context, h *core.Host, q core.JobQuery) (int64, string, error) {
		n, err := h.PurgeJobs(ctx, q)
		return n, "", err
	}, "deleted undone")
)
