package prometheus

import (
	"context"
	"sync"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport-auth/sallyport/core"
)

// Watch adds what is read at the moment of a collection: the database's pool, the queue of
// passwords, the backlog of jobs. One Metrics watches one Auth: a second is an error.
func (m *Metrics) Watch(auth *core.Auth) error {
	for _, t := range auth.EventTypes() {
		m.events.WithLabelValues(t.Name) // so that the first one is an increase
	}
	return m.registry.Register(&state{auth: auth, now: auth.Host().Now})
}

// readTimeout bounds what a collection asks the database.
const readTimeout = 3 * time.Second

// keep is how long a count of the jobs is good for: a flood of collections is one query.
const keep = 5 * time.Second

// state reads an Auth when it is asked.
type state struct {
	auth *core.Auth
	now  func() time.Time

	mu      sync.Mutex
	read    time.Time
	backlog core.Backlog
	err     error
}

func desc(name, help string, labels ...string) *prom.Desc {
	return prom.NewDesc("sallyport_"+name, help, labels, nil)
}

var (
	connections    = desc("database_connections", "Connections of the pool by state.", "state")
	connectionsMax = desc("database_connections_max", "The most connections that the pool opens; 0: no bound.")
	waits          = desc("database_connection_waits_total", "How often a statement had to wait for a connection.")
	up             = desc("database_up", "1 if the database answered at this collection, 0 if not.")
	hashRunning    = desc("password_hashes_running", "Passwords that are hashed or checked at this moment.")
	hashWaiting    = desc("password_hashes_waiting", "Passwords that wait for their turn.")
	hashTotal      = desc("password_hashes_total", "Passwords that were hashed or checked.")
	hashShed       = desc("password_hashes_shed_total", "Requests that were refused with 503 because the queue was full.")
	jobsWaiting    = desc("jobs_waiting", "Jobs that are neither done nor given up, by name.", "job")
	jobsSince      = desc("jobs_oldest_waiting_seconds", "How long ago the oldest of them was written; 0 without one.", "job")
	jobsDue        = desc("jobs_due", "Jobs that should have begun; the others that wait were put off after a failure.", "job")
	jobsOldest     = desc("jobs_oldest_due_seconds", "For how long the oldest of them has been due; 0 without one.", "job")
	jobsFailed     = desc("jobs_given_up", "Jobs that were given up and wait for the operator.", "job")
	storeCalls     = desc("store_calls_total", "Questions to a store outside of the database (Redis), by what it keeps.", "store")
	storeFailures  = desc("store_failures_total", "Those that got no answer: the configured fallback held.", "store")
	storeHits      = desc("store_hits_total", "Those that saved a question to the database.", "store")
	storeFailing   = desc("store_failing", "1 if the last question got no answer, 0 if it did.", "store")
	cacheLookups   = desc("session_cache_lookups_total", "Sessions that were looked up in the memory of the process.")
	cacheHits      = desc("session_cache_hits_total", "Those that were there: a question to the database less.")
	cacheUnheard   = desc("session_cache_unheard_total", "Look-ups while the channel of changes was silent: the database answered.")
	cacheHears     = desc("session_cache_channel_up", "1 if the process hears of changes, 0 if the database answers meanwhile.")
	cacheEntries   = desc("session_cache_entries", "Sessions in the memory of the process.")
	cacheBytes     = desc("session_cache_bytes", "About how much memory they take.")
)

// Describe is prom.Collector's.
func (s *state) Describe(ch chan<- *prom.Desc) {
	for _, d := range []*prom.Desc{connections, connectionsMax, waits, up, hashRunning, hashWaiting, hashTotal, hashShed, jobsWaiting, jobsSince, jobsDue, jobsOldest, jobsFailed,
		storeCalls, storeFailures, storeHits, storeFailing, cacheLookups, cacheHits, cacheUnheard, cacheHears, cacheEntries, cacheBytes} {
		ch <- d
	}
}

// Collect is prom.Collector's. While the database does not answer, the jobs are left out.
func (s *state) Collect(ch chan<- prom.Metric) {
	gauge := func(d *prom.Desc, v float64, labels ...string) {
		ch <- prom.MustNewConstMetric(d, prom.GaugeValue, v, labels...)
	}
	counter := func(d *prom.Desc, v int64, labels ...string) {
		ch <- prom.MustNewConstMetric(d, prom.CounterValue, float64(v), labels...)
	}
	pool := s.auth.Database().Stats()
	gauge(connections, float64(pool.InUse), "in_use")
	gauge(connections, float64(pool.Open-pool.InUse), "idle")
	gauge(connectionsMax, float64(pool.MaxOpen))
	counter(waits, pool.WaitCount)
	running, waiting, shed := s.auth.Host().PasswordStats()
	gauge(hashRunning, float64(running))
	gauge(hashWaiting, float64(waiting))
	counter(hashTotal, s.auth.Host().PasswordsHashed())
	counter(hashShed, shed)
	stores := s.auth.Host().Stores()
	for name, st := range map[string]core.StoreStats{"limits": stores.Limits, "attempts": stores.Attempts, "sessions": stores.Sessions} {
		if st.Calls == 0 {
			continue // none is configured
		}
		counter(storeCalls, st.Calls, name)
		counter(storeFailures, st.Failures, name)
		failing := 0.0
		if st.Failing {
			failing = 1
		}
		gauge(storeFailing, failing, name)
		if name == "sessions" {
			counter(storeHits, st.Hits, name)
		}
	}
	if c := stores.Cache; c.Calls > 0 {
		counter(cacheLookups, c.Calls)
		counter(cacheHits, c.Hits)
		counter(cacheUnheard, c.Failures)
		up := 1.0
		if c.Failing {
			up = 0
		}
		gauge(cacheHears, up)
		gauge(cacheEntries, float64(stores.CacheEntries))
		gauge(cacheBytes, float64(stores.CacheBytes))
	}
	b, now, err := s.jobs()
	if err != nil {
		gauge(up, 0)
		return
	}
	gauge(up, 1)
	age := func(of time.Time) float64 {
		if of.IsZero() {
			return 0
		}
		return max(0, now.Sub(of)).Seconds()
	}
	for name, j := range b.Jobs {
		gauge(jobsWaiting, float64(j.Waiting), name)
		gauge(jobsSince, age(j.Since), name)
		gauge(jobsDue, float64(j.Due), name)
		gauge(jobsOldest, age(j.Oldest), name)
		gauge(jobsFailed, float64(j.Failed), name)
	}
}

func (s *state) jobs() (core.Backlog, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.read.IsZero() || now.Sub(s.read) >= keep || now.Before(s.read) {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		s.backlog, s.err = s.auth.Backlog(ctx)
		s.read = now
	}
	return s.backlog, now, s.err
}
