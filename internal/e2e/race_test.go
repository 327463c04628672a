//go:build race

package e2e_test

// buildFlags let the provider have the race detector where the tests have it.
var buildFlags = []string{"-race"}
