package cookie

import "time"

const dateForm = "2006-01-02T15:04:05.000Z"

// reviveDate rewrites the string at out[start:] if it has the form of a date and is
// one to JavaScript. A year that needs more than four digits afterwards is an error.
func (w *jsWriter) reviveDate(start int) error {
	s := w.out[start+1 : len(w.out)-1]
	d, ok := parseDate(s)
	if !ok || d.canonical && len(s) == len(dateForm) {
		return nil
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.sec, d.ms*1e6, time.UTC)
	if t.Year() > 9999 {
		return errJSON
	}
	w.out = append(t.AppendFormat(w.out[:start+1], dateForm), '"')
	return nil
}

// isDate reports whether a canonical JSON value is a string that reviveDate took for a
// date.
func isDate(v []byte) bool {
	if len(v) != len(dateForm)+2 || v[0] != '"' {
		return false
	}
	_, ok := parseDate(v[1 : len(v)-1])
	return ok
}

type date struct {
	year, month, day, hour, minute, sec, ms int
	canonical                               bool // no field can roll over
}

// parseDate takes YYYY-MM-DDTHH:MM:SS, optionally a fraction, and Z, with the ranges that
// V8 accepts: 30 February rolls over, and 24:00:00 is the next midnight.
func parseDate(s []byte) (d date, ok bool) {
	if !isDateForm(s) {
		return d, false
	}
	num := func(from, to int) (n int) {
		for _, c := range s[from:to] {
			n = n*10 + int(c-'0')
		}
		return n
	}
	d = date{year: num(0, 4), month: num(5, 7), day: num(8, 10), hour: num(11, 13), minute: num(14, 16), sec: num(17, 19)}
	zero := d.minute == 0 && d.sec == 0
	for i, scale := 20, 100; i < len(s)-1; i, scale = i+1, scale/10 {
		d.ms += int(s[i]-'0') * scale // digits after the third are dropped: scale is 0
		zero = zero && s[i] == '0'
	}
	d.canonical = d.day <= 28 && d.hour < 24
	ok = d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= 31 &&
		d.minute <= 59 && d.sec <= 59 && (d.hour < 24 || d.hour == 24 && zero)
	return d, ok
}

// isDateForm is the form alone.
func isDateForm(s []byte) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form)+1 || s[len(s)-1] != 'Z' {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != form[i] {
			return false
		}
	}
	frac := s[len(form) : len(s)-1]
	if len(frac) == 0 {
		return true
	}
	if frac[0] != '.' || len(frac) == 1 {
		return false
	}
	for _, c := range frac[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
