package hypervsim

import (
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// invocation is a method call whose input has been checked.
type invocation struct {
	namespace string
	target    *wmi.Object
	in        input
	by        wmi.Caller
	now       time.Time
}

// asked is the time at which the call reached the host, which may have begun
// the work later.
func (c invocation) asked() time.Time {
	if c.by.Asked.IsZero() {
		return c.now
	}
	return c.by.Asked
}

// input holds the input parameters that were not null.
type input map[string]string

func (in input) number(name string, bits int) (uint64, bool) {
	s, ok := in[name]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, bits)
	return n, err == nil
}

func (in input) boolean(name string) bool {
	return strings.EqualFold(strings.TrimSpace(in[name]), "true")
}

// parameter is an input parameter of a method.
type parameter struct {
	name string
	typ  wmi.Type
}

// method is a method of a class in one generation of the provider.
type method struct {
	name  string
	input []parameter
	since Release // 0: always
	run   func(*world, invocation) ([]wmi.Property, *wmi.Failure)
}

var pathParameter = parameter{"Path", wmi.TypeString}

// v1Methods are the methods in root\virtualization, by class.
var v1Methods = map[string][]method{
	cim.ClassImageManagementService: {
		{name: "GetVirtualHardDiskInfo", input: []parameter{pathParameter}, run: (*world).getVirtualHardDiskInfo},
		{name: "CompactVirtualHardDisk", input: []parameter{pathParameter}, run: (*world).compactV1},
		{name: "CreateDynamicVirtualHardDisk", input: createInputV1, run: (*world).createDynamicVHD},
		{name: "CreateFixedVirtualHardDisk", input: createInputV1, run: (*world).createFixedVHD},
		{name: "Mount", input: []parameter{pathParameter}, run: (*world).mount},
		{name: "Unmount", input: []parameter{pathParameter}, run: (*world).unmountByPath},
	},
	cim.ClassMountedStorageImage: {
		{name: "Unmount", run: (*world).detachImage},
	},
	cim.ClassStorageJob: {
		{name: "GetErrorEx", run: (*world).getErrorEx},
		{name: "RequestStateChange", input: requestStateChangeInput, run: (*world).refuseStateChange},
	},
}

// v2Methods are the methods in root\virtualization\v2, by class.
var v2Methods = map[string][]method{
	cim.ClassImageManagementService: {
		{name: "GetVirtualHardDiskSettingData", input: []parameter{pathParameter}, run: (*world).getVirtualHardDiskSettingData},
		{name: "GetVirtualHardDiskState", input: []parameter{pathParameter}, run: (*world).getVirtualHardDiskState},
		{name: "CompactVirtualHardDisk", input: []parameter{pathParameter, {"Mode", wmi.TypeUint16}}, run: (*world).compactV2},
		{name: "CreateVirtualHardDisk", input: []parameter{{"VirtualDiskSettingData", wmi.TypeString}}, run: (*world).createVirtualHardDisk},
		{name: "AttachVirtualHardDisk", input: []parameter{pathParameter, {"AssignDriveLetter", wmi.TypeBoolean}, {"ReadOnly", wmi.TypeBoolean}}, run: (*world).attachVirtualHardDisk},
		{name: "FindMountedStorageImageInstance", since: Server2016, input: []parameter{{"SelectionCriterion", wmi.TypeString}, {"CriterionType", wmi.TypeUint16}}, run: (*world).findMountedImage},
	},
	cim.ClassMountedStorageImage: {
		{name: "DetachVirtualHardDisk", run: (*world).detachImage},
	},
	cim.ClassStorageJob: {
		{name: "GetErrorEx", run: (*world).getErrorEx},
		{name: "GetError", run: (*world).getError},
		{name: "RequestStateChange", since: Server2012R2, input: requestStateChangeInput, run: (*world).requestStateChange},
		{name: "RequestStateChange", input: requestStateChangeInput, run: (*world).refuseStateChange},
	},
}

// cimv2Methods are the methods in root\cimv2, by class.
var cimv2Methods = map[string][]method{
	cim.ClassDataFile: {{name: "Delete", run: (*world).deleteDataFile}},
}

var createInputV1 = []parameter{pathParameter, {"MaxInternalSize", wmi.TypeUint64}}

var requestStateChangeInput = []parameter{{"RequestedState", wmi.TypeUint16}, {"TimeoutPeriod", wmi.TypeInterval}}

// method finds a method of a class.
func (w *world) method(namespace string, c *class, name string) (*method, *wmi.Failure) {
	byClass := v2Methods
	switch {
	case strings.EqualFold(namespace, cim.NamespaceVirtualizationV1):
		byClass = v1Methods
	case strings.EqualFold(namespace, cim.NamespaceCIMv2):
		byClass = cimv2Methods
	}
	list := byClass[c.name]
	for i := range list {
		if strings.EqualFold(list[i].name, name) && w.release >= list[i].since {
			return &list[i], nil
		}
	}
	return nil, &wmi.Failure{Code: wmi.CodeInvalidMethod, Subcode: "w:InternalError", Plugin: true}
}

// read checks the names and the types of the input. Names are case-sensitive
// in method input.
func (m *method) read(given []wmi.Property) (input, *wmi.Failure) {
	in := input{}
	for _, p := range given {
		typ, known := m.typeOf(p.Name)
		if !known {
			return nil, &wmi.Failure{Code: wmi.CodeInvalidParameterName, Subcode: "w:InvalidParameter", Sender: true, Plugin: true}
		}
		if len(p.Values) == 0 {
			continue
		}
		if len(p.Values) > 1 || !fits(p.Values[0], typ) {
			return nil, &wmi.Failure{Code: wmi.CodeParameterTypeMismatch, Subcode: "w:InvalidParameter", Sender: true, Plugin: true}
		}
		in[p.Name] = p.Values[0]
	}
	return in, nil
}

func (m *method) typeOf(name string) (wmi.Type, bool) {
	for _, p := range m.input {
		if p.name == name {
			return p.typ, true
		}
	}
	return "", false
}

// fits reports whether a text from the wire can be a value of the type.
func fits(s string, typ wmi.Type) bool {
	s = strings.TrimSpace(s)
	switch typ {
	case wmi.TypeBoolean:
		return strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
	case wmi.TypeUint8:
		return fitsBits(s, 8)
	case wmi.TypeUint16:
		return fitsBits(s, 16)
	case wmi.TypeUint32:
		return fitsBits(s, 32)
	case wmi.TypeUint64:
		return fitsBits(s, 64)
	case wmi.TypeSint8, wmi.TypeString, wmi.TypeDateTime, wmi.TypeInterval, wmi.TypeReference:
		return true
	}
	return false
}

func fitsBits(s string, bits int) bool {
	_, err := strconv.ParseUint(s, 10, bits)
	return err == nil
}

// returns makes the output of a method without other out parameters.
func returns(code uint32) []wmi.Property {
	return []wmi.Property{wmi.Uint32("ReturnValue", code)}
}

// returnsJob makes the output of a method that may have started a job. Without
// a job the reference is null.
func returnsJob(namespace string, code uint32, j *job, more ...wmi.Property) []wmi.Property {
	var ref *wmi.ObjectPath
	if j != nil {
		ref = j.address(namespace)
	}
	return append(append(returns(code), wmi.Reference("Job", ref)), more...)
}
