package input

import "fmt"

// Demand makes optional members of the body mandatory. It changes the decoder, and must
// come before its first use.
func (d *Decoder) Demand(members ...string) error {
next:
	for _, name := range members {
		for i := range d.body.fields {
			if f := &d.body.fields[i]; f.name == name {
				f.schema.optional = false
				continue next
			}
		}
		return fmt.Errorf("input: the body has no member %q", name)
	}
	return nil
}
