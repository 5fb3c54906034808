// Package storetest holds the suites that every store passes which replicas share: rate
// limits, attempts and sessions, wherever they are kept. It also starts a Redis of the
// test's own.
package storetest
