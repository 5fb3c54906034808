// Package sallyport is the root of an authentication framework built of plugins. There
// is nothing to import here: start at package core, or at the README.
package sallyport
