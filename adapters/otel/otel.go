package otel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Options are the settings of a Tracer. What OpenTelemetry has variables for besides is
// taken from the environment of the process: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
// OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG (default: every trace, or what the
// caller's traceparent says), OTEL_BSP_* and OTEL_SPAN_*.
type Options struct {
	// Endpoint is the URL of a collector that takes OTLP over HTTP, such as
	// http://127.0.0.1:4318. Without a path, spans are posted to /v1/traces. Default: none,
	// nothing is traced, as where OTEL_SDK_DISABLED is true or OTEL_TRACES_EXPORTER none.
	Endpoint string `yaml:"endpoint"`
	// Headers are sent with every export, "name=value,name=value" with percent-encoded
	// values: a collector's key, for instance.
	Headers string `yaml:"headers"`

	// ServiceName is what the spans say that they come from, unless OTEL_SERVICE_NAME does.
	// Default "sallyport".
	ServiceName string `yaml:"-"`
	// Version of the program. Default: none.
	Version string `yaml:"-"`
	// System is the database's name in the conventions, "postgresql" or "sqlite". Default:
	// none.
	System string `yaml:"-"`
	// Logger hears of exports that fail. Default slog.Default().
	Logger *slog.Logger `yaml:"-"`
	// Provider makes the spans in the place of an exporter of our own: that of the app, which
	// shuts it down itself. Endpoint, Headers, ServiceName and Version are its business then.
	Provider trace.TracerProvider `yaml:"-"`
}

// Check finds what is wrong with Endpoint and Headers. Its error quotes neither.
func (o Options) Check() error {
	_, err := newClient(o.Endpoint, o.Headers)
	return err
}

// Tracer is a contract.Observer that makes spans. It is safe for use by many goroutines.
type Tracer struct {
	tracer trace.Tracer
	own    *sdktrace.TracerProvider // nil: the app's
	client *client                  // of own
	system string
	parent propagation.TraceContext
}

var _ contract.Observer = (*Tracer)(nil)

// New makes a Tracer. It fails on an endpoint or headers that make no sense, and does not
// connect: spans that cannot be delivered are dropped, with a line in the log.
func New(o Options) (*Tracer, error) {
	t := &Tracer{system: o.System}
	provider := o.Provider
	if provider == nil {
		var err error
		if t.client, err = newClient(o.Endpoint, o.Headers); err != nil {
			return nil, err
		}
		if o.Logger == nil {
			o.Logger = slog.Default()
		}
		if t.own, err = newProvider(o, t.client); err != nil {
			return nil, err
		}
		provider = t.own
	}
	t.tracer = provider.Tracer("github.com/sallyport-auth/sallyport", trace.WithInstrumentationVersion(o.Version))
	return t, nil
}

func newProvider(o Options, c *client) (*sdktrace.TracerProvider, error) {
	name := o.ServiceName
	if name == "" {
		name = "sallyport"
	}
	attrs := []attribute.KeyValue{attribute.String("service.name", name)}
	if o.Version != "" {
		attrs = append(attrs, attribute.String("service.version", o.Version))
	}
	// What comes later wins: the environment.
	res, err := resource.New(context.Background(), resource.WithAttributes(attrs...), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("otel: %w", err)
	}
	// Unstarted: there is nothing to start, see client.
	exporter := &reporter{SpanExporter: otlptrace.NewUnstarted(c), log: o.Logger}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res)), nil
}

// Close delivers what waits, until ctx ends, and stops. An app's provider is left alone.
func (t *Tracer) Close(ctx context.Context) error {
	if t.own == nil {
		return nil
	}
	return errors.Join(t.own.Shutdown(ctx), t.client.Stop(ctx))
}

// headers shows a request's headers to the propagator. Values are copied: they are the
// server's memory.
type headers struct{ contract.Headers }

func (h headers) Get(key string) string { return strings.Clone(h.Header(key)) }
func (headers) Set(string, string)      {}
func (headers) Keys() []string          { return nil }

// Begin is contract.Observer's.
func (t *Tracer) Begin(ctx context.Context, w contract.Work) context.Context {
	kind, name := trace.SpanKindInternal, w.Name
	var attrs []attribute.KeyValue
	switch w.Kind {
	case contract.WorkRequest:
		if !trace.SpanContextFromContext(ctx).IsValid() { // else the app's own middleware was first
			ctx = t.parent.Extract(ctx, headers{w.Request})
		}
		kind, name, attrs = trace.SpanKindServer, route(w), requestAttrs(w)
		if id := w.Request.Header("X-Request-Id"); sane(id) {
			attrs = append(attrs, attribute.String("sallyport.request_id", strings.Clone(id)))
		}
	case contract.WorkCall:
		name, attrs = "call "+route(w), requestAttrs(w)
	case contract.WorkJob:
		kind, name = trace.SpanKindConsumer, "job "+w.Name
	case contract.WorkMail, contract.WorkHash, contract.WorkStatement:
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return ctx // background work
		}
		kind, name, attrs = t.step(w)
	}
	ctx, _ = t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
	return context.WithValue(ctx, begun{}, w.Kind)
}

// begun marks a context whose span is of the work itself, and not of what it is part of.
type begun struct{}

// step describes a part of a request or job.
func (t *Tracer) step(w contract.Work) (trace.SpanKind, string, []attribute.KeyValue) {
	switch w.Kind {
	case contract.WorkMail:
		return trace.SpanKindClient, "mail " + w.Name, nil
	case contract.WorkHash:
		return trace.SpanKindInternal, "password " + w.Name, nil
	}
	verb, table, _ := strings.Cut(w.Name, " ")
	attrs := []attribute.KeyValue{attribute.String("db.operation.name", verb)}
	if table != "" {
		attrs = append(attrs, attribute.String("db.collection.name", table))
	}
	if t.system != "" {
		attrs = append(attrs, attribute.String("db.system.name", t.system))
	}
	return trace.SpanKindClient, w.Name, attrs
}

func route(w contract.Work) string {
	if w.Name == "" {
		return w.Method
	}
	return w.Method + " " + w.Name
}

func requestAttrs(w contract.Work) []attribute.KeyValue {
	method := w.Method
	if method == "other" {
		method = "_OTHER" // the conventions' word
	}
	attrs := append(make([]attribute.KeyValue, 0, 3), attribute.String("http.request.method", method))
	if w.Name != "" {
		attrs = append(attrs, attribute.String("http.route", w.Name))
	}
	return attrs
}

// sane tells whether a request's id is one: of a few characters that say nothing of a
// person. The program makes sure of that itself; an app's server may not.
func sane(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

// End is contract.Observer's.
func (t *Tracer) End(ctx context.Context, w contract.Work, o contract.Outcome) {
	if kind, ok := ctx.Value(begun{}).(contract.WorkKind); !ok || kind != w.Kind {
		return
	}
	span := trace.SpanFromContext(ctx)
	if span.IsRecording() {
		if o.Status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", o.Status))
		}
		if o.Class != "" {
			span.SetAttributes(attribute.String("sallyport.code", o.Code), attribute.String("sallyport.class", o.Class))
		}
		if o.Canceled {
			span.SetAttributes(attribute.Bool("sallyport.canceled", true))
		}
		if o.Failed {
			span.SetAttributes(attribute.String("error.type", o.Code))
			span.SetStatus(codes.Error, o.Class)
		}
	}
	span.End()
}

// Event is contract.Observer's.
func (t *Tracer) Event(ctx context.Context, name string) {
	trace.SpanFromContext(ctx).AddEvent(name)
}
