package storage

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Layout is how SQLite rows hold a time unless said otherwise: Better Auth's text form,
// compared as text.
const Layout = "2006-01-02T15:04:05.000Z"

// Dest wraps a pointer so that a column can be scanned into it from any database:
// booleans from 0 and 1, times from text, JSON from text or bytes, integers from text.
// p points to string, bool, int, int64, time.Time, json.RawMessage, []byte, or to a
// pointer to one of these for a nullable column. Other pointers are returned as they are.
func Dest(p any) any {
	switch p.(type) {
	case *string, *bool, *int, *int64, *time.Time, *json.RawMessage, *[]byte,
		**string, **bool, **int, **int64, **time.Time:
		return &cell{p}
	}
	return p
}

// Dests is Dest for a whole row, in place and in one allocation.
func Dests(list []any) []any {
	cells := make([]cell, 0, len(list))
	for i, p := range list {
		switch p.(type) {
		case *string, *bool, *int, *int64, *time.Time, *json.RawMessage, *[]byte,
			**string, **bool, **int, **int64, **time.Time:
			cells = append(cells, cell{p})
			list[i] = &cells[len(cells)-1]
		}
	}
	return list
}

type cell struct{ p any }

var _ interface {
	sql.Scanner
	TimeDest
} = (*cell)(nil)

// IsTime implements TimeDest.
func (c *cell) IsTime() bool {
	switch c.p.(type) {
	case *time.Time, **time.Time:
		return true
	}
	return false
}

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) error {
	if src == nil {
		return c.null()
	}
	var err error
	switch p := c.p.(type) {
	case *string:
		*p, err = toString(src)
	case **string:
		*p, err = ptr(toString(src))
	case *bool:
		*p, err = toBool(src)
	case **bool:
		*p, err = ptr(toBool(src))
	case *int64:
		*p, err = toInt(src)
	case **int64:
		*p, err = ptr(toInt(src))
	case *int:
		var n int64
		n, err = toInt(src)
		*p = int(n)
	case **int:
		var n int64
		n, err = toInt(src)
		i := int(n)
		*p = &i
	case *time.Time:
		*p, err = toTime(src)
	case **time.Time:
		*p, err = ptr(toTime(src))
	case *json.RawMessage:
		var s string
		s, err = toString(src)
		*p = json.RawMessage(s)
	case *[]byte:
		var s string
		s, err = toString(src)
		*p = []byte(s)
	}
	return err
}

func (c *cell) null() error {
	switch p := c.p.(type) {
	case **string:
		*p = nil
	case **bool:
		*p = nil
	case **int:
		*p = nil
	case **int64:
		*p = nil
	case **time.Time:
		*p = nil
	case *json.RawMessage:
		*p = nil
	case *[]byte:
		*p = nil
	default:
		// A NULL where the row struct has no room for one must not look like a value.
		return fmt.Errorf("NULL in a column that should hold none (%T)", c.p)
	}
	return nil
}

func ptr[T any](v T, err error) (*T, error) { return &v, err }

func toString(src any) (string, error) {
	switch v := src.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil // serial ids are text everywhere else
	}
	return "", fmt.Errorf("cannot read %T as text", src)
}

func toBool(src any) (bool, error) {
	switch v := src.(type) {
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		return strconv.ParseBool(v)
	case []byte:
		return strconv.ParseBool(string(v))
	}
	return false, fmt.Errorf("cannot read %T as a boolean", src)
}

func toInt(src any) (int64, error) {
	switch v := src.(type) {
	case int64:
		return v, nil
	case float64:
		return int64(v), nil
	case string:
		return strconv.ParseInt(v, 10, 64)
	case []byte:
		return strconv.ParseInt(string(v), 10, 64)
	}
	return 0, fmt.Errorf("cannot read %T as an integer", src)
}

func toTime(src any) (time.Time, error) {
	switch v := src.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		return parseTime(v)
	case []byte:
		return parseTime(string(v))
	case int64: // a number that is no milliseconds was read by its Times
		return time.UnixMilli(v).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("cannot read %T as a time", src)
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("cannot read a text of %d bytes as a time", len(s))
}

// Scan converts one value of a driver into p, by the same rules as Dest. nil is NULL.
func Scan(p, src any) error {
	c := cell{p}
	return c.Scan(src)
}
