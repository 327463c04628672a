package provider_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const listAddress = "data.hyperv_vhds.disk"

// shelf starts a host with disks in two directories and a virtual machine.
func shelf(t *testing.T) *hypervsim.Host {
	t.Helper()
	one := func(path string, size int64) hypervsim.VHD {
		return vhd(func(v *hypervsim.VHD) { v.Path, v.FileSize, v.ReclaimableMounted = path, size, 0 })
	}
	return host(t,
		hypervsim.WithVHD(one(`D:\VMs\web02.vhd`, 2*gib), vhd(), one(`D:\VMs\Old\é'1%.vhdx`, gib)),
		hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMRunning, Disks: []string{diskPath}}))
}

// of returns the path of a member of a listed disk.
func of(index int, member string) tfjsonpath.Path {
	return tfjsonpath.New("disks").AtSliceIndex(index).AtMapKey(member)
}

func TestVHDsDataSource_directory(t *testing.T) {
	t.Parallel()
	sim := shelf(t)
	steps(t, resource.TestStep{
		Config: providerFor(sim) + dataSource("hyperv_vhds", settings{"directory": quote(`D:\VMs`), "recurse": "true"}),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(listAddress, at("host"), knownvalue.Null()),
			statecheck.ExpectKnownValue(listAddress, at("disks"), knownvalue.ListSizeExact(3)),
			statecheck.ExpectKnownValue(listAddress, of(0, "path"), knownvalue.StringExact(`D:\VMs\old\é'1%.vhdx`)),
			statecheck.ExpectKnownValue(listAddress, of(1, "path"), knownvalue.StringExact(diskPath)),
			statecheck.ExpectKnownValue(listAddress, of(1, "file_size_bytes"), knownvalue.Int64Exact(10*gib)),
			statecheck.ExpectKnownValue(listAddress, of(1, "format"), knownvalue.StringExact("vhdx")),
			statecheck.ExpectKnownValue(listAddress, of(1, "in_use_by"), usedBy("web01", "running")),
			statecheck.ExpectKnownValue(listAddress, of(1, "vhd_type"), knownvalue.Null()),
			statecheck.ExpectKnownValue(listAddress, of(2, "path"), knownvalue.StringExact(`D:\VMs\web02.vhd`)),
			statecheck.ExpectKnownValue(listAddress, of(2, "in_use_by"), usedBy()),
			statecheck.ExpectKnownValue(listAddress, at("paths"), knownvalue.SetSizeExact(3)),
		},
	})
	for _, r := range sim.Requests() {
		if r.Method == "GetVirtualHardDiskSettingData" && !slices.Contains(r.Parameters, hypervsim.Parameter{Name: "Path", Value: diskPath}) {
			t.Errorf("opened without inspect, and no machine names it: %v", r.Parameters)
		}
	}
}

func TestVHDsDataSource_selections(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		attributes settings
		want       []string
	}{
		"machine":    {settings{"vm_name": `"WEB01"`}, []string{diskPath}},
		"extensions": {settings{"directory": quote(`D:\VMs`), "extensions": `["vhd"]`}, []string{`D:\VMs\web02.vhd`}},
		"minimum":    {settings{"directory": quote(`D:\VMs`), "recurse": "true", "min_file_size_bytes": "2147483649"}, []string{diskPath}},
		"nothing":    {settings{"directory": quote(`D:\VMs`), "min_file_size_bytes": "999999999999"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := []knownvalue.Check{}
			for _, path := range test.want {
				want = append(want, knownvalue.StringExact(path))
			}
			steps(t, resource.TestStep{
				Config:            providerFor(shelf(t)) + dataSource("hyperv_vhds", test.attributes),
				ConfigStateChecks: inData(listAddress, "paths", knownvalue.SetExact(want)),
			})
		})
	}
}

// inspect opens the disks; one that cannot be opened is a warning.
func TestVHDsDataSource_inspect(t *testing.T) {
	t.Parallel()
	sim := shelf(t)
	sim.AddRule(hypervsim.Rule{
		Method: "GetVirtualHardDiskSettingData", Path: `web02`, Times: -1, Effect: hypervsim.Fault(0x80041001, hypervsim.FaultForm(0)),
	})
	steps(t, resource.TestStep{
		Config: providerFor(sim) + dataSource("hyperv_vhds", settings{"directory": quote(`D:\VMs`), "inspect": "true"}),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(listAddress, of(0, "vhd_type"), knownvalue.StringExact("dynamic")),
			statecheck.ExpectKnownValue(listAddress, of(0, "virtual_size_bytes"), knownvalue.NotNull()),
			statecheck.ExpectKnownValue(listAddress, of(1, "vhd_type"), knownvalue.Null()),
		},
	})
}

