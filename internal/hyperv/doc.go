// Package hyperv does on a Hyper-V host what this provider needs: it inspects
// virtual hard disks, compacts them, follows and cancels storage jobs, attaches
// and detaches, limits how much runs at once, and says what an error means.
//
// It speaks to Msvm_ImageManagementService over WS-Management, in both
// generations of the WMI provider, and runs no program on the host. Nothing in
// it knows Terraform or XML.
package hyperv
