package provider_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// nullElements is a row for each list and map among the inputs: the error about an element that is
// null; empty where it counts as a value.
var nullElements = map[string]string{
	"provider.cluster_nodes":                "Name a host",
	"hyperv_vhd_compaction.triggers":        "",
	"data hyperv_vhds.extensions":           "extensions[0] is null. Allowed: one of vhd, vhdx. Remove the element",
	"list hyperv_vhd_compaction.extensions": "extensions[0] is null. Allowed: one of vhd, vhdx. Remove the element",
}

// nullElementOf returns a list or a map with an element that is null.
func nullElementOf(of tftypes.Type) (v tftypes.Value, ok bool) {
	switch kind := of.(type) {
	case tftypes.List:
		return tftypes.NewValue(of, []tftypes.Value{tftypes.NewValue(kind.ElementType, nil)}), true
	case tftypes.Map:
		return tftypes.NewValue(of, map[string]tftypes.Value{"a": tftypes.NewValue(kind.ElementType, nil)}), true
	}
	return tftypes.Value{}, false
}

// An element that is null is refused while the configuration is checked, or is a value like any
// other.
func TestEveryInput_nullElements(t *testing.T) {
	t.Parallel()
	s := serve(t, host(t, hypervsim.WithVHD(vhd())))
	rows := maps.Clone(nullElements)
	for prefix, c := range everySchema(s) {
		for name, a := range inputs(c.schema.Block.Attributes) {
			v, ok := nullElementOf(a.ValueType())
			if !ok {
				continue
			}
			want, known := rows[prefix+"."+name]
			if !known {
				t.Errorf("the table lacks a row for %s.%s", prefix, name)
			}
			delete(rows, prefix+"."+name)
			set := maps.Clone(c.needs)
			set[name] = v
			config := s.object(c.schema, set)
			got := strings.Join(strings.Fields(strings.Join(texts(c.check(t, &config)), "\n")), " ")
			holds(t, prefix+"."+name, got, want)
		}
	}
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("the table has a row for %s, which no schema has", row)
	}
}

// A trigger may be null; setting it is a change.
func TestVHDCompaction_nullTrigger(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	with := func(value string) string {
		return providerFor(sim) + disk(settings{"triggers": "{ month = " + value + " }"})
	}
	steps(t,
		resource.TestStep{Config: with("null"), ConfigStateChecks: inState("status", "compacted")},
		resource.TestStep{Config: with("null"), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{Config: with(`"may"`), ConfigStateChecks: inState("plan_reason", "triggers changed: month")},
	)
	compactions(t, sim, 2)
}
