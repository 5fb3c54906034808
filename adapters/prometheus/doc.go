// Package prometheus counts and times what core does, for Prometheus to collect.
//
//	metrics := prometheus.New(prometheus.Options{})
//	auth, err := core.New(ctx, core.Config{Observer: metrics, ...})
//	metrics.Watch(auth)
//	go http.ListenAndServe("127.0.0.1:9464", metrics.Handler())
//
// The program does that by itself where its config file has metrics.listen.
//
// Every label comes from a set that is fixed once the program has started: endpoints by
// their patterns, registered codes, the 19 classes, declared events, jobs and templates.
// None grows with users, and none holds what a client sent. Metrics still tell how many
// people sign in and when: serve them where only those may look who run the server.
//
// The registry is of its own. What else an app measures may be added to it (Registry), or
// Metrics may be registered elsewhere: it is a Collector.
package prometheus
