// Package authtest is for tests of apps: an Auth on SQLite with fast password hashes, a
// clock that tests move, an outbox, and clients that are signed in, for net/http and for
// Fiber.
//
//	a := authtest.New(t, func(c *core.Config) { c.Plugins = myPlugins(); c.Hooks = myHooks })
//	a.Serve(myapp.Handler(a.Auth))
//	alice := a.SignUp(t, "alice@example.com")
//	res, err := alice.HTTP().Get(a.URL + "/dashboard")
//
// A handler that only asks core.SessionFrom needs no server: Client.Context puts a
// session into a context, as the middleware does.
package authtest
