package hypervsim

import (
	"fmt"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
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
func (w *world) computerSystems(v view) []*object {
	t := w.texts()
	all := []*object{computerSystem(v.namespace, t.hostCaption, t.hostDescription, w.host, w.host, 2)}
	for _, m := range w.machines {
		all = append(all, computerSystem(v.namespace, t.machineCaption, t.machineCaption, m.Name, m.ID, m.State.enabledState(v.isV1())))
	}
	return all
}

func computerSystem(namespace, caption, description, elementName, name string, state uint16) *object {
	return &object{
		namespace: namespace, class: cim.ClassComputerSystem, keys: []string{"CreationClassName", "Name"},
		properties: []property{
			text("Caption", caption),
			null("CommunicationStatus", typeUint16),
			text("CreationClassName", cim.ClassComputerSystem),
			text("Description", description),
			null("DetailedStatus", typeUint16),
			text("ElementName", elementName),
			number("EnabledDefault", typeUint16, uint16(2)),
			number("EnabledState", typeUint16, state),
			number("HealthState", typeUint16, uint16(5)),
			null("InstallDate", typeDateTime),
			null("InstanceID", typeString),
			text("Name", name),
			numbers("OperationalStatus", 2),
			null("OtherEnabledState", typeString),
			null("ProcessID", typeUint32),
			number("RequestedState", typeUint16, uint16(12)),
			text("Status", "OK"),
			texts("StatusDescriptions", "OK"),
			null("TimeOfLastStateChange", typeDateTime),
		},
	}
}

// configuration is the settings of a machine now or at a checkpoint.
type configuration struct {
	machine  *machine
	id, name string
	snapshot bool
	disks    []string
}

func (w *world) configurations() []configuration {
	var all []configuration
	for _, m := range w.machines {
		all = append(all, configuration{machine: m, id: m.ID, name: m.Name, disks: m.Disks})
		for _, c := range m.Checkpoints {
			all = append(all, configuration{machine: m, id: c.ID, name: c.Name, snapshot: true, disks: c.Disks})
		}
	}
	return all
}

func (c configuration) instanceID() string { return "Microsoft:" + c.id }

// systemSettings returns the instances of Msvm_VirtualSystemSettingData.
func (w *world) systemSettings(v view) []*object {
	var all []*object
	for _, c := range w.configurations() {
		o := &object{namespace: v.namespace, class: cim.ClassVirtualSystemSettingData, keys: []string{"InstanceID"}}
		if v.isV1() {
			o.properties = w.systemSettingV1(v, c)
		} else {
			o.properties = w.systemSettingV2(v, c)
		}
		all = append(all, o)
	}
	return all
}

func (w *world) systemSettingV2(v view, c configuration) []property {
	kind := "Microsoft:Hyper-V:System:Realized"
	if c.snapshot {
		kind = "Microsoft:Hyper-V:Snapshot:Realized"
	}
	return []property{
		text("Caption", w.texts().settingsCaption),
		text("ConfigurationID", c.id),
		text("Description", w.texts().settingsCaption),
		text("ElementName", c.name),
		text("InstanceID", c.instanceID()),
		orNull("Parent", w.parentSetting(v, c)),
		text("VirtualSystemIdentifier", c.machine.ID),
		text("VirtualSystemSubType", "Microsoft:Hyper-V:SubType:2"),
		text("VirtualSystemType", kind),
	}
}

func (w *world) systemSettingV1(v view, c configuration) []property {
	kind := uint16(3)
	if c.snapshot {
		kind = 5
	}
	return []property{
		text("Caption", w.texts().settingsCaption),
		text("Description", w.texts().settingsCaption),
		text("ElementName", c.name),
		text("InstanceID", c.instanceID()),
		orNull("Parent", w.parentSetting(v, c)),
		number("SettingType", typeUint16, kind),
		text("SystemName", c.machine.ID),
	}
}

// parentSetting refers from a checkpoint's settings to those of its machine.
func (w *world) parentSetting(v view, c configuration) string {
	if !c.snapshot {
		return ""
	}
	return w.wmiPath(v.namespace, cim.ClassVirtualSystemSettingData, "Microsoft:"+c.machine.ID)
}

// wmiPath is a reference in the text form that string properties hold.
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

// storageAllocations returns the virtual hard disks of all settings.
func (w *world) storageAllocations(v view) []*object {
	var all []*object
	for _, c := range w.configurations() {
		for i, path := range c.disks {
			all = append(all, &object{
				namespace: v.namespace, class: cim.ClassStorageAllocationSettingData, keys: []string{"InstanceID"},
				properties: append(w.allocation(v, c, i),
					texts("HostResource", path),
					text("InstanceID", c.diskID(i)),
					text("ResourceSubType", "Microsoft:Hyper-V:Virtual Hard Disk"),
					number("ResourceType", typeUint16, uint16(31)),
				),
			})
		}
	}
	return inNameOrder(all)
}

// resourceAllocations returns the drives of all settings and, in
// root\virtualization, the virtual hard disks in them: the path is in
// Connection there.
func (w *world) resourceAllocations(v view) []*object {
	var all []*object
	for _, c := range w.configurations() {
		for i, path := range c.disks {
			all = append(all, &object{
				namespace: v.namespace, class: cim.ClassResourceAllocSettingData, keys: []string{"InstanceID"},
				properties: []property{
					text("AddressOnParent", fmt.Sprint(i)),
					null("HostResource", typeString),
					text("InstanceID", c.driveID(i)),
					text("ResourceSubType", driveSubType(v)),
					number("ResourceType", typeUint16, uint16(17)),
				},
			})
			if !v.isV1() {
				continue
			}
			all = append(all, &object{
				namespace: v.namespace, class: cim.ClassResourceAllocSettingData, keys: []string{"InstanceID"},
				properties: append(w.allocation(v, c, i),
					texts("Connection", path),
					null("HostResource", typeString),
					text("InstanceID", c.diskID(i)),
					text("ResourceSubType", "Microsoft Virtual Hard Disk"),
					number("ResourceType", typeUint16, uint16(21)),
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

// allocation is what every disk of a machine has in both generations.
func (w *world) allocation(v view, c configuration, i int) []property {
	return []property{
		text("Caption", w.texts().diskCaption),
		text("ElementName", w.texts().diskCaption),
		text("Parent", w.wmiPath(v.namespace, cim.ClassResourceAllocSettingData, c.driveID(i))),
		null("PoolID", typeString),
	}
}
