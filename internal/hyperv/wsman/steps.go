package wsman

import (
	"context"
	"errors"
	"time"

	"github.com/masterzen/winrm"
	"github.com/masterzen/winrm/soap"
)

// call is one request on its way through the steps.
type call struct {
	request

	// decode reads the body of the answer.
	decode func(body *xmlNode) error
	// again reports whether the request goes out again after an error; nil means never.
	again func(error) bool

	envelope envelope // of this try
	answer   answer   // to it
}

// step is a part of the work that a request takes. Each is named by what it
// adds to the next one.
type step func(ctx context.Context, x *call) error

// do takes a request through all steps. This is their order.
func (c *Client) do(ctx context.Context, x *call) error {
	return named(
		repeated(
			c.built(
				c.traced(
					settled(
						opened(
							c.carried(c.session.exchange)))))))(ctx, x)
}

// named adds to an error the operation, and whether the error proves that nothing was done.
func named(next step) step {
	return func(ctx context.Context, x *call) error {
		err := next(ctx, x)
		if err == nil {
			return nil
		}
		_, open := errors.AsType[*OutcomeError](err)
		return &OpError{Op: x.op, ResourceURI: x.reference.ResourceURI, Method: x.method, Err: err, refused: x.effectful && !open}
	}
}

// repeated adds further tries.
func repeated(next step) step {
	return func(ctx context.Context, x *call) error {
		if x.again == nil {
			return next(ctx, x)
		}
		return retry(ctx, x.again, func() error { return next(ctx, x) })
	}
}

// built adds the envelope. Each try has its own.
func (c *Client) built(next step) step {
	return func(ctx context.Context, x *call) (err error) {
		if x.envelope, err = c.envelope(x.request); err != nil {
			return err
		}
		return next(ctx, x)
	}
}

// traced adds lines to the log.
func (c *Client) traced(next step) step {
	return func(ctx context.Context, x *call) error {
		c.traceBody(ctx, "request", x.request, x.envelope.message.String)
		start := time.Now()
		err := next(ctx, x)
		if len(x.answer.body) > 0 {
			c.traceBody(ctx, "answer", x.request, func() string { return string(x.answer.body) })
		}
		c.trace(ctx, x.request, x.envelope, x.answer.status, time.Since(start), err)
		return err
	}
}

// settled adds to an error that the host may have acted, see [Refused].
func settled(next step) step {
	return func(ctx context.Context, x *call) error { return x.settle(x.answer, next(ctx, x)) }
}

// opened adds the content of the answer; a fault is an error.
func opened(next step) step {
	return func(ctx context.Context, x *call) error {
		if err := next(ctx, x); err != nil {
			return err
		}
		body, err := x.answer.open(x.envelope.id)
		if err != nil {
			return err
		}
		return x.decode(body)
	}
}

// carried adds the answer. The message goes through a client of the WinRM library made for it
// alone: that library's transporters take no context; ours carries one.
func (c *Client) carried(over transport) step {
	return func(ctx context.Context, x *call) error {
		t := &transporter{ctx: ctx, over: over, message: message{effectful: x.effectful, confirmed: x.confirmed, node: nodeExpected(ctx)}}
		parameters := winrm.NewParameters(duration(c.requestTimeout), c.locale, maxEnvelopeSize)
		parameters.TransportDecorator = func() winrm.Transporter { return t }
		client, err := winrm.NewClientWithParameters(c.endpoint, "", "", parameters)
		if err != nil {
			return err
		}
		_, err = t.Post(client, x.envelope.message)
		x.answer = t.answer
		if x.node != nil {
			*x.node = t.answer.node
		}
		return err
	}
}

// transporter carries one message under the context of its caller.
type transporter struct {
	ctx     context.Context // the interface has no other way to pass it
	over    transport
	message message // without its envelope
	answer  answer
}

var _ winrm.Transporter = (*transporter)(nil)

// Transport implements winrm.Transporter. The session is set up already.
func (*transporter) Transport(*winrm.Endpoint) error { return nil }

// Post implements winrm.Transporter.
func (t *transporter) Post(_ *winrm.Client, m *soap.SoapMessage) (string, error) {
	t.message.soap = []byte(m.String())
	var err error
	t.answer, err = t.over(t.ctx, t.message)
	return string(t.answer.body), err
}
