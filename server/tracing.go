package server

import (
	"context"
	"fmt"

	"github.com/sallyport-auth/sallyport/adapters/otel"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// trace has core observed where traces are wanted.
func (s *Server) trace(cfg *core.Config) (err error) {
	o := s.cfg.Tracing.Options
	if o.Endpoint == "" {
		return nil
	}
	o.Version, o.Logger, o.System = s.version(), s.log, "postgresql"
	if cfg.Database.Dialect() == storage.SQLite {
		o.System = "sqlite"
	}
	if s.tracer, err = otel.New(o); err != nil {
		return fmt.Errorf("tracing: %w", err)
	}
	cfg.Observer = contract.Observers(cfg.Observer, s.tracer)
	return nil
}

// endTraces delivers the spans that wait. That they cannot be is in the log, and no
// failure of the program's.
func (s *Server) endTraces(ctx context.Context) error {
	if s.tracer == nil {
		return nil
	}
	_ = s.tracer.Close(ctx)
	return nil
}
