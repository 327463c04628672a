package hypervsim

import (
	"fmt"
	"strconv"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// storageClasses are served in root\Microsoft\Windows\Storage.
//
// Unverified on a real host (attached-device-path, partition-access-paths): that
// Path of MSFT_Disk is PnpDevicePath of Msvm_MountedStorageImage for an attached
// disk, and that AccessPaths of MSFT_Partition lists its letters and folders.
var storageClasses = []class{
	{name: cim.ClassDisk, keys: []string{"ObjectId"}, instances: (*world).storageDisks},
	{name: cim.ClassPartition, keys: []string{"ObjectId"}, instances: (*world).storagePartitions},
}

// firstAttachedDisk is the disk number of the attachment at Lun 0: the disks of
// the host itself come before.
const firstAttachedDisk = 2

func (a *attachment) number() uint32 { return uint32(firstAttachedDisk + a.lun) } //nolint:gosec // few disks

// device is the device path of the attached disk.
func (a *attachment) device() string {
	return `\\?\scsi#disk&ven_msft&prod_virtual_disk#` + strconv.Itoa(a.lun)
}

// accessPaths are the names of the volume on the attached disk: the one that
// every volume has, then letters and folders.
func (a *attachment) accessPaths() []string {
	all := []string{fmt.Sprintf(`\\?\Volume{%08x-0000-4000-8000-000000000000}\`, a.number())}
	for _, name := range a.names {
		if len(name) > 1 {
			all = append(all, name)
		}
	}
	return all
}

// letter is the drive letter of the volume, 0 without one. A name that is a letter and
// nothing else is told here and not as an access path.
func (a *attachment) letter() uint16 {
	for _, name := range a.names {
		if len(name) == 1 || len(name) == len(`E:\`) {
			return uint16(name[0])
		}
	}
	return 0
}

func (w *world) storageDisks(v view) []*wmi.Object {
	object := func(number uint32, path string) *wmi.Object {
		return &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassDisk, Keys: []string{"ObjectId"},
			Properties: []wmi.Property{
				wmi.Uint32("Number", number),
				wmi.Text("ObjectId", fmt.Sprintf(`{1}\\%s\root/Microsoft/Windows/Storage/Providers_v2\WSP_Disk.ObjectId="DI:%s"`, w.host, path)),
				wmi.Text("Path", path),
			},
		}
	}
	all := []*wmi.Object{object(0, `\\?\scsi#disk&ven_nvme&prod_system#0`)}
	for _, a := range w.attachments {
		all = append(all, object(a.number(), `\\?\SCSI#Disk&Ven_Msft&Prod_Virtual_Disk#`+strconv.Itoa(a.lun)))
	}
	return all
}

func (w *world) storagePartitions(v view) []*wmi.Object {
	object := func(number uint32, letter uint16, paths []string) *wmi.Object {
		return &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassPartition, Keys: []string{"ObjectId"},
			Properties: []wmi.Property{
				wmi.Texts("AccessPaths", paths...),
				wmi.Uint32("DiskNumber", number),
				wmi.Uint16("DriveLetter", letter),
				wmi.Text("ObjectId", fmt.Sprintf(`{1}\\%s\root/Microsoft/Windows/Storage/Providers_v2\WSP_Partition.ObjectId="PR:%d"`, w.host, number)),
				wmi.Uint32("PartitionNumber", 1),
			},
		}
	}
	all := []*wmi.Object{object(0, 'C', []string{`C:\`, `\\?\Volume{00000000-0000-4000-8000-000000000000}\`})}
	for _, a := range w.attachments {
		all = append(all, object(a.number(), a.letter(), a.accessPaths()))
	}
	return all
}
