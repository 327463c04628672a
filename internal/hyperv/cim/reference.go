package cim

import "strings"

// Selector is one key of an instance, as WS-Management addresses it.
type Selector struct {
	Name, Value string
}

// Reference is an endpoint reference: the resource URI of a class and the
// selectors of one instance. A reference that a host returned is used verbatim.
type Reference struct {
	ResourceURI string
	Selectors   []Selector
}

// NewReference refers to an instance of class in namespace.
func NewReference(namespace, class string, selectors ...Selector) Reference {
	return Reference{ResourceURI: ResourceURI(namespace, class), Selectors: selectors}
}

// Selector returns the value of the named selector; names are matched without
// letter case, as Windows does (MS-WSMV 3.1.4.1.2).
func (r Reference) Selector(name string) (string, bool) {
	for _, s := range r.Selectors {
		if strings.EqualFold(s.Name, name) {
			return s.Value, true
		}
	}
	return "", false
}
