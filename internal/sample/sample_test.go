package sample_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

func TestEvery(t *testing.T) { //nolint:paralleltest // it sets the flag of the process
	short := flag.Lookup("test.short").Value.String()
	t.Cleanup(func() { _ = flag.Set("test.short", short) })
	list := []int{0, 1, 2, 3, 4, 5, 6}
	named := map[string]int{"a": 1, "b": 2, "c": 3, "d": 4}
	for _, tc := range []struct {
		short string
		n     int
		list  []int
		named map[string]int
	}{
		{"false", 3, list, named},
		{"true", 3, []int{0, 3, 6}, map[string]int{"a": 1, "d": 4}},
		{"true", 100, []int{0}, map[string]int{"a": 1}},
	} {
		if err := flag.Set("test.short", tc.short); err != nil {
			t.Fatal(err)
		}
		if got := sample.Every(tc.n, slices.Clone(list)); !slices.Equal(got, tc.list) {
			t.Errorf("short %s: Every(%d) = %v, want %v", tc.short, tc.n, got, tc.list)
		}
		if got := sample.EveryNamed(tc.n, named); !cmp.Equal(got, tc.named) {
			t.Errorf("short %s: EveryNamed(%d) = %v, want %v", tc.short, tc.n, got, tc.named)
		}
		if got, want := sample.Of("all", "some"), map[string]string{"false": "all", "true": "some"}[tc.short]; got != want {
			t.Errorf("short %s: Of = %q, want %q", tc.short, got, want)
		}
	}
}

func TestKeeps(t *testing.T) { //nolint:paralleltest // it sets the flag of the process
	short := flag.Lookup("test.short").Value.String()
	t.Cleanup(func() { _ = flag.Set("test.short", short) })
	for short, want := range map[string][2]int{"false": {1000, 1000}, "true": {200, 300}} {
		if err := flag.Set("test.short", short); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for i := range 1000 {
			if sample.Keeps(4, fmt.Sprintf("Test%d", i)) {
				kept++
			}
		}
		if kept < want[0] || kept > want[1] {
			t.Errorf("-short=%s keeps %d of 1000, want %d to %d", short, kept, want[0], want[1])
		}
	}
}
