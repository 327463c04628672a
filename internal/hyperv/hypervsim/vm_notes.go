package hypervsim

import "github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"

// notes are the Notes of the settings with which a machine runs.
//
// Unverified on a real host (notes-unset): that they are null when there are none.
func (c configuration) notes() wmi.Property {
	if c.snapshot || len(c.machine.Notes) == 0 {
		return wmi.Null("Notes", wmi.TypeString)
	}
	return wmi.Texts("Notes", c.machine.Notes...)
}
