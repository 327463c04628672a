package provider_test

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// The outcomes for an input. Null always means the default, except for a required input; unknown is
// always accepted, because it is validated again once it is known.
const (
	asNull  = "as null"         // an empty value is treated as null
	noEmpty = "no empty values" // a number or a bool
)

// emptyInputs is a row for each input of each schema: the effect of an empty text, list, map or
// object. Anything but the words above is a part of the error.
var emptyInputs = map[string]string{
	"provider.host":                       asNull,
	"provider.port":                       noEmpty,
	"provider.username":                   "username is not set",
	"provider.password":                   "password is not set",
	"provider.https":                      noEmpty,
	"provider.insecure":                   noEmpty,
	"provider.auth":                       asNull,
	"provider.cacert_path":                asNull,
	"provider.cert_path":                  asNull,
	"provider.key_path":                   asNull,
	"provider.tls_server_name":            asNull,
	"provider.kerberos":                   "kerberos is set, but auth is",
	"provider.kerberos.realm":             "kerberos is set, but auth is",
	"provider.kerberos.spn":               "kerberos is set, but auth is",
	"provider.kerberos.krb5_conf_path":    "kerberos is set, but auth is",
	"provider.kerberos.ccache_path":       "kerberos is set, but auth is",
	"provider.kerberos.keytab_path":       "kerberos is set, but auth is",
	"provider.timeout":                    asNull,
	"provider.allow_attach":               noEmpty,
	"provider.allow_unseen_machines":      noEmpty,
	"provider.cluster_nodes":              asNull,
	"provider.max_concurrent_compactions": noEmpty,
	"provider.max_concurrent_requests":    noEmpty,

	"hyperv_vhd_compaction.path":                     "the path is empty",
	"hyperv_vhd_compaction.host":                     "Name a host",
	"hyperv_vhd_compaction.mode":                     "one of Full",
	"hyperv_vhd_compaction.attach_read_only":         noEmpty,
	"hyperv_vhd_compaction.if_in_use":                "one of fail, skip",
	"hyperv_vhd_compaction.if_unreachable":           "one of fail, skip",
	"hyperv_vhd_compaction.allow_parent":             noEmpty,
	"hyperv_vhd_compaction.allow_replicated":         noEmpty,
	"hyperv_vhd_compaction.max_passes":               noEmpty,
	"hyperv_vhd_compaction.min_file_size_bytes":      noEmpty,
	"hyperv_vhd_compaction.recompact_on_growth":      noEmpty,
	"hyperv_vhd_compaction.recompact_growth_bytes":   noEmpty,
	"hyperv_vhd_compaction.recompact_growth_percent": noEmpty,
	"hyperv_vhd_compaction.triggers":                 asNull,
	"hyperv_vhd_compaction.timeouts":                 asNull,
	"hyperv_vhd_compaction.timeouts.create":          "a positive duration",
	"hyperv_vhd_compaction.timeouts.update":          "a positive duration",
	"hyperv_vhd_compaction.timeouts.read":            "a positive duration",

	"data hyperv_vhd.path":          "the path is empty",
	"data hyperv_vhd.host":          "Name a host",
	"data hyperv_vhd.timeouts":      asNull,
	"data hyperv_vhd.timeouts.read": "a positive duration",

	"data hyperv_vhds.host":                "Name a host",
	"data hyperv_vhds.directory":           "the path is empty",
	"data hyperv_vhds.recurse":             noEmpty,
	"data hyperv_vhds.vm_name":             "Both directory and vm_name are set",
	"data hyperv_vhds.extensions":          "at least 1 elements",
	"data hyperv_vhds.min_file_size_bytes": noEmpty,
	"data hyperv_vhds.inspect":             noEmpty,
	"data hyperv_vhds.timeouts":            asNull,
	"data hyperv_vhds.timeouts.read":       "a positive duration",

	"list hyperv_vhd_compaction.host":                "Name a host",
	"list hyperv_vhd_compaction.directory":           "the path is empty",
	"list hyperv_vhd_compaction.recurse":             noEmpty,
	"list hyperv_vhd_compaction.vm_name":             "Both directory and vm_name are set",
	"list hyperv_vhd_compaction.extensions":          "at least 1 elements",
	"list hyperv_vhd_compaction.min_file_size_bytes": noEmpty,
	"list hyperv_vhd_compaction.timeouts":            asNull,
	"list hyperv_vhd_compaction.timeouts.list":       "a positive duration",

	"action hyperv_vhd_compact.path":             "the path is empty",
	"action hyperv_vhd_compact.host":             "Name a host",
	"action hyperv_vhd_compact.mode":             "one of Full",
	"action hyperv_vhd_compact.attach_read_only": noEmpty,
	"action hyperv_vhd_compact.if_in_use":        "one of fail, skip",
	"action hyperv_vhd_compact.allow_parent":     noEmpty,
	"action hyperv_vhd_compact.allow_replicated": noEmpty,
	"action hyperv_vhd_compact.max_passes":       noEmpty,
	"action hyperv_vhd_compact.timeouts":         asNull,
	"action hyperv_vhd_compact.timeouts.invoke":  "a positive duration",
}

