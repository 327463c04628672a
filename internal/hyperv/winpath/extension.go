package winpath

import "strings"

// checkFile returns the reason why an otherwise good path is not the path of a virtual hard disk.
func checkFile(path string) refusal {
	if isSeparator(path[len(path)-1]) {
		return refusal{"the path ends in a separator: it names a directory", "Write the path of a .vhd or .vhdx file."}
	}
	normal := Normalize(path)
	if isShare(normal) {
		return refusal{"the path names a share, not a file", "Write the path of a .vhd or .vhdx file on the share."}
	}
	if r := checkExtension(Ext(normal)); r != (refusal{}) {
		return r
	}
	if Base(normal) == Ext(normal) {
		return refusal{"the file name is an extension only", writeBase}
	}
	return refusal{}
}

const writeBase = "Write the path of the .vhd or .vhdx file."

// refusedExtensions are those of files that lie beside virtual hard disks, or that are mistaken for
// them.
var refusedExtensions = map[string]refusal{
	"": {"the file name has no extension", writeBase},
	".avhd": {
		"an .avhd file is the differencing disk of a checkpoint, and compacting it can break the chain",
		"Delete the checkpoint, which merges the file into its parent, and write the path of the .vhd file.",
	},
	".avhdx": {
		"an .avhdx file is the differencing disk of a checkpoint, and compacting it can break the chain",
		"Delete the checkpoint, which merges the file into its parent, and write the path of the .vhdx file.",
	},
	".vhds":    {"a .vhds file is a VHD Set, which is compacted by another method of Hyper-V", writeBase + " VHD Sets are not supported."},
	".rct":     {"an .rct file records changes for backups and holds no disk", writeBase},
	".mrt":     {"an .mrt file records changes for backups and holds no disk", writeBase},
	".vhdpmem": {"a .vhdpmem file is persistent memory of a virtual machine, which has no free space to reclaim", writeBase},
	".iso":     {"an .iso file is an optical disc image, which has no free space to reclaim", writeBase},
	".vfd":     {"a .vfd file is a floppy disk image, which has a fixed size", writeBase},
	".hrl":     {"an .hrl file is the log of a replica and holds no disk", writeBase},
	".vmcx":    {"a .vmcx file is the configuration of a virtual machine", writeBase},
	".vmrs":    {"a .vmrs file is the state of a virtual machine", writeBase},
	".vmgs":    {"a .vmgs file is the state of a virtual machine", writeBase},
	".vsv":     {"a .vsv file is the state of a virtual machine", writeBase},
	".vmdk":    {"a .vmdk file is a disk in the format of VMware", "Convert the disk to VHDX first."},
	".vdi":     {"a .vdi file is a disk in the format of VirtualBox", "Convert the disk to VHDX first."},
	".qcow2":   {"a .qcow2 file is a disk in the format of QEMU", "Convert the disk to VHDX first."},
}

func checkExtension(extension string) refusal {
	extension = strings.ToLower(extension)
	if extension == ".vhd" || extension == ".vhdx" {
		return refusal{}
	}
	if r, ok := refusedExtensions[extension]; ok {
		return r
	}
	return refusal{"files with the extension " + extension + " are not virtual hard disks", writeBase}
}
