package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

func TestProtocol_identity(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	s := serve(t, sim)
	kind := s.schema.ResourceSchemas["hyperv_vhd_compaction"].ValueType()
	for name, given := range map[string]any{"with a host": "localhost", "without a host": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, want := sim.HostName(), ""
			if given != nil {
				asked, want = "localhost", "localhost"
			}
			imported, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
				TypeName: "hyperv_vhd_compaction", Identity: identity(t, given, diskPath),
			})
			must(t, err)
			s.clean(imported.Diagnostics)
			one := imported.ImportedResources[0]
			read, err := s.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: "hyperv_vhd_compaction", CurrentState: one.State, Private: one.Private, CurrentIdentity: one.Identity,
			})
			must(t, err)
			s.clean(read.Diagnostics)
			if got := member(t, read.NewState, kind, "id"); got != asked+"|"+diskPath {
				t.Errorf("id = %s, want %s|%s", got, asked, diskPath)
			}
			for name, value := range map[string]string{"host": want, "path": diskPath} {
				if got := member(t, read.NewIdentity.IdentityData, identityType, name); got != value {
					t.Errorf("identity %s = %s, want %s", name, got, value)
				}
			}
		})
	}
}

// Terraform before 1.12 refuses an answer of Read without an identity, also when
// the resource is gone.
func TestProtocol_identityOfWhatIsGone(t *testing.T) {
	t.Parallel()
	sim := host(t)
	sim.AddDirectory(`D:\VMs`)
	s := serve(t, sim)
	imported, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: "hyperv_vhd_compaction", ID: diskPath})
	must(t, err)
	s.clean(imported.Diagnostics)
	one := imported.ImportedResources[0]
	read, err := s.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: "hyperv_vhd_compaction", CurrentState: one.State, Private: one.Private,
	})
	must(t, err)
	s.clean(read.Diagnostics)
	gone, err := read.NewState.Unmarshal(s.schema.ResourceSchemas["hyperv_vhd_compaction"].ValueType())
	must(t, err)
	if !gone.IsNull() {
		t.Error("the resource is still there, want it removed")
	}
	if got := member(t, read.NewIdentity.IdentityData, identityType, "path"); got != diskPath {
		t.Errorf("identity path = %s, want %s", got, diskPath)
	}
}

// Every attribute is described in one sentence or more that ends with a dot.
func TestProtocol_descriptions(t *testing.T) {
	t.Parallel()
	s := serve(t, host(t))
	var check func(where string, attributes []*tfprotov6.SchemaAttribute)
	check = func(where string, attributes []*tfprotov6.SchemaAttribute) {
		for _, a := range attributes {
			if !strings.HasSuffix(a.Description, ".") {
				t.Errorf("%s%s is described as %q, want a sentence", where, a.Name, a.Description)
			}
			if a.NestedType != nil {
				check(where+a.Name+".", a.NestedType.Attributes)
			}
		}
	}
	check("provider ", s.schema.Provider.Block.Attributes)
	for name, schema := range s.schema.ResourceSchemas {
		check(name+" ", schema.Block.Attributes)
	}
	for name, schema := range s.schema.DataSourceSchemas {
		check("data "+name+" ", schema.Block.Attributes)
	}
	for name, schema := range s.schema.ListResourceSchemas {
		check("list "+name+" ", schema.Block.Attributes)
	}
	for name, schema := range s.schema.ActionSchemas {
		check("action "+name+" ", schema.Schema.Block.Attributes)
	}
}

// Nothing is asked, and nothing imported, while a part of the provider is unknown; all that asks
// says so.
func TestProtocol_providerUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"host", "password"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, host(t, hypervsim.WithVHD(vhd())), map[string]tftypes.Value{name: tftypes.NewValue(tftypes.String, tftypes.UnknownValue)})
			const want = "ERROR at : Provider configuration is not known yet"
			saysOnce(t, s.read("hyperv_vhd", map[string]tftypes.Value{"path": text(diskPath)}), want, "-target")
			saysOnce(t, s.read("hyperv_vhds", map[string]tftypes.Value{"directory": text(`D:\VMs`)}), want)
			results := s.list(map[string]tftypes.Value{"directory": text(`D:\VMs`)}, 0, false)
			if len(results) != 1 {
				t.Fatalf("%d results, want 1", len(results))
			}
			saysOnce(t, results[0].Diagnostics, want)
			imported, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: compactionName, ID: diskPath})
			must(t, err)
			saysOnce(t, imported.Diagnostics, want)
		})
	}
}

