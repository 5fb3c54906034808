package storage

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"net"
	"net/url"
	"os"
	"reflect"
	"strings"
	"syscall"
)

// Foreign describes an error that comes from a driver or from the network, not from an
// adapter: what a hook brings along that has a connection of its own. It looks at err
// alone, not at what err wraps, and returns nil if it does not know it. Table and Columns
// are the database's names.
func Foreign(err error) *Error {
	kind := Unknown
	switch e := err.(type) {
	case interface{ SQLState() string }: // lib/pq and pgx alike
		return sqlState(err, e.SQLState())
	case *net.OpError, *net.DNSError, *tls.CertificateVerificationError:
		kind = ofNetwork(err)
	case *url.Error: // of net/http, unless it is about the text of a URL
		if e.Op == "parse" {
			return nil
		}
		kind = ofNetwork(err)
	case syscall.Errno:
		kind = kindByErrno[e]
	default:
		kind = ofStandard(err)
	}
	if kind == Unknown {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

func ofNetwork(err error) Kind {
	if t, ok := err.(net.Error); ok && t.Timeout() {
		return Timeout
	}
	return Unavailable
}

func ofStandard(err error) Kind {
	switch err {
	case context.Canceled:
		return Canceled
	case context.DeadlineExceeded, os.ErrDeadlineExceeded:
		return Timeout
	case driver.ErrBadConn, sql.ErrConnDone, net.ErrClosed:
		return Unavailable
	}
	return Unknown
}

// kindByErrno leaves out what a fault of the program may be, such as ENOENT.
var kindByErrno = map[syscall.Errno]Kind{
	syscall.ECONNREFUSED: Unavailable,
	syscall.ECONNRESET:   Unavailable,
	syscall.ECONNABORTED: Unavailable,
	syscall.EPIPE:        Unavailable,
	syscall.EHOSTUNREACH: Unavailable,
	syscall.ENETUNREACH:  Unavailable,
	syscall.ENETDOWN:     Unavailable,
	syscall.EMFILE:       Unavailable,
	syscall.ENFILE:       Unavailable,
	syscall.ENOSPC:       Unavailable,
	syscall.EIO:          Unavailable,
	syscall.EROFS:        ReadOnly,
	syscall.ETIMEDOUT:    Timeout,
}

var kindByState = map[string]Kind{
	"23505": Unique,
	"23503": ForeignKey,
	"23502": NotNull,
	"23514": Check,
	"42P01": Schema, // undefined_table
	"42703": Schema, // undefined_column
	"42704": Schema, // undefined_object
	"42883": Schema, // undefined_function: also an operator between other types than expected
	"42804": Schema, // datatype_mismatch
	"42P10": Schema, // invalid_column_reference: ON CONFLICT without its unique index
	"3F000": Schema, // invalid_schema_name
	"3D000": Schema, // invalid_catalog_name
	"25006": ReadOnly,
	"40001": Conflict,
	"40P01": Conflict,
	"55P03": Conflict, // lock_not_available
	"0A000": Conflict, // in a transaction: see stale
	"26000": Conflict,
	"57014": Timeout, // query_canceled: statement_timeout, unless the context says otherwise
	"25P03": Timeout, // idle_in_transaction_session_timeout
	"58030": Unavailable,
}

var kindByClass = map[string]Kind{
	"08": Unavailable, // connection
	"22": Data,
	"28": Unavailable, // authorization at connect
	"53": Unavailable, // resources
	"57": Unavailable, // operator
}

func sqlState(err error, state string) *Error {
	e := &Error{SQLState: state, Err: err}
	if kind, ok := kindByState[state]; ok {
		e.Kind = kind
	} else if len(state) == 5 {
		e.Kind = kindByClass[state[:2]]
	}
	e.Constraint = field(err, "Constraint", "ConstraintName")
	e.Table = field(err, "Table", "TableName")
	switch e.Kind {
	case Unique:
		e.Columns = detailColumns(field(err, "Detail"))
	case NotNull:
		if c := field(err, "Column", "ColumnName"); c != "" {
			e.Columns = []string{c}
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
