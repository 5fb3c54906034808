package webhooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/sallyport-auth/sallyport/core"
)

var (
	errTestUsage  = errors.New("usage: sallyport webhooks test [URL]")
	errNoEndpoint = errors.New("the configuration has no endpoint with this URL")
	errTestFailed = errors.New("not every receiver took the event")
)

// testCommand is "sallyport webhooks test": it sends one event at once, and is no job.
func (p *Plugin) testCommand(ctx context.Context, _ *core.Host, args []string, out io.Writer) error {
	list := p.endpoints
	switch len(args) {
	case 0:
	case 1:
		e := p.endpointOf(args[0])
		if e == nil {
			return errNoEndpoint
		}
		list = []*endpoint{e}
	default:
		return errTestUsage
	}
	var failed error
	for _, e := range list {
		d, err := p.newParcel(typeTest, struct{}{})
		if err != nil {
			return err
		}
		answer := ""
		status, _, err := p.send(ctx, e, d)
		switch {
		case err != nil:
			answer, failed = reason(err), errTestFailed
		case status < 200 || status > 299:
			answer, failed = fmt.Sprintf("failure: answered %d %s", status, http.StatusText(status)), errTestFailed
		default:
			answer = fmt.Sprintf("answered %d %s", status, http.StatusText(status))
		}
		if _, err := fmt.Fprintf(out, "%s: %s: %s\n", e.name, d.ID, answer); err != nil {
			return err
		}
	}
	return failed
}
