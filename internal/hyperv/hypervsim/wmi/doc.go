// Package wmi is what the two halves of a simulated Hyper-V host have in common:
// objects with their properties and keys, instances embedded in CIM-XML
// (DSP0201), and the [Model] that the wire half asks and the simulated Hyper-V
// answers. It knows neither of them.
package wmi