// checked holds a schema, the inputs that every configuration of it needs, and how the provider
// checks one.
type checked struct {
	schema *tfprotov6.Schema
	needs  map[string]tftypes.Value
	check  func(t *testing.T, config *tfprotov6.DynamicValue) []*tfprotov6.Diagnostic
}

func everySchema(s server) map[string]checked {
	path := map[string]tftypes.Value{"path": text(diskPath)}
	directory := map[string]tftypes.Value{"directory": text(`D:\VMs`)}
	diagnostics := func(t *testing.T, err error, all []*tfprotov6.Diagnostic) []*tfprotov6.Diagnostic {
		t.Helper()
		must(t, err)
		return all
	}
	all := map[string]checked{
		"provider": {s.schema.Provider, map[string]tftypes.Value{"username": text("u"), "password": text("p")}, func(t *testing.T, c *tfprotov6.DynamicValue) []*tfprotov6.Diagnostic {
			t.Helper()
			p, err := factories()["hyperv"]()
			must(t, err)
			resp, err := p.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: c})
			return diagnostics(t, err, resp.Diagnostics)
		}},
	}
	for name, schema := range s.schema.ResourceSchemas {
		all[name] = checked{schema, path, func(t *testing.T, c *tfprotov6.DynamicValue) []*tfprotov6.Diagnostic {
			t.Helper()
			resp, err := s.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: name, Config: c})
			return diagnostics(t, err, resp.Diagnostics)
		}}
	}
	for name, schema := range s.schema.DataSourceSchemas {
		needs := path
		if name == "hyperv_vhds" {
			needs = directory
		}
		all["data "+name] = checked{schema, needs, func(t *testing.T, c *tfprotov6.DynamicValue) []*tfprotov6.Diagnostic {
			t.Helper()
			resp, err := s.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: c})
			return diagnostics(t, err, resp.Diagnostics)
		}}
	}
	for name, schema := range s.schema.ListResourceSchemas {
		all["list "+name] = checked{schema, directory, func(t *testing.T, c *tfprotov6.DynamicValue) []*tfprotov6.Diagnostic {
			t.Helper()
			resp, err := s.ProviderServer.(tfprotov6.ListResourceServer).ValidateListResourceConfig(t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: name, Config: c})
			return diagnostics(t, err, resp.Diagnostics)
		}}
	}
	for name, schema := range s.schema.ActionSchemas {
		all["action "+name] = checked{schema.Schema, path, func(t *testing.T, c *tfprotov6.DynamicValue) []*tfprotov6.Diagnostic {
			t.Helper()
			resp, err := s.ProviderServer.(tfprotov6.ActionServer).ValidateActionConfig(t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: name, Config: c})
			return diagnostics(t, err, resp.Diagnostics)
		}}
	}
	return all
}

// inputs lists the inputs of a schema with their members.
func inputs(attributes []*tfprotov6.SchemaAttribute) map[string]*tfprotov6.SchemaAttribute {
	all := map[string]*tfprotov6.SchemaAttribute{}
	for _, a := range attributes {
		if !a.Optional && !a.Required {
			continue
		}
		all[a.Name] = a
		if a.NestedType != nil {
			for name, member := range inputs(a.NestedType.Attributes) {
				all[a.Name+"."+name] = member
			}
		}
	}
	return all
}

