// Package sample takes a fixed part of the cases of a big test. The race detector makes each case
// several times slower, and finds races in code that many cases share. So make test runs all cases
// without it; make test-race, and make test for some tests, a sample of them with it; make test-full
// all cases with it.
package sample

import (
	"hash/crc32"
	"maps"
	"slices"
	"testing"
)

// Every returns all cases, or under -short every nth of them. If n has no factor in common with the
// lengths of the lists from which the cases were combined, the sample contains each element of each
// list.
func Every[T any](n int, cases []T) []T {
	if !testing.Short() {
		return cases
	}
	var some []T
	for i := 0; i < len(cases); i += n {
		some = append(some, cases[i])
	}
	return some
}

// EveryNamed is Every for cases in a map, in the order of their names.
func EveryNamed[T any](n int, cases map[string]T) map[string]T {
	some := map[string]T{}
	for _, name := range Every(n, slices.Sorted(maps.Keys(cases))) {
		some[name] = cases[name]
	}
	return some
}

// Of returns what all cases take, or under -short what a sample of them takes: how many disks there
// are, or how long a job is.
func Of[T any](all, some T) T {
	if testing.Short() {
		return some
	}
	return all
}

// Keeps reports whether a test that is not a table is run: always, or under -short if its name is
// one of the nth part of all names.
func Keeps(n uint32, name string) bool {
	return !testing.Short() || crc32.ChecksumIEEE([]byte(name))%n == 0
}
