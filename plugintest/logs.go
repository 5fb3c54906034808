package plugintest

import (
	"bytes"
	"log/slog"
	"sync"
)

// Logs holds everything that was logged, as JSON lines, at every level.
type Logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns what was logged.
func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Logger returns a logger that writes here.
func (l *Logs) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// since returns what was logged behind an offset, and the new offset.
func (l *Logs) since(from int) (string, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf.Bytes()[from:]), l.buf.Len()
}
