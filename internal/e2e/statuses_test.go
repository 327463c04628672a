//go:build linux

package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// variables sets the variables of the configuration.
func (w workspace) variables(values map[string]any) {
	w.t.Helper()
	text, err := json.Marshal(values)
	must(w.t, err)
	w.write("terraform.tfvars.json", string(text))
}

// action is create, update, delete, no-op, or delete+create.
func (c change) action() string { return strings.Join(c.Change.Actions, "+") }

// statuses counts the resources in the state by status.
func (w workspace) statuses() map[string]int {
	w.t.Helper()
	counts := map[string]int{}
	for _, a := range w.state() {
		counts[a.text("status")]++
	}
	return counts
}

// checkStatuses fails the test unless the state counts exactly these.
func checkStatuses(t *testing.T, w workspace, want map[string]int) {
	t.Helper()
	got := w.statuses()
	for _, s := range sorted(want) {
		if got[s] != want[s] {
			t.Errorf("disks with status %s = %d, want %d", s, got[s], want[s])
		}
	}
	for _, s := range sorted(got) {
		if want[s] == 0 {
			t.Errorf("disks with status %s = %d, want none", s, got[s])
		}
	}
}

// sorted lists the keys of a map.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
