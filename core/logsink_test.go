package core_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// logSink is a slog handler that keeps everything, at every level.
type logSink struct {
	mu  sync.Mutex
	buf bytes.Buffer
	sub slog.Handler
	own *logSink
}

func (l *logSink) root() *logSink {
	if l.own != nil {
		return l.own
	}
	return l
}

func (l *logSink) Enabled(context.Context, slog.Level) bool { return true }

func (l *logSink) Handle(ctx context.Context, r slog.Record) error {
	root := l.root()
	root.mu.Lock()
	defer root.mu.Unlock()
	return l.handler().Handle(ctx, r)
}

func (l *logSink) handler() slog.Handler {
	if l.sub == nil {
		l.sub = slog.NewJSONHandler(&l.root().buf, &slog.HandlerOptions{Level: slog.LevelDebug})
	}
	return l.sub
}

func (l *logSink) WithAttrs(a []slog.Attr) slog.Handler {
	root := l.root()
	root.mu.Lock()
	defer root.mu.Unlock()
	return &logSink{sub: l.handler().WithAttrs(a), own: root}
}

func (l *logSink) WithGroup(name string) slog.Handler {
	root := l.root()
	root.mu.Lock()
	defer root.mu.Unlock()
	return &logSink{sub: l.handler().WithGroup(name), own: root}
}

func (l *logSink) text() string {
	root := l.root()
	root.mu.Lock()
	defer root.mu.Unlock()
	return root.buf.String()
}
