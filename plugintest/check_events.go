package plugintest

import (
	"context"
	"encoding/json"
	"strings"
)

// undeclared is how core's log speaks of an event that it did not record.
const undeclared = "is declared by no plugin"

// checkEvents looks into the table of security events after the journey: every type has
// been declared, and no row holds a secret that passed by.
func checkEvents(c *checker) {
	h := c.harness(SQLite)
	secrets := map[string]string{} // value to what it is
	c.walk(h, func(client *Client, _ *Request) { note(client, secrets) }, func(client *Client, r *Request, _ *Answer) {
		raw, _ := json.Marshal(r.Body) //nolint:errcheck // it was sent as JSON before
		var body any
		_ = json.Unmarshal(raw, &body) // a form or broken text has no members
		gather(body, secrets)
		note(client, secrets)
	})
	h.RunJobs()
	for _, m := range h.Outbox.All() {
		add(secrets, m.Token, "a mailed token")
		add(secrets, m.OTP, "a mailed code")
	}
	for name, v := range h.hidden() {
		if !strings.HasPrefix(name, "securityEvent") {
			add(secrets, v, "the hidden column "+name)
		}
	}
	if err := h.Auth.FlushEvents(context.Background()); err != nil {
		c.t.Fatalf("plugintest: security events: %v", err)
	}
	if text := h.Logs.String(); strings.Contains(text, undeclared) {
		c.fault("a security event was recorded whose type is not declared (Spec.Events): %s", lineWith(text, undeclared))
	}
	known := map[string]bool{}
	for _, t := range h.Auth.EventTypes() {
		known[t.Name] = true
	}
	for _, row := range h.Rows("securityEvent") {
		if !known[row["type"]] {
			c.fault("a security event has the type %s, which nobody declared (Spec.Events)", row["type"])
		}
		for column, text := range row {
			for v, what := range secrets {
				if contains(text, v) {
					c.fault("the security event %s holds %s in %s", row["type"], what, column)
				}
			}
		}
	}
}
