package winrmsim

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// checkBody requires the body element that belongs to the operation.
func (e *envelope) checkBody() *wmi.Failure {
	if e.operation == OperationIdentify || e.operation == OperationHandshake {
		return nil
	}
	space, name := e.bodyName()
	if fits := name == "" && e.body == nil || name != "" && e.body != nil && e.body.is(space, name); !fits {
		return fault(codeSchemaValidation)
	}
	return nil
}

// bodyName is the element that the operation must have in its body, if any.
func (e *envelope) bodyName() (space, name string) {
	switch e.operation {
	case OperationEnumerate:
		return nsEnumeration, "Enumerate"
	case OperationPull:
		return nsEnumeration, "Pull"
	case OperationRelease:
		return nsEnumeration, "Release"
	case OperationInvoke:
		return e.target.uri, e.method + "_INPUT"
	case OperationGet, OperationIdentify, OperationHandshake:
	}
	return "", ""
}

// input reads the parameters of a method call. Each is a text, or nil, or an
// endpoint reference without an element around it; several elements of one name
// are an array and must stand together.
func (e *envelope) input() ([]wmi.Property, *wmi.Failure) {
	var in []wmi.Property
	for _, c := range e.body.children {
		if c.space != e.target.uri {
			return nil, fault(codeSchemaValidation)
		}
		p, fail := e.parameter(c)
		if fail != nil {
			return nil, fail
		}
		if n := len(in) - 1; n >= 0 && in[n].Name == p.Name {
			in[n].Array = true
			in[n].Values = append(in[n].Values, p.Values...)
			continue
		}
		for _, other := range in {
			if other.Name == p.Name {
				return nil, fault(codeSchemaValidation)
			}
		}
		in = append(in, p)
	}
	if e.body.trimmed() != "" {
		return nil, fault(codeSchemaValidation)
	}
	return in, nil
}

// parameter reads one input parameter.
func (e *envelope) parameter(c *element) (wmi.Property, *wmi.Failure) {
	p := wmi.Property{Name: c.local, Type: wmi.TypeString}
	if v, _ := c.attribute(nsXSI, "nil"); v == "true" || v == "1" {
		return p, nil
	}
	switch {
	case len(c.children) == 0:
		p.Values = []string{c.text}
		return p, nil
	case len(c.children) == 1 && (c.children[0].is(nsCIM, "Datetime") || c.children[0].is(nsCIM, "Interval")) && len(c.children[0].children) == 0:
		p.Values = []string{c.children[0].text}
		return p, nil
	case c.child(nsAddressing, "ReferenceParameters") != nil:
		return e.referenceParameter(c)
	}
	// An embedded instance as nested elements, or a reference with an
	// EndpointReference element around it: real hosts refuse both.
	return p, fault(codeSchemaValidation)
}

func (e *envelope) referenceParameter(c *element) (wmi.Property, *wmi.Failure) {
	p := wmi.Property{Name: c.local, Type: wmi.TypeString}
	parameters := c.child(nsAddressing, "ReferenceParameters")
	uri, set := parameters.child(nsWSMan, "ResourceURI"), parameters.child(nsWSMan, "SelectorSet")
	if c.child(nsAddressing, "Address") == nil || uri == nil || set == nil {
		return p, fault(codeSchemaValidation)
	}
	t, ok := parseTarget(uri.trimmed())
	if !ok {
		return p, fault(codeSchemaValidation)
	}
	keys, fail := readSelectors(set)
	if fail != nil {
		return p, fail
	}
	p.Ref = &wmi.ObjectPath{Namespace: t.namespace, Class: t.class, Keys: keys}
	return p, nil
}
