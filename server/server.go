package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/adapters/otel"
	"github.com/sallyport-auth/sallyport/adapters/redis"
	"github.com/sallyport-auth/sallyport/core"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
	"github.com/sallyport-auth/sallyport/server/pages"
)

// Limits of a connection. The time that a request may take is core's (Config.Timeout).
const (
	readTimeout  = 30 * time.Second // for a whole request to arrive
	writeTimeout = 60 * time.Second
	idleTimeout  = 60 * time.Second
	headerLimit  = 16 << 10 // bytes of request line and headers together
	// bodySlack is how much longer than Config.MaxBody a body may be and still be read
	// to its end, so that core's answer reaches a client that is still sending.
	bodySlack = 64 << 10
)

// Server is the program: an Auth on its database behind a Fiber app.
type Server struct {
	cfg     Config
	auth    *core.Auth
	app     *fiber.App
	log     *slog.Logger
	health  *health
	metrics *metrics      // nil: metrics.listen is not set
	redis   *redis.Client // nil: nothing is kept there
	tracer  *otel.Tracer  // nil: tracing.endpoint is not set
	closeDB func() error

	stopping  atomic.Bool
	forwarded atomic.Bool  // the warning about X-Forwarded-For was given
	inFlight  atomic.Int64 // requests that have begun
	pages     *pages.Pages
	bodyLimit int // in bytes, of what is read from the network

	after func(time.Duration) <-chan time.Time // time.After but for tests
}

// New opens the database, brings it up to date in development or verifies it in
// production, and makes the app. A database that lacks something stops the start with
// the plugin and the name of what it lacks. Call Run, or Close.
func New(ctx context.Context, c Config, entries ...PluginEntry) (*Server, error) {
	return newServer(ctx, c, os.Stdout, os.Stderr, entries)
}

func newServer(ctx context.Context, c Config, console, logs io.Writer, entries []PluginEntry) (*Server, error) {
	c.complete()
	faults := c.check()
	if c.Core.Production { // again: a configuration may be made without Load
		faults = append(faults, c.checkProduction("")...)
	}
	if len(faults) > 0 {
		return nil, &ConfigError{faults}
	}
	log := c.logger(logs)
	c.Core.Logger = log
	if err := c.develop(); err != nil {
		return nil, err
	}
	m, err := OpenMigration(ctx, c, entries...)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: c, log: log, closeDB: m.Close, after: time.After}
	if err := s.start(ctx, m, console, entries); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, m *Migration, console io.Writer, entries []PluginEntry) error {
	if s.cfg.Core.Production {
		if err := m.Verify(ctx); err != nil {
			return fmt.Errorf("%w\nrun: sallyport migrate plan, then: sallyport migrate apply", err)
		}
	} else {
		plan, err := m.Apply(ctx)
		if err != nil {
			return err
		}
		if !plan.Empty() {
			s.log.Info("the database was brought up to date", "statements", len(plan.Statements))
		}
	}
	cfg, err := s.cfg.coreConfig(s.log, console, entries)
	if err != nil {
		return err
	}
	cfg.Database = m.Database
	s.metrics = s.makeMetrics(&cfg)
	if err := s.trace(&cfg); err != nil {
		return err
	}
	if s.auth, s.redis, err = s.cfg.compile(ctx, cfg); err != nil {
		return err
	}
	s.health = &health{auth: s.auth, redis: s.redis, stopping: &s.stopping, log: s.log, now: s.auth.Host().Now}
	err = errors.Join(s.cfg.checkMails(s.auth), s.metrics.watch(s.auth))
	if err == nil && *s.cfg.Pages.Enabled {
		s.pages, err = s.makePages(entries)
	}
	if err != nil {
		return errors.Join(err, s.closeAuth(ctx))
	}
	s.app = s.makeApp()
	s.warn(m)
	return nil
}

// warn tells what production should think about.
func (s *Server) warn(m *Migration) {
	if !s.cfg.Core.Production {
		return
	}
	limits := s.cfg.Core.RateLimit
	switch {
	case limits.Enabled != nil && !*limits.Enabled:
		s.log.Warn("rate limits are off: passwords and codes can be guessed at full speed", "option", "rateLimit.enabled")
	case (limits.Storage == "" || limits.Storage == "memory") && m.Database.Dialect() == "postgres":
		s.log.Warn("rate limits are kept in memory: each of several replicas counts for itself", "option", "rateLimit.storage", "set", "redis or database")
	}
	if s.cfg.Mail.Driver == "none" && s.cfg.Core.Mailer == nil {
		s.log.Warn("there is no mailer: addresses cannot be verified and passwords cannot be reset", "option", "mail.driver")
	}
}

