package cim

import "strings"

// WMI namespaces, spelled as WMI does.
const (
	// NamespaceVirtualizationV1 is served by Windows Server 2008 to 2012.
	NamespaceVirtualizationV1 = `root\virtualization`
	// NamespaceVirtualizationV2 is served by Windows Server 2012 and later.
	NamespaceVirtualizationV2 = `root\virtualization\v2`
	// NamespaceCIMv2 holds the file system and operating system classes.
	NamespaceCIMv2 = `root\cimv2`
	// NamespaceStorage holds the classes of the storage management API, Windows
	// Server 2012 and later.
	NamespaceStorage = `root\Microsoft\Windows\Storage`
	// NamespaceCluster is served by the nodes of a failover cluster.
	NamespaceCluster = `root\MSCluster`
)

// WMI classes of the Hyper-V provider, of root\cimv2, of the storage management
// API and of failover clusters.
const (
	ClassImageManagementService       = "Msvm_ImageManagementService"
	ClassStorageJob                   = "Msvm_StorageJob"
	ClassMountedStorageImage          = "Msvm_MountedStorageImage"
	ClassVirtualHardDiskSettingData   = "Msvm_VirtualHardDiskSettingData"
	ClassVirtualHardDiskState         = "Msvm_VirtualHardDiskState"
	ClassVirtualHardDiskInfo          = "Msvm_VirtualHardDiskInfo"
	ClassStorageAllocationSettingData = "Msvm_StorageAllocationSettingData"
	ClassResourceAllocSettingData     = "Msvm_ResourceAllocationSettingData"
	ClassVirtualSystemSettingData     = "Msvm_VirtualSystemSettingData"
	ClassComputerSystem               = "Msvm_ComputerSystem"
	ClassAffectedStorageJobElement    = "Msvm_AffectedStorageJobElement"
	ClassDirectory                    = "Win32_Directory"
	ClassDataFile                     = "CIM_DataFile"
	ClassOperatingSystem              = "Win32_OperatingSystem"
	ClassDisk                         = "MSFT_Disk"
	ClassPartition                    = "MSFT_Partition"
	ClassCluster                      = "MSCluster_Cluster"
	ClassClusterNode                  = "MSCluster_Node"
	ClassClusterSharedVolume          = "MSCluster_ClusterSharedVolume"
	ClassVolume                       = "Win32_Volume"
	ClassMountPoint                   = "Win32_MountPoint"
)

// wmiPrefix starts every resource URI that Windows maps to a WMI class
// (MS-WSMV 3.1.4.1.1).
const wmiPrefix = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"

// ResourceURI returns the resource URI of a class, or of all classes of a
// namespace when class is "*".
func ResourceURI(namespace, class string) string {
	return wmiPrefix + strings.ReplaceAll(namespace, `\`, "/") + "/" + class
}

// SplitResourceURI takes a WMI resource URI apart. It reports false for a URI
// of another kind.
func SplitResourceURI(uri string) (namespace, class string, ok bool) {
	if len(uri) < len(wmiPrefix) || !strings.EqualFold(uri[:len(wmiPrefix)], wmiPrefix) {
		return "", "", false
	}
	path := uri[len(wmiPrefix):]
	i := strings.LastIndexByte(path, '/')
	if i <= 0 || i == len(path)-1 {
		return "", "", false
	}
	return strings.ReplaceAll(path[:i], "/", `\`), path[i+1:], true
}