// within returns a value for an input; for a member, the object around it.
func within(schema *tfprotov6.Schema, name string, value func(tftypes.Type) tftypes.Value) (string, tftypes.Value) {
	types := schema.ValueType().(tftypes.Object).AttributeTypes
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		return outer, value(types[outer])
	}
	object := types[outer].(tftypes.Object)
	members := map[string]tftypes.Value{}
	for member, kind := range object.AttributeTypes {
		members[member] = tftypes.NewValue(kind, nil)
	}
	members[inner] = value(object.AttributeTypes[inner])
	return outer, tftypes.NewValue(object, members)
}

// emptyOf returns the empty value of a type; a number or a bool has none.
func emptyOf(of tftypes.Type) (v tftypes.Value, ok bool) {
	switch kind := of.(type) {
	case tftypes.List:
		return tftypes.NewValue(of, []tftypes.Value{}), true
	case tftypes.Map:
		return tftypes.NewValue(of, map[string]tftypes.Value{}), true
	case tftypes.Object:
		members := map[string]tftypes.Value{}
		for name, member := range kind.AttributeTypes {
			members[name] = tftypes.NewValue(member, nil)
		}
		return tftypes.NewValue(of, members), true
	}
	return tftypes.NewValue(tftypes.String, ""), of.Is(tftypes.String)
}

// TestEveryInput holds null, empty and unknown apart, for every input of every
// schema, and the table to the schemas.
func TestEveryInput(t *testing.T) {
	t.Parallel()
	s := serve(t, host(t, hypervsim.WithVHD(vhd())))
	rows := maps.Clone(emptyInputs)
	for prefix, c := range everySchema(s) {
		for name, a := range inputs(c.schema.Block.Attributes) {
			row, ok := rows[prefix+"."+name]
			if !ok {
				t.Errorf("the table lacks a row for %s.%s", prefix, name)
			}
			delete(rows, prefix+"."+name)
			t.Run(prefix+"."+name, func(t *testing.T) {
				t.Parallel()
				c.checkInput(t, s, name, a, row)
			})
		}
	}
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("the table has a row for %s, which no schema has", row)
	}
}

func (c checked) checkInput(t *testing.T, s server, name string, a *tfprotov6.SchemaAttribute, row string) {
	t.Helper()
	told := func(value func(tftypes.Type) tftypes.Value) string {
		set := maps.Clone(c.needs)
		outer, v := within(c.schema, name, value)
		set[outer] = v
		config := s.object(c.schema, set)
		var all []string
		for _, d := range c.check(t, &config) {
			all = append(all, strings.Join(strings.Fields(said(d)), " "))
		}
		return strings.Join(all, "\n")
	}
	kerberos := strings.HasPrefix(name, "kerberos.") // null members of an object that is set
	if got := told(func(of tftypes.Type) tftypes.Value { return tftypes.NewValue(of, nil) }); got != "" && !a.Required && !kerberos && c.needs[name].Type() == nil {
		t.Errorf("null: %s", got)
	}
	if got := told(func(of tftypes.Type) tftypes.Value { return tftypes.NewValue(of, tftypes.UnknownValue) }); got != "" && !kerberos {
		t.Errorf("unknown: %s", got)
	}
	got := told(func(of tftypes.Type) tftypes.Value {
		if v, ok := emptyOf(of); ok {
			return v
		}
		if row != noEmpty {
			t.Errorf("%s has no empty value", of)
		}
		if of.Is(tftypes.Bool) {
			return tftypes.NewValue(of, nil)
		}
		return tftypes.NewValue(of, new(big.Float).SetInt64(1))
	})
	switch row {
	case asNull, noEmpty:
		if got != "" {
			t.Errorf("empty, want it %s: %s", row, got)
		}
	default:
		if !strings.Contains(got, row) {
			t.Errorf("empty: %q, want %q", got, row)
		}
	}
}
