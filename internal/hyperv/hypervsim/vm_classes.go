package hypervsim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// enabledState is the number of a state, which depends on the generation.
func (s VMState) enabledState(v1 bool) uint16 {
	switch s {
	case VMRunning:
		return 2
	case VMSaved:
		if v1 {
			return 32769
		}
		return 6
	case VMPaused:
		if v1 {
			return 32768
		}
		return 9
	case VMOff:
	}
	return 3
}

// computerSystems returns the host and its machines, as a real host does.
func (w *world) computerSystems(v view) []*wmi.Object {
	if w.hidesVMs {
		return nil
	}
	t := w.texts()
	own := computerSystem(v.namespace, t.hostCaption, t.hostDescription, w.host, w.host, 2)
	all := []*wmi.Object{w.withReplication(own, v, nil)}
	for _, m := range w.machines {
		if m.Planned || m.Unlisted {
			continue // a planned one is an Msvm_PlannedComputerSystem
		}
		o := computerSystem(v.namespace, t.machineCaption, t.machineCaption, m.Name, m.ID, m.State.enabledState(v.isV1()))
		all = append(all, w.withReplication(o, v, m))
	}
	return inNameOrder(all)
}

// withReplication adds the replication properties that Windows Server 2012 and
// later have; they are null for the host itself.
func (w *world) withReplication(o *wmi.Object, v view, m *machine) *wmi.Object {
	if v.isV1() {
		return o
	}
	if m == nil {
		o.Properties = append(o.Properties, wmi.Null("ReplicationHealth", wmi.TypeUint16),
			wmi.Null("ReplicationMode", wmi.TypeUint16), wmi.Null("ReplicationState", wmi.TypeUint16))
		return o
	}
	o.Properties = append(o.Properties, wmi.Uint16("ReplicationHealth", m.ReplicationHealth),
		wmi.Uint16("ReplicationMode", m.Replication), wmi.Uint16("ReplicationState", m.ReplicationState))
	return o
}

func computerSystem(namespace, caption, description, elementName, name string, state uint16) *wmi.Object {
	return &wmi.Object{
		Namespace: namespace, Class: cim.ClassComputerSystem, Keys: []string{"CreationClassName", "Name"},
		Properties: []wmi.Property{
			wmi.Text("Caption", caption),
			wmi.Null("CommunicationStatus", wmi.TypeUint16),
			wmi.Text("CreationClassName", cim.ClassComputerSystem),
			wmi.Text("Description", description),
			wmi.Null("DetailedStatus", wmi.TypeUint16),
			wmi.Text("ElementName", elementName),
			wmi.Uint16("EnabledDefault", 2),
			wmi.Uint16("EnabledState", state),
			wmi.Uint16("HealthState", 5),
			wmi.Null("InstallDate", wmi.TypeDateTime),
			wmi.Null("InstanceID", wmi.TypeString),
			wmi.Text("Name", name),
			wmi.Uint16s("OperationalStatus", 2),
			wmi.Null("OtherEnabledState", wmi.TypeString),
			wmi.Null("ProcessID", wmi.TypeUint32),
			wmi.Uint16("RequestedState", 12),
			wmi.Text("Status", "OK"),
			wmi.Texts("StatusDescriptions", "OK"),
			wmi.Null("TimeOfLastStateChange", wmi.TypeDateTime),
		},
	}
}

// configuration holds the settings of a machine now or at a checkpoint.
type configuration struct {
	machine  *machine
	id, name string
	kind     string // end of VirtualSystemType
	snapshot bool
	disks    []string
	optical  []string
}

func (w *world) configurations() []configuration {
	var all []configuration
	for _, m := range w.machines {
		kind := "System:Realized"
		if m.Planned {
			kind = "System:Planned"
		}
		all = append(all, configuration{machine: m, id: m.ID, name: m.Name, kind: kind, disks: m.Disks, optical: m.Optical})
		for _, c := range m.Checkpoints {
			all = append(all, configuration{
				machine: m, id: c.ID, name: c.Name, kind: "Snapshot:" + orElse(c.Kind, "Realized"), snapshot: true, disks: c.Disks,
			})
		}
	}
	return all
}

// shownConfigurations returns those that a caller may see.
func (w *world) shownConfigurations() []configuration {
	if w.hidesVMs {
		return nil
	}
	return w.configurations()
}

func (c configuration) instanceID() string { return "Microsoft:" + c.id }

// systemSettings returns the instances of Msvm_VirtualSystemSettingData.
func (w *world) systemSettings(v view) []*wmi.Object {
	var all []*wmi.Object
	for _, c := range w.shownConfigurations() {
		o := &wmi.Object{Namespace: v.namespace, Class: cim.ClassVirtualSystemSettingData, Keys: []string{"InstanceID"}}
		if v.isV1() {
			o.Properties = w.systemSettingV1(v, c)
		} else {
			o.Properties = w.systemSettingV2(v, c)
		}
		all = append(all, o)
	}
	return all
}

