// Package faulttest holds the tests of what the server does while something of ours fails:
// a column that is gone, a database that is stopped, killed, read-only or out of
// connections, a mailer that hangs. Whatever it is, a right password is never called
// wrong, nobody is locked, nothing that was confirmed is lost, and when it is over all
// goes on without a restart.
//
// The tests start a PostgreSQL of their own: its programs (initdb, pg_ctl) must be there.
package faulttest
