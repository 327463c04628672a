package wsman

import (
	"context"

	"github.com/masterzen/simplexml/dom"
)

// Identity is the answer of a WS-Management service to Identify.
type Identity struct {
	// ProtocolVersion is a URI.
	ProtocolVersion string
	// ProductVendor and ProductVersion are free text.
	ProductVendor, ProductVersion string
}

// Identify asks the service to identify itself. It logs on to do so, and the
// connection is then ready for other requests.
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
