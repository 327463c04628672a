package hypervsim

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// denial keeps an account out of a namespace.
type denial struct{ account, namespace string }

// Deny keeps an account, DOMAIN\name, out of a namespace; an empty account stands
// for all.
func (h *Host) Deny(account, namespace string) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.denied = append(h.world.denied, denial{account, namespace})
}

// denies tells whether a caller is kept out of a namespace.
func (w *world) denies(by wmi.Caller, namespace string) bool {
	for _, d := range w.denied {
		if strings.EqualFold(d.namespace, namespace) && (d.account == "" || strings.EqualFold(d.account, by.User)) {
			return true
		}
	}
	return false
}

// HideVMs shows every account no virtual machine and not even the computer
// itself, as an account without rights in Hyper-V is: the enumerations are empty,
// nothing is denied.
//
// Unverified on a real host (machines-hidden-from-account): that the host's own
// Msvm_ComputerSystem is missing then.
func (h *Host) HideVMs(hidden bool) { h.hideVMs("", hidden) }

// HideVMsFrom does so for one account, DOMAIN\name.
func (h *Host) HideVMsFrom(account string) { h.hideVMs(account, true) }

func (h *Host) hideVMs(account string, hidden bool) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.hidesVMs[strings.ToLower(account)] = hidden
}

// hides tells whether somebody sees no machines.
func (w *world) hides(v view) bool {
	return w.hidesVMs[""] || w.hidesVMs[strings.ToLower(v.by.User)]
}
