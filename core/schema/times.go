package schema

import (
	"slices"
	"strings"
)

// TimeForm is how a column holds times on SQLite, which has no type for them. Other
// databases have one, and forms mean nothing to them.
type TimeForm string

// The forms. Columns are compared with values of their own form, so that one form must hold
// for all rows of a column. Every form but Seconds keeps milliseconds; Seconds cuts them off
// when a value is written or compared, so that what ends within a second has ended for all
// of it.
const (
	TimeText         TimeForm = "text"         // YYYY-MM-DDTHH:MM:SS.mmmZ, Better Auth's own adapter; the default
	TimeOffset       TimeForm = "offset"       // YYYY-MM-DDTHH:MM:SS.mmm+00:00, Prisma's driver adapters
	TimeMilliseconds TimeForm = "milliseconds" // since 1970, as a number: Prisma's engine, Drizzle's timestamp_ms
	TimeSeconds      TimeForm = "seconds"      // since 1970, as a number: Drizzle's timestamp
)

// TimeForms lists the forms.
var TimeForms = []TimeForm{TimeText, TimeOffset, TimeMilliseconds, TimeSeconds}

// Number tells whether times are numbers.
func (f TimeForm) Number() bool { return f == TimeMilliseconds || f == TimeSeconds }

// TimeForm returns the form of a column's times.
func (n Names) TimeForm(table, column string) TimeForm {
	for _, key := range []string{table + "." + column, table} {
		if f, ok := n.TimeOverrides[key]; ok {
			return f
		}
	}
	return n.times()
}

// times is the form of columns that nothing else is said of.
func (n Names) times() TimeForm {
	if n.Times == "" {
		return TimeText
	}
	return n.Times
}

// needMilliseconds are the tables of core's own that order what happens within a second.
// Their statements may also put the time of one column into another.
var needMilliseconds = []string{"attempt", "job", "securityEvent"}

// checkTimes reports forms that there are not, and overrides of what has no times.
func (n Names) checkTimes(s *Schema, fault func(format string, args ...any)) {
	switch {
	case !slices.Contains(TimeForms, n.times()):
		fault("unknown form of times %q (have %q)", n.Times, TimeForms)
	case n.Times == TimeSeconds:
		fault("times that are whole seconds are for single tables and columns, not for %q", needMilliseconds)
	}
	for k, f := range n.TimeOverrides {
		table, column, isColumn := strings.Cut(k, ".")
		t := s.Table(table)
		switch {
		case !slices.Contains(TimeForms, f):
			fault("times of %q: unknown form %q (have %q)", k, f, TimeForms)
		case f == TimeSeconds && slices.Contains(needMilliseconds, table):
			fault("times of %q: whole seconds are too coarse for this table (have %q)", k, TimeForms[:3])
		case t == nil || isColumn && t.Column(column) == nil:
			fault("times of unknown %q", k)
		case isColumn && slices.Contains(needMilliseconds, table):
			fault("times of %q: all columns of this table have one form: set that of %q", k, table)
		case isColumn && t.Column(column).Kind != Time:
			fault("times of %q, which is a column of kind %s", k, t.Column(column).Kind)
		}
	}
}

// Describe says for people what values of the form are.
func (f TimeForm) Describe() string {
	switch f {
	case TimeOffset:
		return "text of the form 2006-01-02T15:04:05.000+00:00"
	case TimeMilliseconds:
		return "milliseconds since 1970"
	case TimeSeconds:
		return "seconds since 1970"
	}
	return "text of the form 2006-01-02T15:04:05.000Z"
}
