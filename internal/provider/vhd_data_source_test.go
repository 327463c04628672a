package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const dataAddress = "data.hyperv_vhd.disk"

// dataSource writes a data source block named disk.
func dataSource(kind string, attributes settings) string {
	return "data \"" + kind + "\" \"disk\" {\n" + attributes.render() + "}\n"
}

// inData checks attributes of a data source, given as name and value in turn.
func inData(address string, pairs ...any) []statecheck.StateCheck {
	var all []statecheck.StateCheck
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, statecheck.ExpectKnownValue(address, at(pairs[i].(string)), exactly(pairs[i+1])))
	}
	return all
}

// usedBy expects the virtual machines that refer to a disk, as name and kind in turn.
func usedBy(pairs ...string) knownvalue.Check {
	all := []knownvalue.Check{}
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, knownvalue.ObjectExact(map[string]knownvalue.Check{
			"machine": knownvalue.StringExact(pairs[i]), "node": knownvalue.StringExact("HYPERV01"),
			"kind": knownvalue.StringExact(pairs[i+1]), "child_path": knownvalue.Null(),
		}))
	}
	return knownvalue.ListExact(all)
}

func TestVHDDataSource(t *testing.T) {
	t.Parallel()
	fragmentation := uint32(7)
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.MinInternalSize, v.FragmentationPercent = 64*gib, &fragmentation })), hypervsim.WithVM(
		hypervsim.VM{Name: "web01", State: hypervsim.VMRunning, Disks: []string{diskPath}},
		hypervsim.VM{Name: "copy", Disks: []string{diskPath}}))
	steps(t, resource.TestStep{
		Config: providerFor(sim) + dataSource("hyperv_vhd", settings{"path": quote(`d:/vms/WEB01.vhdx`)}),
		ConfigStateChecks: inData(dataAddress,
			"path", `d:/vms/WEB01.vhdx`, "host", nil, "format", "vhdx", "vhd_type", "dynamic",
			"file_size_bytes", 10*gib, "virtual_size_bytes", 127*gib, "minimum_virtual_size_bytes", 64*gib,
			"fragmentation_percent", 7, "block_size_bytes", knownvalue.NotNull(),
			"logical_sector_size_bytes", knownvalue.NotNull(), "physical_sector_size_bytes", knownvalue.NotNull(),
			"parent_path", nil, "attached", "none", "in_use_by", usedBy("copy", "off", "web01", "running")),
	})
	if n := sim.Calls("CompactVirtualHardDisk") + sim.Calls("AttachVirtualHardDisk"); n != 0 {
		t.Errorf("reading changed something on the host %d times", n)
	}
}

func TestVHDDataSource_attached(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		readOnly bool
		want     string
	}{"read only": {true, "read_only"}, "with write access": {false, "read_write"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := hypervsim.RunT(t, hypervsim.WithVHD(vhd()))
			must(t, sim.Attach(diskPath, test.readOnly))
			steps(t, resource.TestStep{
				Config:            providerFor(sim) + dataSource("hyperv_vhd", settings{"path": quote(diskPath)}),
				ConfigStateChecks: inData(dataAddress, "attached", test.want, "in_use_by", usedBy()),
			})
		})
	}
}

// A host before Windows Server 2012 reports less, and the missing values are null.
func TestVHDDataSource_oldGeneration(t *testing.T) {
	t.Parallel()
	const path = `D:\VMs\old.vhd`
	sim := host(t, hypervsim.WithGenerations(hypervsim.V1), hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Path = path })))
	serve(t, sim).clean(serve(t, sim).read("hyperv_vhds", map[string]tftypes.Value{"directory": text(`D:\VMs`)}))
	steps(t, resource.TestStep{
		Config: providerFor(sim) + dataSource("hyperv_vhd", settings{"path": quote(path)}),
		ConfigStateChecks: inData(dataAddress,
			"format", "vhd", "file_size_bytes", 10*gib, "block_size_bytes", nil, "fragmentation_percent", nil,
			"attached", "none", "in_use_by", usedBy()),
	})
}

func TestVHDDataSource_fails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		attributes settings
		provider   settings
		want       string
	}{
		"missing file":  {settings{"path": quote(`D:\VMs\gone.vhdx`)}, nil, `Unable to read virtual hard disk`},
		"relative path": {settings{"path": `"web01.vhdx"`}, nil, `relative`},
		"no host":       {settings{"path": quote(diskPath)}, settings{"host": ""}, `HYPERV_HOST`},
		"bad host":      {settings{"path": quote(diskPath), "host": `"https://hv01"`}, nil, `Remove\s+the\s+scheme`},
		"bad timeout":   {settings{"path": quote(diskPath), "timeouts": `{ read = "0s" }`}, nil, `a\s+positive\s+duration`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			refused(t, sim, test.provider, test.want, func(s server) []*tfprotov6.Diagnostic {
				return s.read("hyperv_vhd", written(t, test.attributes, s.schema.DataSourceSchemas["hyperv_vhd"]))
			})
		})
	}
}
