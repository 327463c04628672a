package hypervsim

import (
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// view is one enumeration of a class: which instances are asked for, and when.
type view struct {
	namespace string
	now       time.Time
	where     []wmi.KeyValue // what the answer will be filtered by; a hint only
}

// equality returns the value that the named property must have.
func (v view) equality(name string) (string, bool) {
	for _, kv := range v.where {
		if strings.EqualFold(kv.Name, name) {
			return kv.Value, true
		}
	}
	return "", false
}

func (v view) isV1() bool { return strings.EqualFold(v.namespace, cim.NamespaceVirtualizationV1) }

// class is a WMI class with instances.
type class struct {
	name string
	keys []string
	// anyKey allows an instance to be addressed by some of its keys.
	anyKey    bool
	instances func(*world, view) []*wmi.Object
}

var serviceKeys = []string{"SystemCreationClassName", "SystemName", "CreationClassName", "Name"}

// virtualizationClasses are served in both generations.
var virtualizationClasses = []class{
	{name: cim.ClassImageManagementService, keys: serviceKeys, anyKey: true, instances: (*world).imageManagementServices},
	{name: cim.ClassStorageJob, keys: []string{"InstanceID"}, instances: (*world).storageJobs},
	{name: cim.ClassMountedStorageImage, keys: []string{"PortNumber", "PathId", "TargetId", "Lun"}, instances: (*world).mountedImages},
	{name: cim.ClassComputerSystem, keys: []string{"CreationClassName", "Name"}, instances: (*world).computerSystems},
	{name: cim.ClassVirtualSystemSettingData, keys: []string{"InstanceID"}, instances: (*world).systemSettings},
	{name: cim.ClassResourceAllocSettingData, keys: []string{"InstanceID"}, instances: (*world).resourceAllocations},
}

// v2Classes are served in root\virtualization\v2 only.
var v2Classes = []class{
	{name: cim.ClassStorageAllocationSettingData, keys: []string{"InstanceID"}, instances: (*world).storageAllocations},
	{name: cim.ClassAffectedStorageJobElement, keys: []string{"AffectedElement", "AffectingElement"}, instances: (*world).affectedElements},
}

var cimv2Classes = []class{
	{name: cim.ClassDirectory, keys: []string{"Name"}, instances: (*world).directoryObjects},
	{name: cim.ClassDataFile, keys: []string{"Name"}, instances: (*world).dataFiles},
	{name: classOperatingSystem, keys: []string{"Name"}, instances: (*world).operatingSystems},
	{name: classShare, keys: []string{"Name"}, instances: (*world).shares},
	{name: cim.ClassVolume, keys: []string{"DeviceID"}, instances: (*world).volumes},
	{name: cim.ClassMountPoint, keys: []string{"Directory", "Volume"}, instances: (*world).mountPoints},
}

const (
	classOperatingSystem = "Win32_OperatingSystem"
	classShare           = "Win32_Share"
)

// class finds a class by its name, whatever its letter case.
func (w *world) class(by wmi.Caller, namespace, name string) (*class, *wmi.Failure) {
	if w.denies(by, namespace) {
		return nil, wmi.Denied()
	}
	lists := w.classes(namespace)
	if lists == nil {
		return nil, wmi.NoNamespace()
	}
	for _, list := range lists {
		for i := range list {
			if strings.EqualFold(list[i].name, name) {
				return &list[i], nil
			}
		}
	}
	return nil, wmi.NoClass()
}

// classes returns those of a namespace, nil if the host has no such namespace.
func (w *world) classes(namespace string) [][]class {
	is := func(other string) bool { return strings.EqualFold(namespace, other) }
	switch {
	case is(cim.NamespaceCIMv2):
		return [][]class{cimv2Classes}
	case is(cim.NamespaceCluster) && w.failover != nil:
		return [][]class{clusterClasses}
	case is(cim.NamespaceStorage) && w.release.has(V2):
		return [][]class{storageClasses}
	case is(cim.NamespaceVirtualizationV1) && w.serves(V1):
		return [][]class{virtualizationClasses}
	case is(cim.NamespaceVirtualizationV2) && w.serves(V2):
		return [][]class{virtualizationClasses, v2Classes}
	}
	return nil
}

// checkKeys refuses selectors that are not the keys of the class (MS-WSMV
// 3.1.4.1.2). The service classes are found by CreationClassName alone, as
// libvirt's driver addresses them on real hosts.
func (c *class) checkKeys(keys []wmi.KeyValue) *wmi.Failure {
	for _, kv := range keys {
		if !wmi.ContainsFold(c.keys, kv.Name) {
			return &wmi.Failure{Code: wmi.CodeUnexpectedSelectors, Subcode: "w:InvalidSelectors", Sender: true, Detail: "UnexpectedSelectors", Plugin: true}
		}
	}
	switch {
	case len(keys) == 0 && c.anyKey:
		// A real host answers in this way; the code with which it does is not
		// recorded.
		return &wmi.Failure{Code: wmi.CodeInvalidMethodParameters, Subcode: "w:InternalError", Plugin: true}
	case len(keys) == 0:
		return &wmi.Failure{Code: wmi.CodeNotSingleton, Subcode: "w:InvalidSelectors", Sender: true, Detail: "InsufficientSelectors", Plugin: true}
	case len(keys) < len(c.keys) && !c.anyKey:
		return &wmi.Failure{Code: wmi.CodeInsufficientSelectors, Subcode: "w:InvalidSelectors", Sender: true, Detail: "InsufficientSelectors", Plugin: true}
	}
	return nil
}
