package provider_test

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// server is the provider, spoken to as Terraform speaks, for requests that the
// Terraform at hand is too old to make.
type server struct {
	t *testing.T
	tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

// serve configures the provider for a host; changes replace attributes.
func serve(t *testing.T, sim *hypervsim.Host, changes ...map[string]tftypes.Value) server {
	t.Helper()
	s, said := configure(t, sim, nil, changes...)
	s.clean(said)
	return s
}

// configure does so for a client that may have more capabilities than others, and returns the
// diagnostics.
func configure(t *testing.T, sim *hypervsim.Host, client *tfprotov6.ConfigureProviderClientCapabilities, changes ...map[string]tftypes.Value) (server, []*tfprotov6.Diagnostic) {
	t.Helper()
	p, err := factories()["hyperv"]()
	must(t, err)
	schema, err := p.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	must(t, err)
	s := server{t: t, ProviderServer: p, schema: schema}
	s.clean(schema.Diagnostics)
	attributes := map[string]tftypes.Value{
		"host": text(sim.HostName()), "port": tftypes.NewValue(tftypes.Number, sim.Port()), "https": tftypes.NewValue(tftypes.Bool, false),
		"username": text(hypervsim.DefaultUser), "password": text(hypervsim.DefaultPassword),
	}
	for _, change := range changes {
		maps.Copy(attributes, change)
	}
	config := s.object(schema.Provider, attributes)
	configured, err := p.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &config, ClientCapabilities: client})
	must(t, err)
	return s, configured.Diagnostics
}

// refused configures the provider with some settings, and asks it if it accepts them; one of the
// two must refuse.
func refused(t *testing.T, sim *hypervsim.Host, provider settings, want string, ask func(s server) []*tfprotov6.Diagnostic) {
	t.Helper()
	s, said := configure(t, sim, nil, written(t, provider, serve(t, sim).schema.Provider))
	if len(said) == 0 {
		said = ask(s)
	}
	refuses(t, said, want)
}

func text(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

// object returns a configuration in which everything but some attributes is null.
func (s server) object(schema *tfprotov6.Schema, set map[string]tftypes.Value) tfprotov6.DynamicValue {
	s.t.Helper()
	kind, ok := schema.ValueType().(tftypes.Object)
	if !ok {
		s.t.Fatalf("the schema is a %T", schema.ValueType())
	}
	all := map[string]tftypes.Value{}
	for name, t := range kind.AttributeTypes {
		all[name] = tftypes.NewValue(t, nil)
		if v, ok := set[name]; ok {
			all[name] = v
		}
	}
	v, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, all))
	must(s.t, err)
	return v
}

// written returns the values of a configuration with some settings: texts in quotes, numbers,
// bools, and lists and objects of texts, as the tests write them.
func written(t *testing.T, s settings, schema *tfprotov6.Schema) map[string]tftypes.Value {
	t.Helper()
	types := schema.ValueType().(tftypes.Object).AttributeTypes
	all := map[string]tftypes.Value{}
	for name, text := range s {
		if text == "" {
			all[name] = tftypes.NewValue(types[name], nil)
			continue
		}
		all[name] = value(t, types[name], text)
	}
	return all
}

func value(t *testing.T, of tftypes.Type, text string) tftypes.Value {
	t.Helper()
	switch kind := of.(type) {
	case tftypes.List:
		member := value(t, kind.ElementType, strings.Trim(text, "[] "))
		return tftypes.NewValue(of, []tftypes.Value{member})
	case tftypes.Map:
		members := map[string]tftypes.Value{}
		for pair := range strings.SplitSeq(strings.Trim(text, "{} "), ", ") {
			name, member, _ := strings.Cut(pair, " = ")
			members[strings.Trim(name, `"`)] = value(t, kind.ElementType, member)
		}
		return tftypes.NewValue(of, members)
	case tftypes.Object:
		name, member, _ := strings.Cut(strings.Trim(text, "{} "), " = ")
		members := map[string]tftypes.Value{}
		for other, k := range kind.AttributeTypes {
			members[other] = tftypes.NewValue(k, nil)
		}
		members[name] = value(t, kind.AttributeTypes[name], member)
		return tftypes.NewValue(of, members)
	}
	if of.Is(tftypes.String) {
		unquoted, err := strconv.Unquote(text)
		must(t, err)
		return tftypes.NewValue(of, unquoted)
	}
	if of.Is(tftypes.Bool) {
		return tftypes.NewValue(of, text == "true")
	}
	n, _, err := big.ParseFloat(text, 10, 64, big.ToNearestEven)
	must(t, err)
	return tftypes.NewValue(of, n)
}

