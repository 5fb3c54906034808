//go:build !(linux || darwin || freebsd)

package server

// disk is not looked at where the system has no statfs.
func (d *doctor) disk() {}
