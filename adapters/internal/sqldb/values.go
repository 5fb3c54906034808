package sqldb

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// values converts the arguments of a statement into what every driver takes alike.
func (d *DB) values(x *storage.Expanded, args []any) ([]any, error) {
	if x.Args != len(args) {
		return nil, &storage.Error{Err: fmt.Errorf("the statement takes %d values and got %d", x.Args, len(args))}
	}
	if !slices.ContainsFunc(args, converted) {
		return args, nil
	}
	out := make([]any, len(args))
	for i, a := range args {
		v, ok := value(d.cfg.Dialect, a)
		if !ok {
			return nil, &storage.Error{Err: fmt.Errorf("value %d has the unsupported type %T", i+1, a)}
		}
		if t, ok := v.(time.Time); ok && d.cfg.Dialect == storage.SQLite {
			v = x.Times.Arg(i, t)
		}
		out[i] = v
	}
	return out, nil
}

// converted tells whether a value is not yet what drivers take.
func converted(a any) bool {
	switch a.(type) {
	case nil, string, int64:
		return false
	}
	return true
}

func value(d storage.Dialect, a any) (any, bool) {
	switch v := a.(type) {
	case nil, string, int64:
		return v, true
	case int:
		return int64(v), true
	case bool:
		if d == storage.SQLite {
			if v {
				return int64(1), true
			}
			return int64(0), true
		}
		return v, true
	case time.Time:
		// Better Auth reads milliseconds and compares them for equality.
		return v.UTC().Truncate(time.Millisecond), true
	case json.RawMessage:
		if v == nil {
			return nil, true
		}
		return string(v), true // lib/pq would send bytes as bytea
	case []byte:
		if v == nil {
			return nil, true
		}
		return v, true
	case *string:
		return deref(d, v)
	case *bool:
		return deref(d, v)
	case *int:
		return deref(d, v)
	case *int64:
		return deref(d, v)
	case *time.Time:
		return deref(d, v)
	case *json.RawMessage:
		return deref(d, v)
	case *[]byte:
		return deref(d, v)
	}
	return nil, false
}

func deref[T any](d storage.Dialect, p *T) (any, bool) {
	if p == nil {
		return nil, true
	}
	return value(d, *p)
}
