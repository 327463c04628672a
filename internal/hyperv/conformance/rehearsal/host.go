package rehearsal

import (
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// Names and places on the host, the same as the set-up of a runner gives them.
const (
	Computer = "HVC"
	// Account is a local administrator.
	Account = Computer + `\hvc-admin`
	// Scratch is where the kit makes its disks.
	Scratch = `D:\hvc\scratch`
	// MemberScratch is where it makes them as an account with fewer rights.
	MemberScratch = `D:\hvc\members`
	// Formatted is the disk that the kit attaches and that acceptance tests compact
	// first.
	Formatted = `D:\hvc\disks\lifecycle.vhdx`
)

// Members returns the accounts that are not administrators, by their rights.
func Members() map[conformance.Rights]string {
	return map[conformance.Rights]string{
		conformance.RightsRemoteManagement: Computer + `\hvc-remote`,
		conformance.RightsHyperV:           Computer + `\hvc-hyperv`,
		conformance.RightsBoth:             Computer + `\hvc-both`,
		conformance.RightsNamespace:        Computer + `\hvc-namespace`,
		conformance.RightsRoot:             Computer + `\hvc-root`,
	}
}

// groups returns the groups of a member. On Windows, the last two members have rights that groups
// do not give.
func groups(r conformance.Rights) []hypervsim.Group {
	switch r {
	case conformance.RightsRemoteManagement:
		return []hypervsim.Group{hypervsim.RemoteManagementUsers}
	case conformance.RightsHyperV:
		return []hypervsim.Group{hypervsim.HyperVAdministrators}
	case conformance.RightsBoth, conformance.RightsNamespace, conformance.RightsRoot:
	}
	return []hypervsim.Group{hypervsim.RemoteManagementUsers, hypervsim.HyperVAdministrators}
}

// Host returns the options of a host as the set-up leaves a runner, and the
// description of it. A compaction lasts for takes.
func Host(password string, takes time.Duration) ([]hypervsim.Option, *conformance.Fixtures) {
	disks, forDisks := Disks(`D:\hvc\disks`, takes)
	machines, forMachines := Machines(`D:\hvc\machines`, "hvc-")
	options := []hypervsim.Option{
		hypervsim.WithComputerName(Computer), hypervsim.WithUser(Account, password), hypervsim.WithBasic(),
		hypervsim.WithDirectory(Scratch, MemberScratch, `C:\Documents and Settings`, `C:\Windows`),
		// The disks that the kit makes are small.
		hypervsim.WithCreatedVHD(hypervsim.VHD{JobDuration: 400 * time.Millisecond}),
	}
	for rights, account := range Members() {
		options = append(options, hypervsim.WithMember(account, password, groups(rights)...))
	}
	refused := true
	return append(append(options, disks...), machines...), &conformance.Fixtures{
		Machines: forMachines, Disks: forDisks, Formatted: Formatted, PlugIn: PlugIn, ChannelBinding: "Strict", FilteredTokenRefused: &refused,
	}
}
