// Package plugintest is what a plugin is tested with: a whole Auth on a real database
// with a clock that tests move, an outbox, clients with cookies, and Check, which holds
// any plugin to the rules that all of them share.
//
//	func TestNotes(t *testing.T) {
//		h := plugintest.New(t, plugintest.Options{Plugins: []core.Plugin{notes.New()}})
//		alice := h.SignUp("alice@example.com")
//		alice.Post("/notes/create", plugintest.M{"text": "hello"}).Want(200)
//	}
//
//	func TestRules(t *testing.T) {
//		plugintest.Check(t, func() core.Plugin { return notes.New() }, plugintest.Options{Journey: journey})
//	}
//
// Nothing runs in the background: jobs are done when the test asks (RunJobs, Mail), so
// nothing has to be waited for. Requests go through core.Serve without a network, in
// memory that is overwritten afterwards, as Fiber's is.
package plugintest
