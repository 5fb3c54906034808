package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/adapters/redis"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

const (
	readyEvery   = 5 * time.Second // how long an answer of /readyz is kept
	readyTimeout = 3 * time.Second
	oldJob       = 5 * time.Minute  // a job that is due for longer is a backlog
	longJob      = 30 * time.Minute // so is one that fails for longer; greylisting takes less (RFC 6647 section 5)
)

// health answers /healthz and /readyz.
type health struct {
	auth     *core.Auth
	redis    *redis.Client // nil: nothing is kept there
	stopping *atomic.Bool
	log      *slog.Logger
	now      func() time.Time

	mu      sync.Mutex // held while checking: a flood of probes is one check
	checked time.Time
	last    readiness
}

// readiness is the answer of /readyz. It holds names of checks, tables and columns, no
// text of a driver and no value.
type readiness struct {
	Status string           `json:"status"` // "ready", "degraded" or "not ready"
	Checks map[string]check `json:"checks"`
}

type check struct {
	OK      bool     `json:"ok"`
	Message string   `json:"message,omitempty"`
	Missing []string `json:"missing,omitempty"` // plugin, table and column
	Due     *int64   `json:"due,omitempty"`
	Failed  *int64   `json:"failed,omitempty"`
}

// alive tells that the process answers; it asks nobody.
func (h *health) alive(c *fiber.Ctx) error {
	c.Set("Cache-Control", "no-store")
	return c.JSON(map[string]string{"status": "alive"})
}

// ready tells whether requests should be sent here: 200, or 503 with what is wrong. A
// backlog of jobs is "degraded", with 200: a mail server that is down is no reason to
// take every replica out of service. Nor is a Redis that is: requests go on without it.
func (h *health) ready(c *fiber.Ctx) error {
	c.Set("Cache-Control", "no-store")
	if h.stopping.Load() {
		return c.Status(fiber.StatusServiceUnavailable).JSON(readiness{Status: "not ready",
			Checks: map[string]check{"server": {Message: "is shutting down"}}})
	}
	r := h.check(c.UserContext())
	if r.Status == "not ready" {
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.JSON(r)
}

func (h *health) check(ctx context.Context) readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.now(); h.checked.IsZero() || now.Sub(h.checked) >= readyEvery || now.Before(h.checked) {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		defer cancel()
		before := h.last.Status
		h.last, h.checked = h.run(ctx), now
		if h.last.Status != before && before != "" {
			h.log.Warn("readiness changed", "status", h.last.Status, "before", before)
		}
	}
	return h.last
}

func (h *health) run(ctx context.Context) readiness {
	r := &readiness{Status: "ready", Checks: map[string]check{}}
	if err := h.auth.Ready(ctx); err != nil {
		h.fail(r, "database", check{Message: "does not answer" + kindOf(err)}, err)
	} else {
		r.Checks["database"] = check{OK: true}
		h.schema(ctx, r)
		h.jobs(ctx, r)
	}
	h.mail(r)
	if h.redis != nil {
		c := check{OK: true}
		if state := h.redis.Health(ctx); !state.OK {
			r.degrade(&c, "does not answer: what is kept there falls back as configured")
			h.log.Warn("degraded", "check", "redis", "since", state.Since.UTC().Format(time.RFC3339), "cause", state.Cause.Error())
		}
		r.Checks["redis"] = c
	}
	return *r
}

func (h *health) fail(r *readiness, name string, c check, err error) {
	r.Status, r.Checks[name] = "not ready", c
	h.log.Error("not ready", "check", name, "cause", err.Error())
}

// degrade marks what users do not notice yet.
func (r *readiness) degrade(c *check, text string) {
	c.OK, c.Message = false, text
	if r.Status == "ready" {
		r.Status = "degraded"
	}
}

// kindOf is what may be said of a database's failure without its text.
func kindOf(err error) string {
	var db *storage.Error
	if errors.As(err, &db) && db.Kind != storage.Unknown {
		return ": " + db.Kind.String()
	}
	return ""
}

// schema compares the tables with what the plugins want, and what protects them.
func (h *health) schema(ctx context.Context, r *readiness) {
	want, names, _ := h.auth.Schema()
	live, err := h.auth.Database().Inspect(ctx)
	if err != nil {
		h.fail(r, "schema", check{Message: "cannot be read" + kindOf(err)}, err)
		return
	}
	if missing := schema.Missing(want, names, live); len(missing) > 0 {
		c := check{Message: "the database lacks what plugins need"}
		for _, m := range missing {
			c.Missing = append(c.Missing, m.String())
		}
		h.fail(r, "schema", c, &core.DriftError{Missing: missing})
		return
	}
	if open := schema.Unprotected(want, names, live); len(open) > 0 {
		h.fail(r, "schema", check{Message: "the database does not enforce what plugins count on", Missing: open}, errors.New(strings.Join(open, "; ")))
		return
	}
	r.Checks["schema"] = check{OK: true}
}

func (h *health) jobs(ctx context.Context, r *readiness) {
	b, err := h.auth.Backlog(ctx)
	if err != nil {
		h.fail(r, "jobs", check{Message: "cannot be counted" + kindOf(err)}, err)
		return
	}
	jobs := check{OK: true, Due: &b.Due, Failed: &b.Failed}
	if b.Failed > 0 {
		jobs.Message = "some were given up"
	}
	switch now := h.now(); {
	case !b.Oldest.IsZero() && now.Sub(b.Oldest) > oldJob:
		r.degrade(&jobs, "the oldest is due since "+b.Oldest.UTC().Format(time.RFC3339))
	case !b.Since.IsZero() && now.Sub(b.Since) > longJob:
		r.degrade(&jobs, "the oldest waits since "+b.Since.UTC().Format(time.RFC3339)+", and fails")
	}
	r.Checks["jobs"] = jobs
}

// mail tells whether there is a mailer. One that does not work shows in the jobs.
func (h *health) mail(r *readiness) {
	c := check{OK: h.auth.Host().CanMail()}
	if !c.OK {
		c.Message = "no mailer is configured: addresses cannot be verified and passwords cannot be reset"
	}
	r.Checks["mail"] = c
}