// A disk that cannot be ordered under its path does not end the plan of the others.
func TestVHDsDataSource_refusedPath(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path = "D:\\VMs\\web\u00a002.vhdx" })))
	c := newCLI(t)
	c.write(providerFor(sim) + dataSource("hyperv_vhds", settings{"directory": quote(`D:\VMs`)}) + `
resource "hyperv_vhd_compaction" "all" {
  for_each = data.hyperv_vhds.disk.paths
  path     = each.key
}

output "disks" {
  value = length(data.hyperv_vhds.disk.disks)
}
`)
	contains(t, c.expect(0, "apply", "-auto-approve"), "Disks that cannot be compacted under their paths", "U+00A0", "1 added", "disks = 2")
}

// A listing is made for for_each: as a set of paths and as a map of objects,
// under the same keys.
func TestVHDsDataSource_forEach(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\web02.vhdx` })))
	c := newCLI(t)
	write := func(collection, path string) {
		c.write(providerFor(sim) + dataSource("hyperv_vhds", settings{"directory": quote(`D:\VMs`)}) +
			"resource \"hyperv_vhd_compaction\" \"all\" {\n  for_each = " + collection + "\n  path = " + path + "\n}\n")
	}
	plan := []string{"plan", "-detailed-exitcode", "-input=false"}

	write("data.hyperv_vhds.disk.paths", "each.value")
	c.expect(0, "apply", "-auto-approve", "-input=false")
	c.expect(0, plan...)
	write("{ for d in data.hyperv_vhds.disk.disks : d.path => d }", "each.value.path")
	c.expect(0, plan...)
	compactions(t, sim, 2)

	// A volume that is offline is no reason to forget its disks.
	sim.RemoveVolume("D:")
	contains(t, c.expect(1, append(plan, "-refresh=false")...), "Unable to list virtual hard disks")
}

func TestVHDsDataSource_fails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		attributes settings
		want       string
	}{
		"neither":          {settings{}, `Neither directory nor vm_name`},
		"both":             {settings{"directory": quote(`D:\VMs`), "vm_name": `"web01"`}, `Both directory and vm_name`},
		"recurse machine":  {settings{"vm_name": `"web01"`, "recurse": "true"}, `in\s+no\s+directory`},
		"empty machine":    {settings{"vm_name": `""`}, `the\s+name\s+or\s+the\s+GUID`},
		"other extension":  {settings{"directory": quote(`D:\VMs`), "extensions": `["iso"]`}, `one\s+of\s+vhd,\s+vhdx`},
		"no directory":     {settings{"directory": quote(`D:\nothing`)}, `Unable to list virtual hard disks`},
		"share":            {settings{"directory": quote(`\\nas\vms`)}, `Write\s+the\s+drive\s+letter`},
		"volume":           {settings{"directory": quote(`\\?\Volume{11111111-2222-3333-4444-555555555555}\VMs`)}, `Write\s+the\s+drive\s+letter`},
		"no machine":       {settings{"vm_name": `"nobody"`}, `no\s+virtual\s+machine\s+is\s+named\s+"nobody"`},
		"relative":         {settings{"directory": `"VMs"`}, `relative`},
		"negative minimum": {settings{"directory": quote(`D:\VMs`), "min_file_size_bytes": "-1"}, `at\s+least\s+0`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, shelf(t))
			refuses(t, s.read("hyperv_vhds", written(t, test.attributes, s.schema.DataSourceSchemas["hyperv_vhds"])), test.want)
		})
	}
}

// A minimum in the data source takes a disk out of for_each when it is compacted;
// in the resource it does not.
func TestVHDsDataSource_minimumAndForEach(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path, v.FileSize = `D:\VMs\small.vhdx`, gib })))
	c := newCLI(t)
	write := func(listed, compacted string) {
		c.write(providerFor(sim) + dataSource("hyperv_vhds", settings{"directory": quote(`D:\VMs`), "min_file_size_bytes": listed}) +
			"resource \"hyperv_vhd_compaction\" \"all\" {\n  for_each = data.hyperv_vhds.disk.paths\n  path = each.value\n  min_file_size_bytes = " + compacted + "\n}\n")
	}
	const fiveGiB = "5368709120"
	write("0", fiveGiB)
	contains(t, c.expect(0, "apply", "-auto-approve", "-input=false"), "2 added")
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
	compactions(t, sim, 1)

	write(fiveGiB, "0") // the disk has 4 GiB now
	contains(t, c.expect(2, "plan", "-detailed-exitcode", "-input=false"), "0 to add, 0 to change, 2 to destroy")
}

// An error of one disk, or missing rights to see its users, is reported and ends nothing.
func TestVHDsDataSource_warnings(t *testing.T) {
	t.Parallel()
	directory := map[string]tftypes.Value{"directory": text(`D:\VMs`), "inspect": tftypes.NewValue(tftypes.Bool, true)}
	for name, test := range map[string]struct {
		rule hypervsim.Rule
		want []string
	}{
		"a disk that does not open": {
			hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Path: `web02`, Times: -1, Effect: hypervsim.Fault(0x80041001, hypervsim.FaultForm(0))},
			[]string{"WARNING at : Virtual hard disk not inspected", `Path: D:\VMs\web02.vhd`, "Host: 127.0.0.1", "0x80041001"},
		},
		"users not visible": {
			hypervsim.Rule{Class: "Msvm_StorageAllocationSettingData", Times: -1, Effect: hypervsim.Fault(5, hypervsim.FaultFormAny)},
			[]string{"WARNING at : Use of disks by virtual machines not visible", "0x00000005"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := shelf(t)
			sim.AddRule(test.rule)
			saysOnce(t, serve(t, sim).read("hyperv_vhds", directory), test.want...)
		})
	}
}

// A host that goes down among its disks ends the listing: the disks that were
// read so far must not be taken for all of them.
func TestVHDsDataSource_hostGoesDown(t *testing.T) {
	t.Parallel()
	sim := shelf(t)
	sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Times: -1, Effect: hypervsim.Status(http.StatusServiceUnavailable)})
	said := serve(t, sim).read("hyperv_vhds", map[string]tftypes.Value{
		"directory": text(`D:\VMs`), "inspect": tftypes.NewValue(tftypes.Bool, true),
	})
	saysOnce(t, said, "ERROR at : Unable to list virtual hard disks", "Path: "+diskPath, "503")
}

// The error of a listing is at the attribute that asked for it and says what
// helps.
func TestVHDsDataSource_errors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []hypervsim.Option
		set     map[string]tftypes.Value
		want    []string
	}{
		"machine on an old host": {
			[]hypervsim.Option{hypervsim.WithGenerations(hypervsim.V1)},
			map[string]tftypes.Value{"vm_name": text("web01")},
			[]string{
				`ERROR at AttributeName("vm_name"): Unable to list virtual hard disks`, "Virtual machine: web01\nHost: 127.0.0.1",
				`a host with only root\virtualization`, "Set directory in place of vm_name: only hosts since Windows Server 2012",
			},
		},
		"no such machine": {
			nil,
			map[string]tftypes.Value{"vm_name": text("nobody")},
			[]string{`AttributeName("vm_name")`, `no virtual machine is named "nobody"`, "Write vm_name as the host shows it"},
		},
		"no such directory": {
			nil,
			map[string]tftypes.Value{"directory": text(`D:\nothing`)},
			[]string{`AttributeName("directory")`, "Path: D:\\nothing\nHost: 127.0.0.1", "\n\nCheck directory, and that its volume is online."},
		},
		"share": {
			nil,
			map[string]tftypes.Value{"directory": text(`\\nas\vms`)},
			[]string{`AttributeName("directory")`, "Write the drive letter, or set vm_name in place of directory."},
		},
		"wrong password": {
			[]hypervsim.Option{hypervsim.WithUser(hypervsim.DefaultUser, "another")},
			map[string]tftypes.Value{"vm_name": text("web01")},
			[]string{"ERROR at : Unable to list", "Virtual machine: web01\nHost: 127.0.0.1", "401"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			saysOnce(t, serve(t, host(t, test.options...)).read("hyperv_vhds", test.set), test.want...)
		})
	}
}
