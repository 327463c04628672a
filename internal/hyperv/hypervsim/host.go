package hypervsim

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/winrmsim"
)

// Host is a simulated Hyper-V host: a WinRM service in front of a simulated
// Hyper-V and file system. It is safe for concurrent use, shares nothing with
// other hosts, and keeps no goroutine after Close.
type Host struct {
	*winrmsim.Server
	world *world
}

// New returns a host that does not serve yet.
func New(opts ...Option) (*Host, error) {
	o := defaultOptions()
	for _, opt := range opts {
		opt.apply(&o)
	}
	if o.site == nil {
		o.site = newSite()
	}
	w := newWorld(o.wire.Clock, o.wire.Log, o.site)
	w.host, w.locale, w.withoutRole = o.wire.ComputerName, o.wire.Locale, o.withoutHyperV()
	if r := o.releaseOf(); r != 0 {
		w.release = r
	}
	if w.release == Server2008 {
		o.wire.QuotaCode = winrmsim.QuotaOperations
	}
	s, err := winrmsim.New(o.wire, w)
	if err != nil {
		w.close()
		return nil, err
	}
	h := &Host{Server: s, world: w}
	if err := h.arrange(o.arrange); err != nil {
		w.close()
		return nil, err
	}
	return h, nil
}

// arrange puts on the host what the options ask for.
func (h *Host) arrange(arrangements []func(h *Host) error) error {
	for _, arrange := range arrangements {
		if err := arrange(h); err != nil {
			return err
		}
	}
	return nil
}

// Close ends every connection and waits until nothing of the host runs.
func (h *Host) Close() error {
	defer h.world.close()
	return h.Server.Close()
}
