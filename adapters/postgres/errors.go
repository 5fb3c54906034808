package postgres

import (
	"errors"
	"reflect"
	"strings"

	"github.com/sallyport-auth/sallyport/adapters/internal/sqldb"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// stater is satisfied by the errors of lib/pq and pgx alike.
type stater interface {
	error
	SQLState() string
}

func stateOf(err error) string {
	var s stater
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// stale tells that a prepared statement is of no more use, and did not run:
// feature_not_supported ("cached plan must not change result type") and
// invalid_sql_statement_name (a pooler or DISCARD has lost it).
func stale(err error) bool {
	s := stateOf(err)
	return s == "0A000" || s == "26000"
}

var kindByState = map[string]storage.Kind{
	"23505": storage.Unique,
	"23503": storage.ForeignKey,
	"23502": storage.NotNull,
	"23514": storage.Check,
	"42P01": storage.Schema, // undefined_table
	"42703": storage.Schema, // undefined_column
	"42704": storage.Schema, // undefined_object
	"42883": storage.Schema, // undefined_function: also an operator between other types than expected
	"42804": storage.Schema, // datatype_mismatch
	"42P10": storage.Schema, // invalid_column_reference: ON CONFLICT without its unique index
	"3F000": storage.Schema, // invalid_schema_name
	"3D000": storage.Schema, // invalid_catalog_name
	"25006": storage.ReadOnly,
	"40001": storage.Conflict,
	"40P01": storage.Conflict,
	"55P03": storage.Conflict, // lock_not_available
	"0A000": storage.Conflict, // in a transaction: see stale
	"26000": storage.Conflict,
	"57014": storage.Timeout, // query_canceled: statement_timeout, unless the context says otherwise
	"25P03": storage.Timeout, // idle_in_transaction_session_timeout
	"58030": storage.Unavailable,
}

var kindByClass = map[string]storage.Kind{
	"08": storage.Unavailable, // connection
	"22": storage.Data,
	"28": storage.Unavailable, // authorization at connect
	"53": storage.Unavailable, // resources
	"57": storage.Unavailable, // operator
}

// classify implements sqldb.Config.Classify.
func classify(err error, n *sqldb.Naming) *storage.Error {
	var s stater
	if !errors.As(err, &s) {
		if strings.HasPrefix(err.Error(), "failed to encode args[") {
			// pgx finds out before the server does, and has no type for it.
			return &storage.Error{Kind: storage.Data}
		}
		return nil
	}
	e := &storage.Error{SQLState: s.SQLState()}
	if kind, ok := kindByState[e.SQLState]; ok {
		e.Kind = kind
	} else if len(e.SQLState) == 5 {
		e.Kind = kindByClass[e.SQLState[:2]]
	}
	e.Constraint = field(s, "Constraint", "ConstraintName")
	table := field(s, "Table", "TableName")
	if table != "" {
		e.Table = n.Table(table)
	}
	switch e.Kind {
	case storage.Unique, storage.ForeignKey:
		if cols := detailColumns(field(s, "Detail")); cols != nil && table != "" && e.Kind == storage.Unique {
			e.Columns = n.Columns(e.Table, cols)
		} else if t, cols, ok := n.Constraint(e.Constraint); ok {
			e.Table, e.Columns = t, cols
		}
	case storage.NotNull:
		if c := field(s, "Column", "ColumnName"); c != "" {
			e.Columns = n.Columns(e.Table, []string{c})
		}
	}
	return e
}

// field reads a text field of a driver's error, by whichever of its names there is.
// Reading it so keeps pgx out of programs that do not use it.
func field(err error, names ...string) string {
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() != reflect.Struct {
		return ""
	}
	for _, name := range names {
		if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
			return f.String()
		}
	}
	return ""
}

// detailColumns reads the columns of `Key (a, "B")=(1, 2) already exists.` in whatever
// language the server speaks. The values behind them are a person's data: they stay.
// nil means that it could not be told, as for an index on an expression.
func detailColumns(detail string) []string {
	end := strings.Index(detail, ")=(")
	start := strings.IndexByte(detail, '(')
	if start < 0 || end < start {
		return nil
	}
	var out []string
	for s := detail[start+1 : end]; s != ""; {
		var name string
		if s[0] == '"' {
			i := 1
			for ; i < len(s); i++ {
				if s[i] != '"' {
					continue
				}
				if i+1 == len(s) || s[i+1] != '"' {
					break
				}
				i++
			}
			if i >= len(s) {
				return nil
			}
			name, s = strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:]
		} else {
			i := strings.IndexByte(s, ',')
			if i < 0 {
				i = len(s)
			}
			name, s = s[:i], s[i:]
			if name == "" || strings.ContainsAny(name, `()": `) {
				return nil
			}
		}
		out = append(out, name)
		if s == "" {
			break
		}
		if !strings.HasPrefix(s, ", ") || len(s) == 2 {
			return nil
		}
		s = s[2:]
	}
	return out
}
