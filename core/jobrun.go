package core

import "context"

// RunJobs does the jobs that are due now, one after the other in the caller's goroutine,
// and says how many it tried. A job that fails is put off (see Job), so the loop ends. It
// is for programs without background work (Config.NoBackground): commands, and tests,
// which need not wait for a worker.
func (a *Auth) RunJobs(ctx context.Context) (int, error) {
	for n := 0; ; n++ {
		worked, err := a.h.jobs.runOne(ctx)
		if err != nil || !worked {
			return n, err
		}
	}
}