func (w *world) systemSettingV2(v view, c configuration) []wmi.Property {
	return []wmi.Property{
		wmi.Text("Caption", w.texts().settingsCaption),
		wmi.Text("ConfigurationID", c.id),
		wmi.Text("Description", w.texts().settingsCaption),
		wmi.Text("ElementName", c.name),
		wmi.Text("InstanceID", c.instanceID()),
		c.notes(),
		wmi.TextOrNull("Parent", w.parentSetting(v, c)),
		wmi.Text("VirtualSystemIdentifier", c.machine.ID),
		wmi.Text("VirtualSystemSubType", "Microsoft:Hyper-V:SubType:2"),
		wmi.Text("VirtualSystemType", "Microsoft:Hyper-V:"+c.kind),
	}
}

func (w *world) systemSettingV1(v view, c configuration) []wmi.Property {
	kind := uint16(3)
	if c.snapshot {
		kind = 5
	}
	return []wmi.Property{
		wmi.Text("Caption", w.texts().settingsCaption),
		wmi.Text("Description", w.texts().settingsCaption),
		wmi.Text("ElementName", c.name),
		wmi.Text("InstanceID", c.instanceID()),
		wmi.TextOrNull("Parent", w.parentSetting(v, c)),
		wmi.Uint16("SettingType", kind),
		wmi.Text("SystemName", c.machine.ID),
	}
}

// parentSetting refers from a checkpoint's settings to those of its machine.
func (w *world) parentSetting(v view, c configuration) string {
	if !c.snapshot {
		return ""
	}
	return w.wmiPath(v.namespace, cim.ClassVirtualSystemSettingData, "Microsoft:"+c.machine.ID)
}

// wmiPath writes a reference in the text form that string properties hold.
func (w *world) wmiPath(namespace, class, instanceID string) string {
	return fmt.Sprintf(`\\%s\%s:%s.InstanceID="%s"`, w.host, namespace, class, strings.ReplaceAll(instanceID, `\`, `\\`))
}

// scsiController is the instance of the controller to which all disks of the
// simulated machines are connected.
const scsiController = "A5F5C6B1-9D4E-4C57-8A8E-3B5F0D6C2E11"

func (c configuration) driveID(i int) string {
	return fmt.Sprintf(`%s\%s\0\%d\D`, c.instanceID(), scsiController, i)
}

func (c configuration) diskID(i int) string {
	return fmt.Sprintf(`%s\%s\0\%d\L`, c.instanceID(), scsiController, i)
}

// storageAllocations returns the virtual hard disks of all settings, and the images
// in optical drives.
func (w *world) storageAllocations(v view) []*wmi.Object {
	var all []*wmi.Object
	for _, c := range w.shownConfigurations() {
		for i, path := range slices.Concat(c.disks, c.optical) {
			kind := "Virtual Hard Disk"
			if i >= len(c.disks) {
				kind = "Virtual CD/DVD Disk"
			}
			all = append(all, &wmi.Object{
				Namespace: v.namespace, Class: cim.ClassStorageAllocationSettingData, Keys: []string{"InstanceID"},
				Properties: append(w.allocation(v, c, i),
					wmi.Texts("HostResource", path),
					wmi.Text("InstanceID", c.diskID(i)),
					wmi.Text("ResourceSubType", "Microsoft:Hyper-V:"+kind),
					wmi.Uint16("ResourceType", 31),
				),
			})
		}
	}
	return inNameOrder(all)
}

// resourceAllocations returns the drives of all settings and, in
// root\virtualization, the virtual hard disks in them: the path is in
// Connection there.
func (w *world) resourceAllocations(v view) []*wmi.Object {
	var all []*wmi.Object
	for _, c := range w.shownConfigurations() {
		for i, path := range c.disks {
			all = append(all, &wmi.Object{
				Namespace: v.namespace, Class: cim.ClassResourceAllocSettingData, Keys: []string{"InstanceID"},
				Properties: []wmi.Property{
					wmi.Text("AddressOnParent", fmt.Sprint(i)),
					wmi.Null("HostResource", wmi.TypeString),
					wmi.Text("InstanceID", c.driveID(i)),
					wmi.Text("ResourceSubType", driveSubType(v)),
					wmi.Uint16("ResourceType", 17),
				},
			})
			if !v.isV1() {
				continue
			}
			all = append(all, &wmi.Object{
				Namespace: v.namespace, Class: cim.ClassResourceAllocSettingData, Keys: []string{"InstanceID"},
				Properties: append(w.allocation(v, c, i),
					wmi.Texts("Connection", path),
					wmi.Null("HostResource", wmi.TypeString),
					wmi.Text("InstanceID", c.diskID(i)),
					wmi.Text("ResourceSubType", "Microsoft Virtual Hard Disk"),
					wmi.Uint16("ResourceType", 21),
				),
			})
		}
	}
	return inNameOrder(all)
}

func driveSubType(v view) string {
	if v.isV1() {
		return "Microsoft Synthetic Disk Drive"
	}
	return "Microsoft:Hyper-V:Synthetic Disk Drive"
}

// allocation returns the properties that every disk of a machine has in both
// generations.
func (w *world) allocation(v view, c configuration, i int) []wmi.Property {
	return []wmi.Property{
		wmi.Text("Caption", w.texts().diskCaption),
		wmi.Text("ElementName", w.texts().diskCaption),
		wmi.Text("Parent", w.wmiPath(v.namespace, cim.ClassResourceAllocSettingData, c.driveID(i))),
		wmi.Null("PoolID", wmi.TypeString),
	}
}
