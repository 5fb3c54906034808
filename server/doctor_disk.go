//go:build linux || darwin || freebsd

package server

import (
	"path/filepath"
	"syscall"
)

const (
	fullDisk   = 64 << 20  // bytes: nearly none
	littleDisk = 512 << 20 // bytes
)

// disk tells how much room the folder of a SQLite database has.
func (d *doctor) disk() {
	path := d.cfg.Database.Path
	if path == "" || d.cfg.Database.URL != "" || d.cfg.Core.Database != nil {
		return
	}
	dir := filepath.Dir(path)
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return // the folder is not there: the database has said so
	}
	d.room(dir, uint64(st.Bavail)*uint64(st.Bsize)) //nolint:gosec // both are counts
}

func (d *doctor) room(dir string, free uint64) {
	mib := free >> 20
	switch {
	case free < fullDisk:
		d.add(Broken, "disk", "make room: without it nobody can sign in", "%d MiB are free in %s", mib, dir)
	case free < littleDisk:
		d.add(Warning, "disk", "make room", "%d MiB are free in %s", mib, dir)
	default:
		d.add(Fine, "disk", "", "%d MiB are free in %s", mib, dir)
	}
}
