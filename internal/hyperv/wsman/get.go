package wsman

import (
	"context"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// Get reads the instance that ref refers to.
func (c *Client) Get(ctx context.Context, ref cim.Reference, options ...CallOption) (*cim.Instance, error) {
	r := request{op: "get", reference: ref, action: actionGet}.with(options)
	var instance *cim.Instance
	err := c.do(ctx, &call{request: r, again: Retryable, decode: func(body *xmlNode) error {
		e := body.first()
		if e == nil {
			return malformed("the body is empty")
		}
		instance = decodeInstance(e)
		return nil
	}})
	return instance, err
}
