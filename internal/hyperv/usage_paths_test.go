package hyperv_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// spelling is one file that a machine names in one way and an order in another.
type spelling struct {
	named, ordered string
	state          hypervsim.VMState
	opts           []hypervsim.Option
	want           error
}

func spellings() map[string]spelling {
	const volume, guid = `\\?\Volume{11111111-2222-3333-4444-555555555555}`, "11111111-2222-3333-4444-555555555555"
	saved := func(named, ordered string, opts ...hypervsim.Option) spelling {
		return spelling{named, ordered, hypervsim.VMSaved, opts, hyperv.ErrInUse}
	}
	return map[string]spelling{
		"other case":                       saved(`d:\vms\WEB01.VHDX`, web),
		"slashes":                          saved(`D:/VMs/web01.vhdx`, web),
		"long form":                        saved(`\\?\D:\VMs\web01.vhdx`, web),
		"form of the object manager":       saved(`\??\D:\VMs\web01.vhdx`, web),
		"device form":                      saved(`\\.\D:\VMs\web01.vhdx`, web),
		"with dots":                        saved(`D:\VMs\.\old\..\web01.vhdx`, web),
		"with a dot at the end":            saved(`D:\VMs\web01.vhdx.`, web),
		"with a space at the end":          saved(`D:\VMs\web01.vhdx `, web),
		"own share, by name":               saved(web, `\\HYPERV01\d$\VMs\web01.vhdx`),
		"own share, by long name":          saved(web, `\\hyperv01.example.net\D$\VMs\web01.vhdx`),
		"own share, by localhost":          saved(web, `\\localhost\d$\VMs\web01.vhdx`),
		"own share, named by the machine":  saved(`\\hyperv01\d$\VMs\web01.vhdx`, web),
		"another share of the host itself": saved(web, `\\hyperv01\vms\web01.vhdx`, hypervsim.WithShare("vms", `D:\VMs`)),
		"dot at the end, on a share":       saved(`\\hyperv01\vms\web01.vhdx.`, web, hypervsim.WithShare("vms", `D:\VMs`)),
		"dots, on a share":                 saved(`\\hyperv01\vms\old\..\web01.vhdx\.`, web, hypervsim.WithShare("vms", `D:\VMs`)),
		"device form of a volume":          saved(`\\.\`+volume[4:]+`\VMs\web01.vhdx`, web, hypervsim.WithVolumeGUID("D:", guid)),
		"device form of a share":           saved(`\\.\UNC\hyperv01\d$\VMs\web01.vhdx`, web),
		"volume, in the order":             saved(web, volume+`\VMs\web01.vhdx`, hypervsim.WithVolumeGUID("D:", guid)),
		"volume, in the machine":           saved(volume+`\VMs\web01.vhdx`, web, hypervsim.WithVolumeGUID("D:", guid)),
		"short directory, in the machine":  saved(`D:\VIRTUA~1\web01.vhdx`, `D:\Virtual Machines\web01.vhdx`, hypervsim.WithShortName(`D:\Virtual Machines`, "VIRTUA~1")),
		"another disk of the same name":    {named: `D:\Other\web01.vhdx`, ordered: web, state: hypervsim.VMSaved},
	}
}

// TestMachineUnderAnySpelling: a saved machine keeps its disk however the two are
// spelled.
func TestMachineUnderAnySpelling(t *testing.T) {
	t.Parallel()
	for name, tt := range spellings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				file := web
				if strings.Contains(tt.ordered, "Virtual Machines") {
					file = tt.ordered
				}
				sim, host := simulate(t, append([]hypervsim.Option{
					hypervsim.WithVHD(base(file)),
					hypervsim.WithVM(hypervsim.VM{Name: "web01", State: tt.state, Disks: []string{tt.named}}),
				}, tt.opts...)...)
				if tt.want == nil {
					sim.AddVHD(base(tt.named))
				}
				got, err := attempt(t, host, tt.ordered)
				checkEnd(t, sim, tt.ordered, got, err, tt.want)
				clean(t, sim)
			})
		})
	}
}

// TestClosedDiskByAnyPath: a disk that cannot be read affects the other disks of its volume, also
// where a share of the host itself leads there, and those of no other server.
func TestClosedDiskByAnyPath(t *testing.T) {
	t.Parallel()
	closed := func(path string) hypervsim.VHD {
		return base(path, func(v *hypervsim.VHD) { v.Denied = true })
	}
	for name, tt := range map[string]struct {
		named, ordered string
		want           error
	}{
		"share of the drive":            {web, `\\HYPERV01\d$\VMs\free.vhdx`, hyperv.ErrUnseen},
		"share of the drive, localhost": {web, `\\localhost\D$\VMs\free.vhdx`, hyperv.ErrUnseen},
		"share of a folder":             {web, `\\hyperv01.example.net\vms\free.vhdx`, hyperv.ErrUnseen},
		"share, named by the machine":   {`\\hyperv01\d$\VMs\web01.vhdx`, free, hyperv.ErrUnseen},
		"share of another drive":        {web, `\\HYPERV01\e$\VMs\other.vhdx`, nil},
		"device form":                   {`\\.\D:\VMs\web01.vhdx`, free, hyperv.ErrUnseen},
		"another server":                {web, `\\nas\vms\free.vhdx`, nil},
		"another server, same share":    {`\\nas\d$\VMs\web01.vhdx`, free, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithShare("vms", `D:\VMs`), hypervsim.WithVHD(base(free), base(onE), base(`\\nas\vms\free.vhdx`), closed(tt.named)),
					hypervsim.WithVM(hypervsim.VM{Name: "web01", Disks: []string{tt.named}}))
				got, err := attempt(t, host, tt.ordered)
				checkEnd(t, sim, tt.ordered, got, err, tt.want)
				clean(t, sim)
			})
		})
	}
}

// TestClusterByShare: the nodes are asked for a disk of the cluster volume that is reached through
// a share of a node, and about one on a share, as far as they answer.
func TestClusterByShare(t *testing.T) {
	t.Parallel()
	const (
		share    = `\\sofs\vms\`
		below    = `ClusterStorage\Volume1\VMs\lone.vhdx`
		byNode   = `\\hv02\c$\` + below
		byOther  = `\\nas\c$\` + below
		byVolume = `\\?\Volume{11111111-2222-3333-4444-555555555555}\VMs\lone.vhdx`
	)
	hide := func(node string) func(*hypervsim.Cluster) {
		return func(c *hypervsim.Cluster) { c.Node(node).HideVMs(true) }
	}
	for name, tt := range map[string]struct {
		path    string
		silence func(*hypervsim.Cluster)
		want    error
	}{
		"saved elsewhere, by the host":       {`\\hv01\c$\ClusterStorage\Volume1\VMs\saved.vhdx`, nil, hyperv.ErrInUse},
		"saved elsewhere, by localhost":      {`\\localhost\C$\ClusterStorage\Volume1\VMs\saved.vhdx`, nil, hyperv.ErrInUse},
		"parent elsewhere, by the host":      {`\\HV01.lab.example\c$\ClusterStorage\Volume1\VMs\golden.vhdx`, nil, hyperv.ErrDependedOn},
		"free, a node is silent":             {`\\hv01\c$\ClusterStorage\Volume1\VMs\free.vhdx`, hide("HV03"), hyperv.ErrUnseen},
		"parent on a share":                  {share + "golden.vhdx", nil, hyperv.ErrDependedOn},
		"saved on a share":                   {share + "saved.vhdx", nil, hyperv.ErrInUse},
		"free on a share":                    {share + "free.vhdx", nil, nil},
		"free on a share, a node is silent":  {share + "free.vhdx", hide("HV03"), nil},
		"free on a share, the host is":       {share + "free.vhdx", hide("HV01"), hyperv.ErrUnseen},
		"saved on a share, a node is silent": {share + "saved.vhdx", hide("HV03"), hyperv.ErrInUse},
		"by a share of another node":         {byNode, hide("HV03"), hyperv.ErrUnseen},
		"by a share of another server":       {byOther, hide("HV03"), nil},
		"by volume, a node is silent":        {byVolume, hide("HV03"), hyperv.ErrUnseen},
		"free on a share, cluster denied":    {share + "free.vhdx", func(c *hypervsim.Cluster) { c.Node("HV01").Deny("", cim.NamespaceCluster) }, nil},
		"free on a share, a node is down":    {share + "free.vhdx", func(c *hypervsim.Cluster) { c.SetNode("HV03", hypervsim.NodeDown) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, host := simulateCluster(t, hypervsim.ClusterConfig{Shares: []string{`\\sofs\vms`, `\\hv02\c$`}}, nil)
				clusterWorld(c)
				hv01, hv02 := c.Node("HV01"), c.Node("HV02")
				for _, v := range []hypervsim.VHD{base(share + "golden.vhdx"), child(share+"clone.vhdx", share+"golden.vhdx"), base(share + "saved.vhdx"), base(share + "free.vhdx"), base(byNode), base(byOther), base(byVolume)} {
					hv01.AddVHD(v)
				}
				hv02.AddVM(hypervsim.VM{Name: "clone2", Disks: []string{share + "clone.vhdx"}})
				hv02.AddVM(hypervsim.VM{Name: "saved2", State: hypervsim.VMSaved, Disks: []string{share + "saved.vhdx"}})
				if tt.silence != nil {
					tt.silence(c)
				}
				got, err := attempt(t, host, tt.path)
				checkEnd(t, hv01, tt.path, got, err, tt.want)
				checkWarning(t, got, "", "")
			})
		})
	}
}

// TestNamesakeThatCannotBeCompared: a disk of a machine with the same name and
// identifier, whose state the host does not tell, may be the disk of the order.
func TestNamesakeThatCannotBeCompared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const id, copied = "AAAAAAAA-0000-4000-8000-000000000001", `E:\Copies\web01.vhdx`
		alike := func(v *hypervsim.VHD) { v.VirtualDiskID = id }
		sim, host := simulate(t, hypervsim.WithVHD(base(web, alike), base(copied, alike), base(free)),
			hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMSaved, Disks: []string{copied}}))
		sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskState", Path: copied, Times: -1, Effect: hypervsim.Returns(32769)})
		got, err := attempt(t, host, web)
		checkEnd(t, sim, web, got, err, hyperv.ErrUnseen)
		if err == nil || !strings.Contains(err.Error(), copied) {
			t.Errorf("error = %v, want the disk that could not be compared", err)
		}
		got, err = attempt(t, host, free)
		checkEnd(t, sim, free, got, err, nil)
		clean(t, sim)
	})
}
