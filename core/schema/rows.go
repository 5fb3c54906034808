package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// FromStruct derives a table from a row struct: exported fields with a `db` tag are its
// columns, in order. The type gives the kind (a pointer is nullable), the `schema` tag
// the rest, separated by commas:
//
//	key                    primary key
//	unique, index          an index of its own
//	hash                   the same for equality alone, for texts of any length
//	references=user        foreign key to user.id; references=user.email names the column
//	cascade, setnull       what deleting that row does (default: refuse)
//	joined                 statements compare the two: their types have to allow it
//	default=x              database default
//	now                    database default: time of writing (PostgreSQL)
//	null                   nullable although the Go type is not a pointer
//	hidden                 never part of an answer
//	written                nullable, but every row that is written has a value
//	json                   a string field that holds a JSON column
//	jsontext               a text column that holds JSON: json and jsonb will do where they are there
//
// A field without a db tag, or with "-", is no column. It panics on a tag that it does
// not know: a row struct is part of the program's text.
func FromStruct(name, owner string, row reflect.Type) Table {
	return Table{Name: name, Owner: owner, Columns: Columns(owner, row)}
}

// Columns derives the columns alone, for an Extension.
func Columns(owner string, row reflect.Type) []Column {
	if row.Kind() != reflect.Struct {
		panic(fmt.Sprintf("schema: %v is no struct", row))
	}
	var out []Column
	for i := range row.NumField() {
		f := row.Field(i)
		name := f.Tag.Get("db")
		if name == "" || name == "-" {
			continue
		}
		c := Column{Name: name, Owner: owner}
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t, c.Nullable = t.Elem(), true
		}
		if c.Kind = kindOf(t); c.Kind == 0 {
			panic(fmt.Sprintf("schema: field %v.%s has unsupported type %v: want string, bool, int, int32, int64, time.Time, json.RawMessage, []byte, or a pointer to one", row, f.Name, f.Type))
		}
		if err := c.options(f.Tag.Get("schema")); err != nil {
			panic(fmt.Sprintf("schema: field %v.%s: %v", row, f.Name, err))
		}
		out = append(out, c)
	}
	return out
}

func kindOf(t reflect.Type) Kind {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return Time
	case t == reflect.TypeFor[json.RawMessage]():
		return JSON
	case t == reflect.TypeFor[[]byte]():
		return Bytes
	}
	switch t.Kind() {
	case reflect.String:
		return String
	case reflect.Bool:
		return Bool
	case reflect.Int, reflect.Int32:
		return Int
	case reflect.Int64:
		return BigInt
	}
	return 0
}

// optionNames are what a schema tag may hold, for messages.
const optionNames = "key, unique, index, hash, null, hidden, now, json, written, jsontext, references=TABLE, cascade, setnull, joined, default=VALUE"

func (c *Column) options(tag string) error {
	if tag == "" {
		return nil
	}
	for _, o := range strings.Split(tag, ",") {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "key":
			c.PrimaryKey = true
		case "unique":
			c.Unique = true
		case "index":
			c.Index = true
		case "hash":
			c.Index, c.Hash = true, true
		case "null":
			c.Nullable = true
		case "hidden":
			c.Hidden = true
		case "now":
			c.DefaultNow = true
		case "json":
			c.Kind = JSON
		case "written":
			c.Written = true
		case "jsontext":
			c.JSONText = true
		case "references":
			table, column, ok := strings.Cut(value, ".")
			if !ok {
				column = "id"
			}
			c.References = &Reference{Table: table, Column: column}
		case "cascade", "setnull":
			if c.References == nil {
				return fmt.Errorf("%q must follow references=", key)
			}
			c.References.OnDelete = map[string]Action{"cascade": Cascade, "setnull": SetNull}[key]
		case "joined":
			if c.References == nil {
				return fmt.Errorf("%q must follow references=", key)
			}
			c.References.Joined = true
		case "default":
			v, err := c.constant(value)
			if err != nil {
				return err
			}
			c.Default = v
		default:
			return fmt.Errorf("unknown option %q; there are %s", o, optionNames)
		}
	}
	return nil
}

func (c *Column) constant(s string) (any, error) {
	switch c.Kind {
	case String:
		return s, nil
	case Bool:
		return strconv.ParseBool(s)
	case Int, BigInt:
		return strconv.ParseInt(s, 10, 64)
	}
	return nil, fmt.Errorf("a %v column takes no constant default", c.Kind)
}
