package plugintest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/migrations"
)

func jsonInto(raw []byte, dst any) error { return json.Unmarshal(raw, dst) }

func checkSchema(c *checker) {
	for _, e := range c.engines() {
		h, err := c.start(e)
		if err != nil {
			c.fault("%s: %v", e, err)
			continue
		}
		ctx := context.Background()
		want, names, steps := h.Auth.Schema()
		plan, err := migrations.Read(ctx, h.Config.Database, want, names, steps)
		if err != nil {
			c.fault("%s: reading the plan: %v", e, err)
			continue
		}
		if !plan.Empty() {
			c.fault("%s: after all migrations ran there is still something to do:\n%s", e, plan)
		}
		for _, f := range plan.Faults {
			c.fault("%s: %s", e, f)
		}
		if err := migrations.Verify(ctx, h.Config.Database, want, names, steps); err != nil {
			c.fault("%s: %v", e, err)
		}
	}
}

func checkJourney(c *checker) {
	for _, e := range c.engines() {
		h := c.harness(e)
		done := map[string]bool{}
		c.walk(h, nil, func(_ *Client, r *Request, a *Answer) {
			if i := h.own(r); i != nil && !refused(a) {
				done[i.Path] = true
			}
			c.inspect(h, r, a)
		})
		for _, i := range h.Auth.Routes() {
			if owned(i) && i.Access != core.ServerOnly.String() && !done[i.Path] && !slices.Contains(h.Config.DisabledPaths, h.below(&i)) {
				c.fault("%s: the journey has no success at %v %s", e, i.Methods, h.below(&i))
			}
		}
	}
}

func checkTransactions(c *checker) {
	for _, e := range c.engines() {
		h := c.harness(e)
		old := http.DefaultTransport
		http.DefaultTransport = spy{old, h.db}
		c.walk(h, nil, func(_ *Client, r *Request, a *Answer) {
			for _, f := range h.db.take() {
				c.fault("%s: %s %s: %s", e, r.Method, r.Path, f)
			}
			// Core refuses the pool and hashing where the context says that there is a
			// transaction, and a plugin may swallow that.
			if a.Status >= 500 {
				c.fault("%s: %s %s answers %d: %s", e, r.Method, r.Path, a.Status, lastLine(h.Logs.String()))
			}
		})
		if h.RunJobs(); c.o.Journey != nil {
			for _, f := range h.db.take() {
				c.fault("%s: in a job: %s", e, f)
			}
		}
		http.DefaultTransport = old
	}
}

// spy notes requests to the network while a transaction is open.
type spy struct {
	http.RoundTripper
	db *database
}

func (s spy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.db.inTx("the network was used (" + r.Method + " " + r.URL.Host + ")")
	return s.RoundTripper.RoundTrip(r)
}
