package wsman

import (
	"context"

	"github.com/masterzen/simplexml/dom"
)

// Identity is what a WS-Management service says about itself.
type Identity struct {
	// ProtocolVersion is a URI.
	ProtocolVersion string
	// ProductVendor and ProductVersion are free text.
	ProductVendor, ProductVersion string
}

// Identify asks the service what it is. It logs on for that: the connection is
// then ready for other requests.
func (c *Client) Identify(ctx context.Context) (Identity, error) {
	r := request{op: "identify", bare: true, body: func(b *builder, body *dom.Element) {
		b.element(body, identityNamespace, "Identify")
	}}
	var id Identity
	err := c.do(ctx, &call{request: r, again: Retryable, decode: func(body *xmlNode) error {
		e := body.child("IdentifyResponse", nsIdentity)
		if e == nil {
			return malformed("no IdentifyResponse")
		}
		id = Identity{
			ProtocolVersion: e.child("ProtocolVersion", nsIdentity).value(),
			ProductVendor:   e.child("ProductVendor", nsIdentity).value(),
			ProductVersion:  e.child("ProductVersion", nsIdentity).value(),
		}
		return nil
	}})
	return id, err
}
