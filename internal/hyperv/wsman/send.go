package wsman

import "context"

// Send sends an envelope that the caller wrote and returns the answer as it
// came, faults included. It is for programs that find out how a host answers
// requests that this package never sends. The envelope must not change
// anything, because it may be sent twice. An answer without a message is an
// [HTTPError].
func (c *Client) Send(ctx context.Context, envelope []byte) (status int, body []byte, err error) {
	r := request{op: "send"}
	c.traceBody(ctx, "request", r, func() string { return string(envelope) })
	a, err := c.session.exchange(ctx, message{soap: envelope})
	if err != nil {
		return 0, nil, &OpError{Op: r.op, Err: err}
	}
	c.traceBody(ctx, "answer", r, func() string { return string(a.body) })
	return a.status, a.body, nil
}