func (s *Server) makeApp() *fiber.App {
	maxBody := s.cfg.Core.MaxBody
	if maxBody <= 0 {
		maxBody = 1 << 20
	}
	s.bodyLimit = maxBody + bodySlack
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, ErrorHandler: s.fail,
		// Streamed, or fasthttp would allocate whatever length a client announces; see receive.
		BodyLimit: s.bodyLimit, StreamRequestBody: true, ReadBufferSize: headerLimit,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		DisablePreParseMultipartForm: true, // core takes no multipart; its files would go to the disk
	})
	app.Server().HeaderReceived = s.headerReceived
	app.Use(s.observe)
	app.Get("/healthz", s.health.alive)
	app.Get("/readyz", s.health.ready)
	authfiber.Mount(app, s.auth)
	if s.cfg.Routes != nil {
		s.cfg.Routes(app, s.auth)
	}
	if s.pages != nil {
		app.Use(s.servePages)
	}
	app.Use(func(*fiber.Ctx) error { return core.ErrNotFound })
	return app
}

// Auth returns the compiled Auth.
func (s *Server) Auth() *core.Auth { return s.auth }

// App returns the Fiber app. Routes that are added to it now come after the 404 of
// unknown paths: use Config.Routes.
func (s *Server) App() *fiber.App { return s.app }

// Run listens on the configured address until ctx ends; see Serve.
func (s *Server) Run(ctx context.Context) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Serve(ctx, ln)
}

// Serve answers requests that arrive at ln until ctx ends, and for Config.ShutdownDelay
// longer, in which readiness says no. Then it takes no new ones, lets requests and jobs that
// have begun finish within Config.ShutdownGrace, and closes everything. It returns nil if all
// of them did.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if err := s.metrics.start(ctx, s.log); err != nil {
		return errors.Join(err, ln.Close(), s.Close())
	}
	s.log.Info("listening", "address", ln.Addr().String(), "url", s.auth.Host().BaseURL(), "production", s.cfg.Core.Production)
	done := make(chan error, 1)
	go func() { done <- s.app.Listener(ln) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		s.stopping.Store(true)
		s.log.Info("stopping", "delay", max(0, s.cfg.ShutdownDelay).String(), "grace", s.cfg.ShutdownGrace.String())
		failed := s.linger(done)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownGrace)
		defer cancel()
		quiet, end := context.WithCancel(grace)
		defer end()
		go s.endWhenQuiet(quiet, end)
		if err = s.app.ShutdownWithContext(quiet); err != nil {
			if n := s.inFlight.Load(); n > 0 {
				err = fmt.Errorf("%d requests were cut off: %w", n, err)
			} else {
				err = nil // connections on which nothing was asked
			}
		}
		// Where Serve had not begun to accept yet, the shut-down found nothing to close.
		_ = ln.Close()
		select {
		case <-done:
		case <-grace.Done():
		}
		err = errors.Join(failed, err, s.auth.Close(grace))
	}
	return errors.Join(err, s.Close())
}

// linger goes on answering until load balancers have seen that readiness says no. Every
// answer ends its connection, so that none is left to break under a request. The error is
// the listener's that failed meanwhile.
func (s *Server) linger(done chan error) error {
	if s.cfg.ShutdownDelay <= 0 {
		return nil
	}
	select {
	case <-s.after(s.cfg.ShutdownDelay):
		return nil
	case err := <-done:
		done <- nil
		return err
	}
}

// endWhenQuiet calls end when no request has been at work for half a second. A connection
// on which nothing is asked must not hold the shut-down up: anybody can open one.
func (s *Server) endWhenQuiet(ctx context.Context, end func()) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for still := 0; still < 10; still++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.inFlight.Load() > 0 {
			still = 0
		}
	}
	end()
}

// Close ends background work and closes the connections to Redis and the database, at once.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return errors.Join(s.metrics.close(), s.closeAuth(ctx), s.endTraces(ctx), s.closeDB())
}

func (s *Server) closeAuth(ctx context.Context) error {
	err := s.auth.Close(ctx)
	closeRedis(s.redis)
	return err
}

// https tells whether browsers reach the server encrypted.
func (s *Server) https() bool { return strings.HasPrefix(s.auth.Host().BaseURL(), "https://") }
