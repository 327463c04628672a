package wsman

import (
	"context"
	"strings"

	"github.com/masterzen/simplexml/dom"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// Param is one input parameter of a method.
type Param struct {
	Name  string
	Value cim.Value
}

// Invocation is one call of a method.
type Invocation struct {
	// Target is the instance whose method is called.
	Target cim.Reference
	// Method is the name of the method.
	Method string
	// Params are the input parameters in the order of the MOF. A null one is
	// left out.
	Params []Param
	// ReadOnly says that the method changes nothing, so that it may be sent
	// again when its answer is lost.
	ReadOnly bool
}

// Invoke calls a method and returns its output parameters, the ReturnValue
// among them.
func (c *Client) Invoke(ctx context.Context, inv Invocation, options ...CallOption) (*cim.Instance, error) {
	r := request{
		op:        "invoke",
		reference: inv.Target,
		method:    inv.Method,
		action:    inv.Target.ResourceURI + "/" + inv.Method,
		effectful: !inv.ReadOnly,
		body:      func(b *builder, body *dom.Element) { b.input(body, inv) },
	}.with(options)
	var out *cim.Instance
	decode := func(body *xmlNode) error {
		e := outputElement(body, inv.Method)
		if e == nil {
			return malformed("no output parameters of " + inv.Method)
		}
		out = decodeInstance(e)
		return nil
	}
	x := &call{request: r, decode: decode}
	if inv.ReadOnly {
		x.again = Retryable
	}
	if err := c.do(ctx, x); err != nil {
		return nil, err
	}
	return out, nil
}

// input writes the METHOD_INPUT element (MS-WSMV 4.1.4). Hosts match its names
// with regard to letter case.
func (b *builder) input(body *dom.Element, inv Invocation) {
	class := dom.Namespace{Prefix: "p", Uri: inv.Target.ResourceURI}
	input := b.element(body, class, inv.Method+"_INPUT")
	for _, p := range inv.Params {
		if ref, ok := p.Value.Reference(); ok {
			b.reference(b.element(input, class, p.Name), ref)
			continue
		}
		for _, text := range p.Value.Elements() {
			b.text(input, class, p.Name, text)
		}
	}
}

// reference writes an endpoint reference straight into the parameter: hosts
// refuse one that is wrapped in an EndpointReference element.
func (b *builder) reference(parameter *dom.Element, ref cim.Reference) {
	b.text(parameter, addressingNamespace, "Address", anonymous)
	parameters := b.element(parameter, addressingNamespace, "ReferenceParameters")
	b.text(parameters, wsmanNamespace, "ResourceURI", ref.ResourceURI)
	b.selectorSet(parameters, ref.Selectors)
}

// outputElement finds the element with the output parameters: METHOD_OUTPUT on
// Windows, METHOD on other servers.
func outputElement(body *xmlNode, method string) *xmlNode {
	for _, e := range body.children {
		if strings.EqualFold(e.name.Local, method+"_OUTPUT") || strings.EqualFold(e.name.Local, method) {
			return e
		}
	}
	return nil
}
