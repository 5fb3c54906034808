package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/prometheus"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// metrics are served on an address of their own, never on that of the users.
type metrics struct {
	*prometheus.Metrics
	listen string
	server *http.Server
	addr   net.Addr // once it listens
}

// makeMetrics has core observed where metrics are wanted. Every method of a nil metrics
// does nothing.
func (s *Server) makeMetrics(cfg *core.Config) *metrics {
	if s.cfg.Metrics.Listen == "" {
		return nil
	}
	m := &metrics{Metrics: prometheus.New(prometheus.Options{Version: s.version()}), listen: s.cfg.Metrics.Listen}
	cfg.Observer = contract.Observers(cfg.Observer, m.Metrics)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerLimit, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	return m
}

// version is that of the program, as the command line or the toolchain knows it.
func (s *Server) version() string {
	if s.cfg.Version != "" {
		return s.cfg.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func (m *metrics) watch(auth *core.Auth) error {
	if m == nil {
		return nil
	}
	return m.Watch(auth)
}

// start listens. An address that cannot be had stops the program: who configured it counts
// on being told when something is wrong.
func (m *metrics) start(ctx context.Context, log *slog.Logger) error {
	if m == nil {
		return nil
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", m.listen)
	if err != nil {
		return fmt.Errorf("metrics.listen: %w", err)
	}
	m.addr = ln.Addr()
	log.Info("metrics are served", "address", m.addr.String())
	go func() { _ = m.server.Serve(ln) }() // ends with close
	return nil
}

func (m *metrics) close() error {
	if m == nil {
		return nil
	}
	return m.server.Close()
}
