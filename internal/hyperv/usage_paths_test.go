package hyperv_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
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
