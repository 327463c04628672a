package wsman

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/masterzen/winrm"
	"github.com/masterzen/winrm/soap"
)

// Client asks one host. It is safe for concurrent use.
type Client struct {
	endpoint       *winrm.Endpoint
	session        *session
	requestTimeout time.Duration
	locale         string
	logger         *slog.Logger
}

// New checks cfg and dials nothing.
func New(cfg Config) (*Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s, err := newSession(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		endpoint:       cfg.Endpoint,
		session:        s,
		requestTimeout: cfg.RequestTimeout,
		locale:         cfg.Locale,
		logger:         cfg.Logger,
	}
	s.ask = c.ask
	return c, nil
}

// Close drops the idle connections and those of running requests as soon as
// their answers are there.
func (c *Client) Close() { c.session.close() }

// once sends a request that changes something. Its error is either an
// [OutcomeError] or [Refused].
func (c *Client) once(ctx context.Context, r request, decode func(body *xmlNode) error) error {
	return c.annotate(r, c.try(ctx, r, decode))
}

// read sends a request that changes nothing, again if need be.
func (c *Client) read(ctx context.Context, r request, decode func(body *xmlNode) error) error {
	return c.readWhile(ctx, r, Retryable, decode)
}

// readWhile is read with another idea of what is worth another try.
func (c *Client) readWhile(ctx context.Context, r request, again func(error) bool, decode func(body *xmlNode) error) error {
	return c.annotate(r, retry(ctx, again, func() error { return c.try(ctx, r, decode) }))
}

func (*Client) annotate(r request, err error) error {
	if err == nil {
		return nil
	}
	_, open := errors.AsType[*OutcomeError](err)
	return &OpError{Op: r.op, ResourceURI: r.reference.ResourceURI, Method: r.method, Err: err, refused: r.effectful && !open}
}

// try builds, sends and reads one message.
func (c *Client) try(ctx context.Context, r request, decode func(body *xmlNode) error) error {
	e, err := c.envelope(r)
	if err != nil {
		return err
	}
	start := time.Now()
	status, err := c.exchange(ctx, r, e, decode)
	c.trace(ctx, r, e, status, time.Since(start), err)
	return err
}

func (c *Client) exchange(ctx context.Context, r request, e envelope, decode func(body *xmlNode) error) (status int, err error) {
	a, err := c.post(ctx, r, e)
	r.answeredBy(a.node)
	if err == nil {
		var body *xmlNode
		if body, err = a.open(e.id); err == nil {
			err = decode(body)
		}
	}
	return a.status, r.settle(a, err)
}

// post sends a message through a client of the WinRM library made for it alone:
// that library's transporters know no context, ours brings one.
func (c *Client) post(ctx context.Context, r request, e envelope) (answer, error) {
	t := &transporter{ctx: ctx, session: c.session, message: message{effectful: r.effectful, confirmed: r.confirmed, node: nodeExpected(ctx)}}
	parameters := winrm.NewParameters(duration(c.requestTimeout), c.locale, maxEnvelopeSize)
	parameters.TransportDecorator = func() winrm.Transporter { return t }
	client, err := winrm.NewClientWithParameters(c.endpoint, "", "", parameters)
	if err != nil {
		return answer{}, err
	}
	c.traceBody(ctx, "request", r, e.message.String)
	text, err := t.Post(client, e.message)
	if err != nil {
		return t.answer, err
	}
	c.traceBody(ctx, "answer", r, func() string { return text })
	return t.answer, nil
}

// transporter carries one message over the shared connections, under the
// context of its caller.
type transporter struct {
	ctx     context.Context // the interface has no other way to pass it
	session *session
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
	t.answer, err = t.session.exchange(t.ctx, t.message)
	return string(t.answer.body), err
}
