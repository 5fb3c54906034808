package otel

// NoWait has the tracer try exports again at once.
func NoWait(t *Tracer) { t.client.wait = 0 }
