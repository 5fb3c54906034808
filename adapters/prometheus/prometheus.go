package prometheus

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
)

// Options are the settings of Metrics.
type Options struct {
	// Version of the program, for sallyport_build_info. Default "unknown".
	Version string
	// Buckets are the upper bounds of the histograms in seconds, in ascending order.
	// Default: 1 ms to 10 s in 13 steps.
	Buckets []float64
}

// Metrics is a contract.Observer that counts. It is safe for use by many goroutines.
type Metrics struct {
	registry *prom.Registry

	inFlight   *prom.GaugeVec
	requests   *prom.CounterVec
	durations  *prom.HistogramVec
	canceled   *prom.CounterVec
	events     *prom.CounterVec
	hashes     *prom.HistogramVec
	statements *prom.HistogramVec
	failures   *prom.CounterVec
	jobs       *prom.HistogramVec
	mails      *prom.CounterVec

	status [600]string // texts of statuses, so that a request makes none
}

var (
	_ contract.Observer = (*Metrics)(nil)
	_ prom.Collector    = (*Metrics)(nil)
)

// New makes metrics in a registry of their own, with those of the Go runtime and the
// process. Watch adds what can only be read from an Auth.
func New(o Options) *Metrics {
	if o.Version == "" {
		o.Version = "unknown"
	}
	if o.Buckets == nil {
		o.Buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	}
	counter := func(name, help string, labels ...string) *prom.CounterVec {
		return prom.NewCounterVec(prom.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prom.HistogramVec {
		return prom.NewHistogramVec(prom.HistogramOpts{Name: name, Help: help, Buckets: o.Buckets}, labels)
	}
	m := &Metrics{
		registry: prom.NewRegistry(),
		inFlight: prom.NewGaugeVec(prom.GaugeOpts{Name: "sallyport_requests_in_flight", Help: "Requests and calls from Go that have begun and not ended."}, []string{"via"}),
		requests: counter("sallyport_requests_total", "Requests (via http) and calls from Go (via go) by endpoint and outcome; code and class are empty where all went well.",
			"via", "method", "endpoint", "status", "code", "class"),
		durations:  histogram("sallyport_request_duration_seconds", "How long requests and calls took.", "via", "method", "endpoint"),
		canceled:   counter("sallyport_requests_canceled_total", "Requests and calls whose caller was gone before the answer.", "via"),
		events:     counter("sallyport_security_events_total", "Security events that were recorded, by type.", "type"),
		hashes:     histogram("sallyport_password_hash_duration_seconds", "How long hashing or checking a password took, waiting in the queue included.", "step"),
		statements: histogram("sallyport_database_statement_duration_seconds", "How long trips to the database took, waiting for a connection included.", "verb"),
		failures:   counter("sallyport_database_failures_total", "Statements that failed, by the kind of the failure.", "kind"),
		jobs:       histogram("sallyport_job_duration_seconds", "How long attempts at jobs took.", "job", "result"),
		mails:      counter("sallyport_mails_total", "Messages handed to the mailer, by template.", "template", "result"),
	}
	for i := range m.status {
		m.status[i] = strconv.Itoa(i)
	}
	info := prom.NewGauge(prom.GaugeOpts{Name: "sallyport_build_info", Help: "Always 1; the labels say what is running.",
		ConstLabels: prom.Labels{"version": o.Version, "goversion": runtime.Version(), "plugin_contract": strconv.Itoa(core.SPI)}})
	info.Set(1)
	m.registry.MustRegister(m, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Registry returns the registry, for an app's own collectors.
func (m *Metrics) Registry() *prom.Registry { return m.registry }

// Handler answers with the metrics. One that cannot be collected is left out, and the
// others are answered. It asks for no password: bind it to an address of its own.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
}

// all are the metrics that observing fills.
func (m *Metrics) all() []prom.Collector {
	return []prom.Collector{m.inFlight, m.requests, m.durations, m.canceled, m.events, m.hashes, m.statements, m.failures, m.jobs, m.mails}
}

// Describe is prom.Collector's.
func (m *Metrics) Describe(ch chan<- *prom.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect is prom.Collector's.
func (m *Metrics) Collect(ch chan<- prom.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}

// Begin is contract.Observer's.
func (m *Metrics) Begin(ctx context.Context, w contract.Work) context.Context {
	if v := via(w.Kind); v != "" {
		m.inFlight.WithLabelValues(v).Inc()
	}
	return ctx
}

// via is how an endpoint was called; empty for other work.
func via(k contract.WorkKind) string {
	switch k {
	case contract.WorkRequest:
		return "http"
	case contract.WorkCall:
		return "go"
	}
	return ""
}

// End is contract.Observer's.
func (m *Metrics) End(_ context.Context, w contract.Work, o contract.Outcome) {
	took := o.Duration.Seconds()
	switch w.Kind {
	case contract.WorkRequest, contract.WorkCall:
		m.request(via(w.Kind), w, o, took)
	case contract.WorkHash:
		m.hashes.WithLabelValues(w.Name).Observe(took)
	case contract.WorkStatement:
		verb, _, _ := strings.Cut(w.Name, " ")
		m.statements.WithLabelValues(verb).Observe(took)
		if o.Code != "" {
			m.failures.WithLabelValues(o.Code).Inc()
		}
	case contract.WorkJob:
		m.jobs.WithLabelValues(w.Name, result(o)).Observe(took)
	case contract.WorkMail:
		m.mails.WithLabelValues(w.Name, result(o)).Inc()
	}
}

func (m *Metrics) request(via string, w contract.Work, o contract.Outcome, took float64) {
	m.inFlight.WithLabelValues(via).Dec()
	name := w.Name
	if name == "" {
		name = "unmatched"
	}
	status := ""
	if o.Status > 0 && o.Status < len(m.status) {
		status = m.status[o.Status]
	}
	m.requests.WithLabelValues(via, w.Method, name, status, o.Code, o.Class).Inc()
	m.durations.WithLabelValues(via, w.Method, name).Observe(took)
	if o.Canceled {
		m.canceled.WithLabelValues(via).Inc()
	}
}

func result(o contract.Outcome) string {
	if o.Code != "" {
		return "failed"
	}
	return "ok"
}

// Event is contract.Observer's.
func (m *Metrics) Event(_ context.Context, name string) { m.events.WithLabelValues(name).Inc() }
