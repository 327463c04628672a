//go:build race

package e2e_test

// buildFlags build the provider with the race detector if the tests have it.
var buildFlags = []string{"-race"}
