package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/sallyport-auth/sallyport/server"
)

// doctor prints one line for each thing that it looked at.
func doctor(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		c, err := r.load()
		if err != nil {
			if !printFaults(r, err) {
				return failed, err
			}
			return failed, nil
		}
		code := ok
		for _, f := range server.Diagnose(ctx, c, r.Plugins...) {
			fmt.Fprintln(r.out, f)
			switch {
			case f.Severity == server.Broken:
				code = failed
			case f.Severity == server.Warning && code == ok:
				code = pending
			}
		}
		return code, nil
	}
}

// printFaults prints what is wrong with a configuration that cannot be read, as findings.
// false: err is something else.
func printFaults(r *run, err error) bool {
	var faults *server.ConfigError
	if !errors.As(err, &faults) {
		return false
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintln(r.out, server.Finding{Severity: server.Broken, Check: "config", Text: line, Do: "mend the option; see docs/configuration.md"})
		}
	}
	return true
}
