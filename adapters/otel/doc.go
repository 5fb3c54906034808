// Package otel traces what core does, for OpenTelemetry.
//
//	tracer, err := otel.New(otel.Options{Endpoint: "http://127.0.0.1:4318"})
//	auth, err := core.New(ctx, core.Config{Observer: tracer, ...})
//	defer tracer.Close(ctx)
//
// The program does that by itself where its config file has tracing.endpoint. An app that
// has a TracerProvider of its own hands it over (Options.Provider).
//
// A request is a span "POST /api/auth/sign-in/email", the child of the span that its
// traceparent header names (W3C Trace Context) or of the one in its context. Below it are
// the trips to the database ("SELECT session"), passwords that are hashed ("password
// verify") and calls from Go. A job is a trace of its own, with the mail that it sends.
// Security events are events of the span. What background work asks the database every few
// seconds makes no spans.
//
// Names and attributes come from sets that are fixed once the program has started, and
// follow the semantic conventions where these have a word: http.request.method, http.route,
// http.response.status_code, error.type, db.system.name, db.operation.name,
// db.collection.name. The rest: sallyport.code, sallyport.class, sallyport.request_id. No
// path, address, user, token or text of a statement's values is in a span.
package otel
