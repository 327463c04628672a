package winrmsim

import "slices"

// FaultFamily holds the WSManFault codes of one kind of failure. A test that goes through all
// families with [Fault] and [FaultAfter] meets every kind before and after the work; whether the
// work was done is for the rule to decide, as a code alone does not say.
type FaultFamily struct {
	Name  string
	Codes []uint32
}

// faultFamilies are the codes of wsmerror.h, wbemcli.h and winerror.h that a
// client can meet.
var faultFamilies = []FaultFamily{
	{"access", []uint32{5, 0x80070005, 0x80041003, 0x80338104, 0x80338105, 0x80338106, 0x803381DD, 0x803381E3}},
	{"quota", []uint32{0x8033803F, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381E5, 0x803381E7, 0x803381E8, 0x803381EA}},
	{"memory quota of WMI", []uint32{0x8004106C}},
	{"missing object", []uint32{0x80338000, 0x80041002, 0x8033811A}},
	{"missing namespace, class or method", []uint32{0x8004100E, 0x80041010, 0x8004102E, 0x8033803B}},
	{"action", []uint32{0x80338001, 0x80338013, 0x80338031}},
	{"addressing", []uint32{0x8033800D, 0x8033800F, 0x80338010, 0x80338011, 0x80338076}},
	{"selectors", []uint32{0x8033803D, 0x8033805A, 0x8033805B, 0x8033805D, 0x8033805F, 0x803380FA}},
	{"schema", []uint32{0x80338027, 0x80338041, 0x80338043}},
	{"parameters", []uint32{87, 0x8033803A, 0x80338054, 0x80338055, 0x8033811E, 0x80041008, 0x8004102F}},
	{"enumeration", []uint32{0x8033801A, 0x8033801B, 0x8033801C, 0x803381AD, 0x80041017}},
	{"envelope", []uint32{0x80338026, 0x80338047, 0x80338048, 0x80338049}},
	{"done, too large to tell", []uint32{0x8033804D}},
	{"time-out", []uint32{0x80338029, 0x8033800C, 0x80041069, 0x80041088}},
	{"try again", []uint32{0x80338014, 0x80338032, 0x803381A9, 0x803381FA}},
	{"stopping", []uint32{995, 1018, 0x80041033, 0x80041013, 0x80041014}},
	{"provider", []uint32{0x80338003, 0x80041001, 0x80041004, 0x80041015, 0x80338102, 1359}},
	{"remote procedure call", []uint32{1722, 1726, 1753, 0x800706BA, 0x800706BE, 0x800706D9, 0x80070046}},
	{"unknown to everybody", []uint32{0x8033FFFF, 0x8004FFFF, 12345}},
}

// FaultFamilies lists the kinds of faults with their codes.
func FaultFamilies() []FaultFamily {
	all := slices.Clone(faultFamilies)
	for i := range all {
		all[i].Codes = slices.Clone(all[i].Codes)
	}
	return all
}
