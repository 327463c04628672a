package hypervsim

import (
	"slices"
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

// denies reports whether a caller is kept out of a namespace.
func (w *world) denies(by wmi.Caller, namespace string) bool {
	for _, d := range w.denied {
		if strings.EqualFold(d.namespace, namespace) && (d.account == "" || strings.EqualFold(d.account, by.User)) {
			return true
		}
	}
	return false
}

// CloseDirectory closes a directory, and all below it, to the management service, like a share that
// the service cannot reach with the rights of its caller.
func (h *Host) CloseDirectory(path string) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.closed = append(h.world.closed, h.world.key(path))
}

func (w *world) isClosed(path string) bool {
	key := w.key(path)
	return slices.ContainsFunc(w.closed, func(root string) bool {
		_, below := replaceRoot(key, root, "")
		return below
	})
}

// HideVMs hides the virtual machines and the computer itself from every account: the enumerations
// are empty, nothing is denied. WithMember makes a single account that sees nothing of Hyper-V.
//
// Unverified on a real host (machines-hidden-from-account): that the host's own
// Msvm_ComputerSystem is missing then.
func (h *Host) HideVMs(hidden bool) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.hidesVMs = hidden
}
