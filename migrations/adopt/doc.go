// Package adopt looks at a database that another program made and says how this one can
// take it over: what its tables and columns are called (Propose), what fits, what is
// missing and what is left alone (NewReport), and whom the move would shut out (Count).
//
// It decides by names: letter case, underscores and a plural s make no difference, so that
// "user"."emailVerified", users.email_verified and "User"."emailVerified" are the same
// column. Nothing here writes. What is missing is added by package migrations, which only
// ever adds.
//
// The names in a database are whoever's could make a table: they are quoted wherever they
// are printed, and a name goes into a statement only where it consists of letters, digits,
// underscores, hyphens and spaces, or where the configuration says it.
package adopt
