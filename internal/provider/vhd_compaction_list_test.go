package provider_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const compactionName = "hyperv_vhd_compaction"

// list asks for disks.
func (s server) list(set map[string]tftypes.Value, limit int64, resources bool) []tfprotov6.ListResourceResult {
	s.t.Helper()
	config := s.object(s.schema.ListResourceSchemas[compactionName], set)
	lists, ok := s.ProviderServer.(tfprotov6.ListResourceServer)
	if !ok {
		s.t.Fatal("the provider serves no list resources")
	}
	valid, err := lists.ValidateListResourceConfig(s.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: compactionName, Config: &config})
	must(s.t, err)
	if len(valid.Diagnostics) > 0 {
		return []tfprotov6.ListResourceResult{{Diagnostics: valid.Diagnostics}}
	}
	stream, err := lists.ListResource(s.t.Context(), &tfprotov6.ListResourceRequest{
		TypeName: compactionName, Config: &config, IncludeResource: resources, Limit: limit,
	})
	must(s.t, err)
	return slices.Collect(stream.Results)
}

func TestVHDCompactionList(t *testing.T) {
	t.Parallel()
	yes := tftypes.NewValue(tftypes.Bool, true)
	for name, test := range map[string]struct {
		set   map[string]tftypes.Value
		limit int64
		want  map[string]string // display name by path
	}{
		"directory": {
			map[string]tftypes.Value{"directory": text(`D:\VMs`)},
			0,
			map[string]string{diskPath: diskPath + " on 127.0.0.1 (10.0 GiB)", `D:\VMs\web02.vhd`: `D:\VMs\web02.vhd on 127.0.0.1 (2.0 GiB)`},
		},
		"recurse, minimum": {
			map[string]tftypes.Value{"directory": text(`D:\VMs`), "recurse": yes, "min_file_size_bytes": tftypes.NewValue(tftypes.Number, 5*gib)},
			0,
			map[string]string{diskPath: diskPath + " on 127.0.0.1 (10.0 GiB)"},
		},
		"machine": {
			map[string]tftypes.Value{"vm_name": text("web01"), "host": text("localhost")},
			0,
			map[string]string{diskPath: diskPath + " on localhost (10.0 GiB)"},
		},
		"limit": {
			map[string]tftypes.Value{"directory": text(`D:\VMs`), "recurse": yes},
			1,
			map[string]string{`D:\VMs\web02.vhd`: `D:\VMs\web02.vhd on 127.0.0.1 (2.0 GiB)`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, shelf(t))
			got := map[string]string{}
			for _, r := range s.list(test.set, test.limit, true) {
				s.clean(r.Diagnostics)
				path := member(t, r.Identity.IdentityData, identityType, "path")
				got[path] = r.DisplayName
				kind := s.schema.ResourceSchemas[compactionName].ValueType()
				if member(t, r.Resource, kind, "path") != path || member(t, r.Resource, kind, "status") != "imported" {
					t.Errorf("%s: the resource is another one", path)
				}
				size := number(t, r.Resource, kind, "file_size_bytes")
				if size < gib || number(t, r.Resource, kind, "baseline_file_size_bytes") != size {
					t.Errorf("%s: the size is %d, want that of the file, and growth counted from it", path, size)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A listed disk can be imported by its identity, and the import begins with the
// included resource.
func TestVHDCompactionList_import(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	s := serve(t, sim)
	results := s.list(map[string]tftypes.Value{"directory": text(`D:\VMs`)}, 0, false)
	if len(results) != 1 {
		t.Fatalf("%d results, want 1", len(results))
	}
	imported, err := s.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: compactionName, Identity: results[0].Identity})
	must(t, err)
	s.clean(imported.Diagnostics)
	if got := member(t, imported.ImportedResources[0].State, s.schema.ResourceSchemas[compactionName].ValueType(), "id"); got != "127.0.0.1|"+diskPath {
		t.Errorf("id = %q", got)
	}
}

// A disk that cannot be ordered under its path is told of, and not listed for an import.
func TestVHDCompactionList_refusedPath(t *testing.T) {
	t.Parallel()
	s := serve(t, host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Path = "D:\\VMs\\web\u00a002.vhdx" }))))
	results := s.list(map[string]tftypes.Value{"directory": text(`D:\VMs`)}, 0, true)
	if len(results) != 1 || results[0].Identity != nil || len(results[0].Diagnostics) != 1 {
		t.Fatalf("results = %+v, want a warning alone", results)
	}
	holds(t, "the warning", results[0].Diagnostics[0].Detail, "U+00A0")
}

func TestVHDCompactionList_fails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set  map[string]tftypes.Value
		want string
	}{
		"neither":      {nil, "Neither directory nor vm_name"},
		"no directory": {map[string]tftypes.Value{"directory": text(`D:\nothing`)}, `directory D:\nothing`},
		"no machine":   {map[string]tftypes.Value{"vm_name": text("nobody")}, `no virtual machine is named "nobody"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results := serve(t, shelf(t)).list(test.set, 0, false)
			if len(results) != 1 || len(results[0].Diagnostics) != 1 {
				t.Fatalf("results = %+v, want one error", results)
			}
			d := results[0].Diagnostics[0]
			holds(t, "the error", d.Summary+": "+d.Detail, test.want)
		})
	}
}
