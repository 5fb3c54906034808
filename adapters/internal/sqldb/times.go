package sqldb

import (
	"database/sql"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// timed are the rows with times in the forms of their columns, where these have any.
func (r *result) timed(t *storage.Times) storage.Rows {
	if t == nil {
		return r
	}
	return &timedResult{r, t}
}

// timedResult reads times in the forms of their columns.
type timedResult struct {
	*result
	times *storage.Times
}

func (r *timedResult) Scan(dest ...any) error {
	out := make([]any, len(dest))
	for i, d := range dest {
		out[i] = d
		if s, ok := d.(sql.Scanner); ok {
			if t, ok := d.(storage.TimeDest); ok && t.IsTime() {
				out[i] = &timedCell{s, r.times, i}
			}
		}
	}
	return r.result.Scan(out...)
}

type timedCell struct {
	to    sql.Scanner
	times *storage.Times
	nth   int
}

// Scan implements sql.Scanner.
func (c *timedCell) Scan(src any) error { return c.to.Scan(c.times.Column(c.nth, src)) }