// A client that allows it gets an unknown host as a reason to ask again later, and an
// unknown connection as one for everything.
func TestProtocol_deferral(t *testing.T) {
	t.Parallel()
	unknown := tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	for name, test := range map[string]struct {
		unknown  string // attribute of the provider
		own      tftypes.Value
		deferred bool
	}{
		"everything known":            {own: tftypes.NewValue(tftypes.String, nil)},
		"host unknown":                {unknown: "host", own: tftypes.NewValue(tftypes.String, nil), deferred: true},
		"host unknown, its own known": {unknown: "host", own: text("127.0.0.1")},
		"password unknown":            {unknown: "password", own: text("127.0.0.1"), deferred: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			change := map[string]tftypes.Value{}
			if test.unknown != "" {
				change[test.unknown] = unknown
			}
			s, said := configure(t, sim, &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: true}, change)
			s.clean(said)
			state := s.object(s.schema.ResourceSchemas[compactionName], map[string]tftypes.Value{"path": text(diskPath), "host": test.own, "status": text("imported")})
			read, err := s.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: compactionName, CurrentState: &state, ClientCapabilities: &tfprotov6.ReadResourceClientCapabilities{DeferralAllowed: true},
			})
			must(t, err)
			s.clean(read.Diagnostics)
			config := s.object(s.schema.DataSourceSchemas["hyperv_vhd"], map[string]tftypes.Value{"path": text(diskPath), "host": test.own})
			data, err := s.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{
				TypeName: "hyperv_vhd", Config: &config, ClientCapabilities: &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: true},
			})
			must(t, err)
			s.clean(data.Diagnostics)
			config = s.object(s.schema.DataSourceSchemas["hyperv_vhds"], map[string]tftypes.Value{"directory": text(`D:\VMs`), "host": test.own})
			listed, err := s.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{
				TypeName: "hyperv_vhds", Config: &config, ClientCapabilities: &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: true},
			})
			must(t, err)
			s.clean(listed.Diagnostics)
			for what, deferred := range map[string]*tfprotov6.Deferred{"resource": read.Deferred, "hyperv_vhd": data.Deferred, "hyperv_vhds": listed.Deferred} {
				if (deferred != nil) != test.deferred || deferred != nil && deferred.Reason != tfprotov6.DeferredReasonProviderConfigUnknown {
					t.Errorf("%s: deferred = %v, want %t", what, deferred, test.deferred)
				}
			}
			if asked := sim.Exchanges() > 0; asked == test.deferred {
				t.Errorf("the host was asked = %t", asked)
			}
		})
	}
}

// A host that does not answer delays no operation beyond its timeouts.
func TestProtocol_timeouts(t *testing.T) {
	t.Parallel()
	disk := map[string]tftypes.Value{"path": text(diskPath), "timeouts": timeoutsValue("read", "100ms")}
	directory := func(operation string) map[string]tftypes.Value {
		return map[string]tftypes.Value{"directory": text(`D:\VMs`), "timeouts": timeoutsValue(operation, "100ms")}
	}
	for name, test := range map[string]struct {
		hangs hypervsim.Operation
		ask   func(s server) []*tfprotov6.Diagnostic
	}{
		"hyperv_vhd": {hypervsim.OperationInvoke, func(s server) []*tfprotov6.Diagnostic {
			return s.read("hyperv_vhd", disk)
		}},
		"hyperv_vhds": {hypervsim.OperationGet, func(s server) []*tfprotov6.Diagnostic {
			return s.read("hyperv_vhds", directory("read"))
		}},
		"list": {hypervsim.OperationGet, func(s server) []*tfprotov6.Diagnostic {
			return s.list(directory("list"), 0, false)[0].Diagnostics
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			sim.AddRule(hypervsim.Rule{Operation: test.hangs, Times: -1, Effect: hypervsim.Hang()})
			saysOnce(t, test.ask(serve(t, sim)), "ERROR", "the time limit of timeouts.", "is over")
		})
	}
}

func timeoutsValue(operation, bound string) tftypes.Value {
	kind := tftypes.Object{AttributeTypes: map[string]tftypes.Type{operation: tftypes.String}}
	return tftypes.NewValue(kind, map[string]tftypes.Value{operation: text(bound)})
}
