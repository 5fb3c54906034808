package cli_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/server"
)

// errand is a job that fails until it is told otherwise.
var errand = core.NewJob[string]("errand")

type errands struct{ fails bool }

func (e *errands) Spec() core.Spec {
	return core.Spec{ID: "errands", Jobs: []core.JobHandler{errand.Handle(func(context.Context, string) error {
		if e.fails {
			return errors.New("the far end said \x1b[31mno")
		}
		return nil
	})}}
}

func TestOutbox(t *testing.T) {
	for name, database := range map[string]string{"sqlite": "SALLYPORT_DATABASE_PATH=" + filepath.Join(t.TempDir(), "x.db"),
		"postgres": "SALLYPORT_DATABASE_URL=" + adaptertest.PostgresURL(t)} {
		t.Run(name, func(t *testing.T) {
			fails := true
			o := openOffice(t, database, "email-password")
			o.p.Plugins = append(o.p.Plugins, server.Entry("errands", func(struct{}) core.Plugin { return &errands{fails} }))
			o.env[4] = "SALLYPORT_PLUGINS=email-password,errands"
			o.run(0, "ID", "outbox", "list")
			var id string
			o.with(func(auth *core.Auth) {
				for range 2 {
					if err := errand.Enqueue(t.Context(), auth.Host(), nil, "a secret"); err != nil {
						t.Fatal(err)
					}
				}
				if n, err := auth.RunJobs(t.Context()); n != 2 || err != nil {
					t.Fatal(n, err)
				}
				list, err := auth.Host().Jobs(t.Context(), core.JobQuery{})
				if err != nil || len(list) != 2 || list[0].Attempts != 1 || !list[0].RunAt.After(time.Now()) {
					t.Fatalf("%+v, %v", list, err)
				}
				id = list[0].ID
				if _, err := auth.Host().DB().Exec(t.Context(), "UPDATE {job=} SET {job:failedAt} = {job.createdAt} WHERE {job.id} = ?", id); err != nil {
					t.Fatal(err)
				}
				// The other one does not come due before the end, however slow the machine.
				if _, err := auth.Host().DB().Exec(t.Context(), "UPDATE {job=} SET {job:runAt} = ? WHERE {job.id} <> ?", time.Now().Add(time.Hour), id); err != nil {
					t.Fatal(err)
				}
			})
			out := o.run(0, "given up", "outbox", "list", "--failed")
			if strings.Count(out, "errand") != 1 || strings.Contains(out, "secret") || strings.Contains(out, "\x1b") || !strings.Contains(out, "the far end said") {
				t.Errorf("%s", out)
			}
			o.run(0, "due", "outbox", "list", "--name", "errand", "--limit", "9")
			for _, verb := range []string{"retry", "purge"} {
				o.run(64, "say which jobs", "outbox", verb)
				o.run(64, "say which jobs", "outbox", verb, "--all", "--failed")
				o.run(1, "no job has the id", "outbox", verb, "--id", "nobody")
				o.run(0, "0 ", "outbox", verb, "--name", "mail")
			}
			o.run(0, "1 to be tried again", "outbox", "retry", "--failed")
			fails = false
			o.with(func(auth *core.Auth) {
				if n, err := auth.RunJobs(t.Context()); n != 1 || err != nil {
					t.Errorf("%d jobs, %v", n, err)
				}
			})
			o.run(0, "1 deleted undone", "outbox", "purge", "--all")
			o.with(func(auth *core.Auth) { // one that is over
				if err := errand.EnqueueUntil(t.Context(), auth.Host(), nil, "a secret", time.Now().Add(-time.Minute)); err != nil {
					t.Fatal(err)
				}
				if n, err := auth.RunJobs(t.Context()); n != 1 || err != nil {
					t.Errorf("%d jobs, %v", n, err)
				}
				list, _ := auth.Host().Jobs(t.Context(), core.JobQuery{})
				id = list[0].ID
			})
			o.run(0, "expired 20", "outbox", "list", "--failed")
			o.run(0, "0 to be tried again at once; 1 left alone, since they have expired", "outbox", "retry", "--all")
			o.run(1, "has expired", "outbox", "retry", "--id", id)
			o.run(0, "1 deleted undone", "outbox", "purge", "--id", id)
			if out := o.run(0, "ID", "outbox", "list"); strings.Contains(out, "errand") {
				t.Errorf("%s", out)
			}
		})
	}
}

// A job that a worker has is neither tried a second time beside it nor deleted under it.
func TestOutboxLeavesRunningJobs(t *testing.T) {
	o := openOffice(t, "SALLYPORT_DATABASE_PATH="+filepath.Join(t.TempDir(), "x.db"), "email-password")
	o.p.Plugins = append(o.p.Plugins, server.Entry("errands", func(struct{}) core.Plugin { return &errands{} }))
	o.env[4] = "SALLYPORT_PLUGINS=email-password,errands"
	o.with(func(auth *core.Auth) {
		if err := errand.Enqueue(t.Context(), auth.Host(), nil, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.Host().DB().Exec(t.Context(), "UPDATE {job=} SET {job:leaseUntil} = ?", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
	o.run(0, "running", "outbox", "list")
	o.run(0, "0 to be tried", "outbox", "retry", "--all")
	o.run(0, "0 deleted", "outbox", "purge", "--all")
}
