// Package server is the standalone program without its command line: a config file and
// environment variables, a database, a mailer, plugins by their id, a Fiber app with
// health routes, request ids, logs and the built-in pages, and a shutdown that finishes
// what has begun.
//
// An app that has a server of its own does not need it: server/fiber and server/nethttp
// mount an Auth in any app.
//
//	cfg, err := server.Load(server.Source{File: "sallyport.yaml", Env: os.Environ()}, entries...)
//	s, err := server.New(ctx, cfg, entries...)
//	err = s.Run(ctx)
//
// Options come from four places; the first that sets one wins:
//
//  1. environment variables SALLYPORT_..., one for every option that is no list of objects
//  2. the config file
//  3. variables that other programs use too (BETTER_AUTH_SECRET, DATABASE_URL, PORT, ...)
//  4. defaults, among them those of development (see Load)
package server

//go:generate go run ./internal/optdoc/gen -root .. -o comments.json
//go:generate sh -c "go run ../cmd/sallyport config docs > ../docs/configuration.md.new && mv ../docs/configuration.md.new ../docs/configuration.md"
