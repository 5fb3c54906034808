// Package migrations brings a database to the schema that the plugins want.
//
// The wanted state is data (core/schema). New compares it with what is there and only
// ever adds: schemas, tables, columns, indexes, row-level security. What exists is
// adopted: columns that nobody knows are tolerated, types that hold the same values are
// taken as they are, anything else is reported and left alone. What adding cannot
// express is a Step: numbered, checksummed, run once and recorded in the table
// sallyport_migration.
//
// Names of tables, constraints and indexes follow Better Auth's rules, so that either
// program can go on with a database of the other.
package migrations
