package wsman

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// decodeInstance reads an instance or output parameters. The class is the name
// of the element: MS-WSMV 3.1.4.1.26. The fragment of a projection has none.
func decodeInstance(e *xmlNode) *cim.Instance {
	class := e.name.Local
	if e.is("XmlFragment", nsWSMan) {
		class = ""
	}
	instance := cim.NewInstance(class)
	for _, same := range occurrences(e.children) {
		if v, ok := decodeProperty(same); ok {
			instance.Set(same[0].name.Local, v)
		}
	}
	return instance
}

// occurrences returns the elements of each property, in the order in which the properties first
// occur. CIM names ignore letter case.
func occurrences(elements []*xmlNode) [][]*xmlNode {
	list := make([][]*xmlNode, 0, len(elements))
	position := make(map[string]int, len(elements))
	for i, e := range elements {
		if !isProperty(e) {
			continue
		}
		key := strings.ToLower(e.name.Local)
		if p, seen := position[key]; seen {
			list[p] = append(list[p], e)
			continue
		}
		position[key] = len(list)
		list = append(list, elements[i:i+1:i+1])
	}
	return list
}

// isProperty distinguishes properties from elements that the protocol adds to
// an instance, for example cim:Location with its own reference.
func isProperty(e *xmlNode) bool {
	switch e.name.Space {
	case nsCIM, nsWSMan, nsAddressing, nsAddressing1, nsEnumeration, nsMicrosoft, nsCIMBinding, nsSOAP, nsFault:
		return false
	}
	return true
}

// decodeProperty reads the elements of one property. An array is its element
// repeated; one of a single element looks like a scalar. It reports false for a
// value that cim cannot hold, such as an array of references.
func decodeProperty(same []*xmlNode) (cim.Value, bool) {
	if len(same) == 1 {
		return decodeValue(same[0])
	}
	texts := make([]string, len(same))
	for i, s := range same {
		v, ok := decodeValue(s)
		if _, ref := v.Reference(); !ok || ref {
			return cim.Value{}, false
		}
		texts[i], _ = v.Scalar()
	}
	return cim.Texts(texts...), true
}

// decodeValue reads one element: null, a reference, a date-time or interval
// with or without its wrapper, or text, whose white space counts.
func decodeValue(e *xmlNode) (cim.Value, bool) {
	if e.null() {
		return cim.Value{}, true
	}
	if len(e.children) == 0 {
		return cim.Text(e.text()), true
	}
	if ref, ok := decodeReference(e); ok {
		return cim.Ref(ref), true
	}
	if c := e.first(); len(e.children) == 1 && isTimeWrapper(c.name.Local) {
		return cim.Text(c.value()), true
	}
	return cim.Value{}, false
}

// isTimeWrapper knows the elements in which date-times and intervals come.
// Projections put them into no namespace (MS-WSMV 3.1.4.1.13), so only the name
// counts.
func isTimeWrapper(local string) bool {
	switch local {
	case "Datetime", "DateTime", "Interval", "Date", "Time", "CIM_DateTime":
		return true
	}
	return false
}

// decodeReference reads an endpoint reference, which Windows writes without the
// EndpointReference element and other servers write with it.
func decodeReference(e *xmlNode) (cim.Reference, bool) {
	if wrapped := e.child("EndpointReference", nsAddressing, nsAddressing1); wrapped != nil {
		e = wrapped
	}
	parameters := e.child("ReferenceParameters", nsAddressing, nsAddressing1)
	uri := parameters.child("ResourceURI", nsWSMan).value()
	if uri == "" {
		return cim.Reference{}, false
	}
	ref := cim.Reference{ResourceURI: uri}
	if set := parameters.child("SelectorSet", nsWSMan); set != nil {
		for _, s := range set.children {
			if s.is("Selector", nsWSMan) {
				ref.Selectors = append(ref.Selectors, cim.Selector{Name: s.attribute("", "Name"), Value: s.text()})
			}
		}
	}
	return ref, true
}
