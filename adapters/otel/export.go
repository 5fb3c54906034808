package otel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// The exporter is OTLP over HTTP with protobuf
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp). It is written here because the one
// of the OpenTelemetry project brings all of gRPC into the program.

const (
	exportTimeout = 10 * time.Second // of one attempt, as the specification has it
	exportTries   = 4
	firstWait     = time.Second // doubled by each attempt
	maxAnswer     = 64 << 10    // bytes of an answer that are read
)

// client posts spans. It is otlptrace.Client.
type client struct {
	url     string
	headers [][2]string
	http    *http.Client
	wait    time.Duration
}

func newClient(endpoint, headers string) (*client, error) {
	u, err := url.Parse(endpoint)
	switch {
	case endpoint == "":
		return nil, errors.New("otel: no endpoint")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("otel: the endpoint is no http or https URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("otel: the endpoint must be scheme, host, port and path; a key belongs into the headers")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	c := &client{url: u.String(), wait: firstWait, http: &http.Client{Timeout: exportTimeout,
		// A collector that sends its clients elsewhere would send the headers along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, pair := range strings.Split(headers, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if pair == "" {
			continue
		}
		value, err := url.PathUnescape(strings.TrimSpace(value))
		name = strings.TrimSpace(name)
		if !ok || err != nil || name == "" || strings.ContainsAny(name+value, "\r\n\x00") || strings.ContainsAny(name, " :\t") {
			return nil, errors.New("otel: the headers are not of the form name=value,name=value")
		}
		c.headers = append(c.headers, [2]string{name, value})
	}
	return c, nil
}

// Start and Stop are otlptrace.Client's: there is nothing to open or close.
func (c *client) Start(context.Context) error { return nil }
func (c *client) Stop(context.Context) error  { c.http.CloseIdleConnections(); return nil }

// UploadTraces is otlptrace.Client's. What the collector may take later (429, 502, 503,
// 504, no answer) is tried again until ctx ends; everything else is lost.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire this is the collector's ExportTraceServiceRequest.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	wait := c.wait
	for try := 1; ; try++ {
		after, err := c.post(ctx, body)
		if err == nil || after < 0 || try == exportTries {
			return err
		}
		timer := time.NewTimer(max(after, wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		wait *= 2
	}
}

// post sends once. after is when another attempt makes sense, negative for never.
func (c *client) post(ctx context.Context, body []byte) (after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, "POST", c.url, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	for _, h := range c.headers {
		req.Header.Set(h[0], h[1])
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "sallyport")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be used again
	switch res.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		return 0, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		n, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return time.Duration(min(max(n, 0), 30)) * time.Second, fmt.Errorf("the collector answers %d", res.StatusCode)
	}
	return -1, fmt.Errorf("the collector answers %d", res.StatusCode)
}

// reporter tells the log when exports begin to fail and when they work again, once each.
type reporter struct {
	sdktrace.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans is sdktrace.SpanExporter's.
func (r *reporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := r.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !r.failing.Swap(true):
		r.log.Warn("traces cannot be delivered and are dropped", "spans", len(spans), "cause", err.Error())
	case err == nil && r.failing.Swap(false):
		r.log.Info("traces are delivered again")
	}
	return nil // it has been said
}