// planned validates and plans the creation of a disk, and returns the diagnostics.
func (s server) planned(set map[string]tftypes.Value) []*tfprotov6.Diagnostic {
	s.t.Helper()
	schema := s.schema.ResourceSchemas[compactionName]
	config := s.object(schema, set)
	valid, err := s.ValidateResourceConfig(s.t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: compactionName, Config: &config})
	must(s.t, err)
	if len(valid.Diagnostics) > 0 {
		return valid.Diagnostics
	}
	none, err := tfprotov6.NewDynamicValue(schema.ValueType(), tftypes.NewValue(schema.ValueType(), nil))
	must(s.t, err)
	plan, err := s.PlanResourceChange(s.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: compactionName, PriorState: &none, Config: &config, ProposedNewState: &config,
	})
	must(s.t, err)
	return plan.Diagnostics
}

// refuses expects diagnostics of which one matches.
func refuses(t *testing.T, diagnostics []*tfprotov6.Diagnostic, want string) {
	t.Helper()
	var all strings.Builder
	for _, d := range diagnostics {
		all.WriteString(said(d) + "\n")
	}
	if !regexp.MustCompile(want).MatchString(all.String()) {
		t.Errorf("no error matches %q:\n%s", want, &all)
	}
}

// clean fails the test when there are diagnostics.
func (s server) clean(diagnostics []*tfprotov6.Diagnostic) {
	s.t.Helper()
	for _, d := range diagnostics {
		s.t.Fatalf("%s: %s", d.Summary, d.Detail)
	}
}

// read validates and reads a data source and returns its diagnostics.
func (s server) read(name string, set map[string]tftypes.Value) []*tfprotov6.Diagnostic {
	s.t.Helper()
	config := s.object(s.schema.DataSourceSchemas[name], set)
	valid, err := s.ValidateDataResourceConfig(s.t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: name, Config: &config})
	must(s.t, err)
	if len(valid.Diagnostics) > 0 {
		return valid.Diagnostics
	}
	resp, err := s.ReadDataSource(s.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name, Config: &config})
	must(s.t, err)
	return resp.Diagnostics
}

// said writes a diagnostic as one text: severity, attribute, summary and detail.
func said(d *tfprotov6.Diagnostic) string {
	return fmt.Sprintf("%s at %s: %s\n%s", d.Severity, d.Attribute, d.Summary, d.Detail)
}

// saysOnce expects one diagnostic with certain parts.
func saysOnce(t *testing.T, diagnostics []*tfprotov6.Diagnostic, parts ...string) {
	t.Helper()
	if len(diagnostics) != 1 {
		t.Fatalf("%d diagnostics, want 1: %v", len(diagnostics), diagnostics)
	}
	for _, part := range parts {
		if text := said(diagnostics[0]); !strings.Contains(text, part) {
			t.Errorf("the diagnostic lacks %q:\n%s", part, text)
		}
	}
}

// identityType is the type of the identity of a disk.
var identityType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"host": tftypes.String, "path": tftypes.String}}

func identity(t *testing.T, host, path any) *tfprotov6.ResourceIdentityData {
	t.Helper()
	v, err := tfprotov6.NewDynamicValue(identityType, tftypes.NewValue(identityType, map[string]tftypes.Value{
		"host": tftypes.NewValue(tftypes.String, host), "path": tftypes.NewValue(tftypes.String, path),
	}))
	must(t, err)
	return &tfprotov6.ResourceIdentityData{IdentityData: &v}
}

// member reads a text of an object; empty for null.
func member(t *testing.T, v *tfprotov6.DynamicValue, kind tftypes.Type, name string) string {
	t.Helper()
	var s *string
	must(t, members(t, v, kind)[name].As(&s))
	if s == nil {
		return ""
	}
	return *s
}

// number reads a whole number of an object; 0 for null.
func number(t *testing.T, v *tfprotov6.DynamicValue, kind tftypes.Type, name string) int64 {
	t.Helper()
	n := new(big.Float)
	must(t, members(t, v, kind)[name].As(&n))
	if n == nil {
		return 0
	}
	whole, _ := n.Int64()
	return whole
}

func members(t *testing.T, v *tfprotov6.DynamicValue, kind tftypes.Type) map[string]tftypes.Value {
	t.Helper()
	object, err := v.Unmarshal(kind)
	must(t, err)
	all := map[string]tftypes.Value{}
	must(t, object.As(&all))
	return all
}
