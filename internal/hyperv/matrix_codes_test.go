package hyperv_test

import (
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// codeFamilies holds numbers of every kind with which a host can answer a request that changes
// something. Those of a refusal come in place of the work; the others prove nothing, so they come
// in place of it and after it.
var codeFamilies = []struct {
	name    string
	refused bool
	fault   []uint32
	returns []uint32
}{
	{name: "access", refused: true, fault: []uint32{5, 0x80070005}, returns: []uint32{32769}},
	{name: "quota", refused: true, fault: []uint32{0x803381A6}},
	{name: "addressing", refused: true, fault: []uint32{0x8033803D, 0x80338001}},
	{name: "schema", refused: true, fault: []uint32{0x80338041, 87}, returns: []uint32{32773, 32776}},
	{name: "missing", refused: true, fault: []uint32{0x8004102E}},
	{name: "failed", refused: true, returns: []uint32{32768, 32770, 32775, 32777, 32778}},
	{name: "stopping", fault: []uint32{995, 0x80041033}},
	{name: "time-out", fault: []uint32{0x80338029}, returns: []uint32{32771, 32772}},
	{name: "plug-in", fault: []uint32{0x80338003, 0x8033804D, 0x80041001}},
	{name: "transport", fault: []uint32{0x800706BA, 0x800706BE, 1722, 1726, 0x80041015}},
	{name: "unknown", fault: []uint32{0x80010108, 0x80330FFF, 77}, returns: []uint32{40000, 7}},
}

// codeFaults are the faults of all families.
func codeFaults() []matrixFault {
	var all []matrixFault
	for _, family := range codeFamilies {
		for _, code := range family.fault {
			all = append(all, matrixFault{name: fmt.Sprintf("%s %08X", family.name, code), effect: hypervsim.Fault(code, hypervsim.FaultFormAny)})
			if !family.refused {
				all = append(all, matrixFault{name: fmt.Sprintf("%s %08X after the work", family.name, code), effect: hypervsim.FaultAfter(code, hypervsim.FaultFormAny)})
			}
		}
		for _, value := range family.returns {
			all = append(all, matrixFault{name: fmt.Sprintf("%s %d", family.name, value), effect: hypervsim.Returns(value)})
			if !family.refused {
				all = append(all, matrixFault{name: fmt.Sprintf("%s %d after the work", family.name, value), effect: hypervsim.ReturnsAfter(value)})
			}
		}
	}
	return all
}
