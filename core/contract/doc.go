// Package contract holds the small interfaces and plain data types that plugins,
// adapters and core share, so that none of them has to import another for a type.
// It imports the standard library only.
package contract
