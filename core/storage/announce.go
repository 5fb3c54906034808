package storage

import "time"

// MaxAnnouncement is the longest text of an announcement in bytes.
const MaxAnnouncement = 7000

// Announcer is what a Database may be besides: it tells every process that listens what
// others have announced, in the order in which their transactions committed.
type Announcer interface {
	// Announcement is the statement that announces a text (at most MaxAnnouncement bytes) on
	// a channel (letters and "_"), when its transaction commits, and only then.
	Announcement(channel, text string) Statement
	// Listen hears what is announced on a channel, on a connection of its own, which it makes
	// again whenever it breaks. It returns at once. stop ends it; behind it l is not called
	// any more. An error means that this database cannot.
	Listen(channel string, l Listener) (stop func(), err error)
}

// Listener is told what was announced. One goroutine makes all calls.
type Listener interface {
	// Reset tells that announcements may have been missed: the connection broke (with the
	// reason), or was made (nil), and everything that is announced from here on will be heard.
	Reset(reason error)
	// Heard is given one announcement.
	Heard(text string)
	// Current tells that Heard was given everything that was committed until at, which is a
	// time of this process's own clock, with its monotonic reading. It comes several times a
	// second.
	Current(at time.Time)
}
