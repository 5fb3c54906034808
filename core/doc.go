// Package core is the heart of Sallyport: it compiles a list of plugins into one handler
// for /api/auth/*, and it alone makes sessions.
//
// # For apps
//
// [New] takes a [Config] and returns an [Auth]. Package server/nethttp mounts it in any
// net/http router, package server/fiber in a Fiber app. The database comes from package
// adapters/postgres or adapters/sqlite, and package migrations brings it up to date before
// New compares it with what the plugins want.
//
// An app takes part by hooks ([Config.Hooks]), calls endpoints as Go functions
// ([Route.Call]), and learns who is signed in from the middleware of its mount
// ([SessionFrom]). Package authtest is for its tests.
//
// # For plugins
//
// A [Plugin] returns a [Spec]: tables ([TableOf]), endpoints ([NewRoute]), hooks ([Point]),
// error codes ([NewError]), jobs ([NewJob]) and so on. All of it is data, which New checks
// as a whole and reports with every fault at once. At run time a plugin has two things:
// the [Host] that its Init was given, for the life of the Auth, and the [Call] of the
// request at hand. [SPI] is the version of this contract. Package plugintest tests a
// plugin against the rules that hold for all of them; docs/plugins.md is the reference.
//
// # The way of a request
//
// An [Exchange] shows one request to core, whatever the server is. The dispatcher
// (dispatch.go) takes every request the same way: path and method, rate limit, media type
// and syntax, [Authenticate], origin, validation, access level, hooks, handler, and one
// place that writes the answer. [Auth.Serve] is the way in over HTTP, Route.Call from Go.
//
// # What holds
//
//   - One gate. A way to sign in proves who somebody is and asks [Host.SignIn] for a
//     session; hooks of [SignInPoint] refuse or ask for more before there is one (gate.go).
//   - Hooks fail closed: an error or a panic ends the request and undoes the transaction.
//   - What may be used once is taken by one statement; attempts at secrets are reserved
//     before the secret is looked at ([Host.Attempts]).
//   - A failure of the database is 503 and counts towards nobody's lockout (classify.go).
//   - Clock, randomness and the client's address come from the Config: tests move them.
//
// Do not insert rows into the table session, read its cookie by hand, or keep a [Call], or
// what it returned, beyond its request.
package core
