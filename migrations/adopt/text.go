package adopt

import (
	"fmt"
	"io"
	"strings"
)

// Write prints the report for people. sql says whether the statements of the plan are
// printed, or only how many there are.
func (r *Report) Write(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s, a database of %s\n\n", r.Database, r.From)
	var strangers []string
	for _, t := range r.Tables {
		if t.State == Unknown {
			s := Quote(t.Live)
			if t.Why != "" {
				s += " (" + t.Why + ")"
			}
			strangers = append(strangers, s)
			continue
		}
		t.write(b)
	}
	list(b, "Tables that nothing here uses; they are left alone", strangers)
	var losses []string
	for _, l := range r.Losses {
		losses = append(losses, l.String())
	}
	list(b, "What users would lose", losses)
	list(b, "To be known", r.Notes)
	list(b, "Faults, which keep this database from being taken over", r.Faults)
	list(b, "To be done first, by hand", r.Prepare)
	if r.Mapping != "" {
		b.WriteString("For the config file:\n\n" + indent(r.Mapping) + "\n")
	}
	if !r.Pending() {
		b.WriteString("The database has everything that is wanted.\n")
	} else {
		fmt.Fprintf(b, "What is added, in one transaction:\n\n")
		for _, s := range r.Plan {
			b.WriteString(indent(s.SQL + ";\n"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s %s: ", t.Name, called(t.Live))
	if t.State == Missing {
		fmt.Fprintf(b, "missing (plugin %s)\n", t.Plugin)
		return
	}
	var fit []string
	var rest []Column
	for _, c := range t.Columns {
		if c.State == Fits {
			fit = append(fit, c.Name)
		} else {
			rest = append(rest, c)
		}
	}
	fmt.Fprintf(b, "%d of %d columns fit\n", len(fit), t.wanted())
	if len(fit) > 0 {
		fmt.Fprintf(b, "  fits       %s\n", strings.Join(fit, ", "))
	}
	for _, c := range rest {
		switch c.State {
		case Unknown:
			fmt.Fprintf(b, "  not known  %s %s", Quote(c.Live), Quote(c.Type))
		case Missing:
			fmt.Fprintf(b, "  missing    %s %s", c.Name, called(c.Live))
		default:
			fmt.Fprintf(b, "  differs    %s %s %s", c.Name, called(c.Live), Quote(c.Type))
		}
		if c.Why != "" {
			b.WriteString(": " + c.Why)
		}
		b.WriteString("\n")
	}
}

// wanted is how many columns the plugins want.
func (t *Table) wanted() (n int) {
	for _, c := range t.Columns {
		if c.State != Unknown {
			n++
		}
	}
	return n
}

func called(live string) string {
	s := Quote(live)
	if strings.HasPrefix(s, `"`) {
		return s
	}
	return `"` + s + `"`
}

// String says how many, and what.
func (l Loss) String() string {
	switch {
	case l.Unknown != "":
		return "an unknown number (" + l.Unknown + ") of " + l.Text
	case l.AtLeast:
		return fmt.Sprintf("at least %d %s", l.Count, l.Text)
	}
	return fmt.Sprintf("%d %s", l.Count, l.Text)
}

func list(b *strings.Builder, head string, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteString("\n" + head + ":\n\n")
	for _, l := range lines {
		b.WriteString("  - " + strings.ReplaceAll(l, "\n", "\n    ") + "\n")
	}
	b.WriteString("\n")
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n    ") + "\n"
}
