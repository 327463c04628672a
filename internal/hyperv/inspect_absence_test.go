package hyperv_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const (
	mountedAt   = `D:\Mounts\fast`
	onMount     = mountedAt + `\web01.vhdx`
	clusterRoot = `C:\ClusterStorage\Volume1`
)

// withVolumes is a host with a volume that is mounted in a directory, and a cluster
// shared volume in that state.
func withVolumes(fault uint32, unlisted bool) []hypervsim.Option {
	return []hypervsim.Option{
		hypervsim.WithFailover(hypervsim.Failover{
			Name: "CLUSTER01", FQDN: "cluster01.lab.example", Nodes: map[string]hypervsim.NodeState{"HYPERV01": hypervsim.NodeUp},
			Volumes: map[string]uint32{clusterRoot: fault}, Unlisted: unlisted,
		}),
		hypervsim.WithDirectory(`D:\VMs`),
	}
}

// TestAbsence: a file is gone only if its volume answers; a directory in which
// a volume is mounted answers even without that volume.
func TestAbsence(t *testing.T) {
	t.Parallel()
	offline := func(sim *hypervsim.Host) { sim.SetMountOnline(mountedAt, false) }
	denies := func(class string) func(*hypervsim.Host) {
		return func(sim *hypervsim.Host) {
			sim.AddRule(hypervsim.Rule{Class: class, Times: -1, Effect: hypervsim.Fault(2150859014, hypervsim.FaultFormAny)})
		}
	}
	for name, tt := range map[string]struct {
		path  string
		fault uint32
		spoil func(*hypervsim.Host)
		want  error
	}{
		"plain directory":           {path: `D:\VMs\web01.vhdx`, want: hyperv.ErrNotFound},
		"root of a drive":           {path: `D:\web01.vhdx`, want: hyperv.ErrNotFound},
		"no such directory":         {path: `D:\none\web01.vhdx`, want: hyperv.ErrPathNotFound},
		"no such drive":             {path: `Q:\web01.vhdx`, want: hyperv.ErrPathNotFound},
		"mount point":               {path: onMount, want: hyperv.ErrNotFound},
		"mount point, offline":      {path: onMount, spoil: offline, want: hyperv.ErrPathNotFound},
		"below it, offline":         {path: mountedAt + `\sub\web01.vhdx`, spoil: offline, want: hyperv.ErrPathNotFound},
		"beside it, offline":        {path: `D:\Mounts\web01.vhdx`, spoil: offline, want: hyperv.ErrNotFound},
		"mount points denied":       {path: `D:\VMs\web01.vhdx`, spoil: denies(cim.ClassMountPoint), want: hyperv.ErrPathNotFound},
		"volume denied":             {path: onMount, spoil: denies(cim.ClassVolume), want: hyperv.ErrPathNotFound},
		"cluster volume":            {path: clusterRoot + `\web01.vhdx`, want: hyperv.ErrNotFound},
		"cluster volume redirected": {path: clusterRoot + `\web01.vhdx`, fault: hypervsim.FaultRedirected, want: hyperv.ErrNotFound},
		"cluster volume lost":       {path: clusterRoot + `\web01.vhdx`, fault: hypervsim.FaultNoAccess, want: hyperv.ErrPathNotFound},
		"cluster volume at rest":    {path: clusterRoot + `\web01.vhdx`, fault: hypervsim.FaultMaintenance, want: hyperv.ErrPathNotFound},
		"no such cluster volume":    {path: `C:\ClusterStorage\Volume9\web01.vhdx`, want: hyperv.ErrPathNotFound},
		"cluster denied":            {path: clusterRoot + `\web01.vhdx`, spoil: denies(cim.ClassClusterSharedVolume), want: hyperv.ErrPathNotFound},
		"share":                     {path: `\\nas\vms\web01.vhdx`, want: hyperv.ErrPathNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, withVolumes(tt.fault, false)...)
				sim.MountVolume(mountedAt)
				if tt.spoil != nil {
					tt.spoil(sim)
				}
				_, err := host.FileSize(t.Context(), tt.path)
				if !errors.Is(err, tt.want) {
					t.Errorf("size of %s: %v, want %v", tt.path, err, tt.want)
				}
				if gone := errors.Is(err, hyperv.ErrNotFound); gone != (tt.want == hyperv.ErrNotFound) { //nolint:errorlint // the sentinel of the table
					t.Errorf("gone = %t: %v", gone, err)
				}
			})
		})
	}
}

