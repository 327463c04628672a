// Package hyperv does the work of this provider on a Hyper-V host: it inspects
// virtual hard disks, compacts them, follows and cancels storage jobs, attaches
// and detaches disks, limits how much runs at once, and explains errors.
//
// It speaks to Msvm_ImageManagementService over WS-Management, in both
// generations of the WMI provider, and runs no program on the host. Nothing in
// it knows Terraform or XML.
package hyperv