// TestAbsence_volumeLeaves: a volume that goes offline while the host is asked
// proves nothing.
func TestAbsence_volumeLeaves(t *testing.T) {
	t.Parallel()
	for _, class := range []string{cim.ClassDataFile, cim.ClassDirectory, cim.ClassMountPoint} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, withVolumes(0, false)...)
				sim.MountVolume(mountedAt)
				if class == cim.ClassDataFile {
					sim.AddVHD(base(onMount)) // otherwise the file would really be gone
				}
				sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskState", Effect: hypervsim.Returns(32779)})
				sim.AddRule(hypervsim.Rule{Class: class, Func: func(hypervsim.Request) { sim.SetMountOnline(mountedAt, false) }})
				if _, err := host.FileSize(t.Context(), onMount); !errors.Is(err, hyperv.ErrPathNotFound) || errors.Is(err, hyperv.ErrNotFound) {
					t.Errorf("error = %v, want ErrPathNotFound", err)
				}
			})
		})
	}
}

// TestAbsence_unnamed: what the host lists without its name may be what is asked about.
func TestAbsence_unnamed(t *testing.T) {
	t.Parallel()
	for class, property := range map[string]string{cim.ClassMountPoint: "Directory", cim.ClassClusterSharedVolume: "Name"} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				named := regexp.MustCompile(`<p:` + property + `[ >].*?</p:` + property + `>`)
				sim, host := simulate(t, append(withVolumes(0, false), hypervsim.WithAnswer(func(request, answer string) string {
					if strings.Contains(request, class) {
						return named.ReplaceAllString(answer, "")
					}
					return answer
				}))...)
				sim.MountVolume(mountedAt)
				sim.AddVHD(base(`C:\VMs\web02.vhdx`))
				got, err := listed(t.Context(), host, hyperv.Listing{Directory: `C:\`, Recurse: true})
				if !errors.Is(err, hyperv.ErrPathNotFound) || !strings.Contains(err.Error(), "without its "+strings.ToLower(property)) {
					t.Errorf("listed %q, %v, want that the list may lack disks", got, err)
				}
			})
		})
	}
}

// TestListBelowMountPoint: a directory with a volume in it that is offline is
// incomplete, not without disks.
func TestListBelowMountPoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, withVolumes(0, false)...)
		sim.MountVolume(mountedAt)
		sim.AddVHD(base(onMount))
		sim.AddVHD(base(`D:\Mounts\web02.vhdx`))
		sim.AddVHD(base(`D:\Mounts2\web03.vhdx`))
		for directory, want := range map[string]error{`D:\Mounts`: hyperv.ErrPathNotFound, mountedAt: hyperv.ErrPathNotFound, `D:\VMs`: nil, `D:\Mounts2`: nil} {
			sim.SetMountOnline(mountedAt, true)
			if got, err := listed(t.Context(), host, hyperv.Listing{Directory: directory, Recurse: true}); err != nil {
				t.Errorf("%s, online: %q, %v", directory, got, err)
			}
			sim.SetMountOnline(mountedAt, false)
			if got, err := listed(t.Context(), host, hyperv.Listing{Directory: directory, Recurse: true}); !errors.Is(err, want) {
				t.Errorf("%s, offline: %q, %v, want %v", directory, got, err, want)
			}
		}
		if got, err := listed(t.Context(), host, hyperv.Listing{Directory: `D:\Mounts`}); err != nil || len(got) != 1 {
			t.Errorf("one level: %q, %v, want the disk beside the mount point", got, err)
		}
	})
}

// TestListClusterVolume lists a directory on a cluster shared volume as far as the file classes
// show anything there, and does not take an empty answer for an empty directory.
func TestListClusterVolume(t *testing.T) {
	t.Parallel()
	disk := clusterRoot + `\VMs\web01.vhdx`
	for name, tt := range map[string]struct {
		directory string
		fault     uint32
		blind     bool
		want      []string
		err       error
	}{
		"a disk":                 {directory: clusterRoot + `\VMs`, want: []string{disk}},
		"from the root":          {directory: clusterRoot, want: []string{clusterRoot + `\vms\web01.vhdx`}},
		"a folder, no disk":      {directory: clusterRoot + `\Empty`},
		"nothing at all":         {directory: clusterRoot + `\Empty\Inner`, err: hyperv.ErrNotSupported},
		"classes that are blind": {directory: clusterRoot + `\VMs`, blind: true, err: hyperv.ErrNotSupported},
		"the volume is lost":     {directory: clusterRoot, fault: hypervsim.FaultNoAccess, err: hyperv.ErrPathNotFound},
		"one below is lost":      {directory: `C:\ClusterStorage`, fault: hypervsim.FaultNoAccess, err: hyperv.ErrPathNotFound},
		"the drive":              {directory: `C:\`, want: []string{`C:\clusterstorage\volume1\vms\web01.vhdx`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, withVolumes(tt.fault, tt.blind)...)
				sim.AddVHD(base(disk))
				sim.AddDirectory(clusterRoot + `\Empty\Inner`)
				got, err := listed(t.Context(), host, hyperv.Listing{Directory: tt.directory, Recurse: true})
				if !errors.Is(err, tt.err) {
					t.Errorf("error = %v, want %v", err, tt.err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
