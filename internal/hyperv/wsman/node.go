package wsman

import (
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// Confirmation names the read that confirms a connection: it goes out before the
// first message that changes something, and its answer says which node the
// connection leads to. The name of a host can move, that of a cluster for
// example, and the connections of one client can lead to different nodes; one
// connection never changes its node.
type Confirmation struct {
	// Reference is the instance that is read.
	Reference cim.Reference
	// Property is the property of the instance whose value names the node.
	Property string
}

// CallOption changes one request, or returns more about its answer.
type CallOption func(*request)

// FromNode stores in node which node answered: the value of the property that
// the [Confirmation] names, read over the connection that the request last went
// out on. It is set when the call returns, and for an enumeration before each of
// its yields, whether there was an answer, a fault or none at all. It is empty
// when no connection was made, when the connection was never confirmed (reads
// alone do not do that, see [Confirmed]) or when the host gave no name.
func FromNode(node *string) CallOption {
	return func(r *request) { r.node = node }
}

// Confirmed demands a confirmed connection for a read, so that [FromNode] can
// name its node. It costs one exchange for each connection that is not
// confirmed yet. An [Invocation] that is not ReadOnly demands it by itself.
func Confirmed() CallOption {
	return func(r *request) { r.confirmed = true }
}

// expectedNode is the key of the node that a context expects.
type expectedNode struct{}

// ExpectNode returns a context under which messages go out only over
// connections to that node, compared without regard to letter case; other
// messages end in a [NodeError] and do not go out. A connection whose node is
// unknown counts as one to another node. An empty node expects nothing.
func ExpectNode(ctx context.Context, node string) context.Context {
	if node == "" {
		return ctx
	}
	return context.WithValue(ctx, expectedNode{}, node)
}

// AnyNode returns ctx without the node that it expects, for requests to another host in between.
func AnyNode(ctx context.Context) context.Context {
	return context.WithValue(ctx, expectedNode{}, "")
}

func nodeExpected(ctx context.Context) string {
	node, _ := ctx.Value(expectedNode{}).(string)
	return node
}

// with applies the options of a call.
func (r request) with(options []CallOption) request {
	for _, o := range options {
		o(&r)
	}
	return r
}

// confirm makes sure that l is confirmed, with the last token of the handshake
// if there is one. Without a [Confirmation] that token goes alone: however the
// host answers a request without a message, anything but a 401 means that it
// accepted the token.
func (s *session) confirm(ctx context.Context, l *link, token []byte) error {
	if l.confirmed {
		return nil
	}
	confirmation, ok := s.confirmation()
	switch {
	case ok:
		node, err := s.ask(ctx, confirmation, func(ctx context.Context, m message) (answer, error) {
			return s.sealed(ctx, l, m, token)
		})
		if err != nil {
			return &ConfirmError{Err: err}
		}
		l.node, l.confirmed = node, true
	case token != nil:
		if _, err := l.exchangeToken(ctx, token); !isHTTPError(err) {
			return err
		}
	}
	return nil
}

func isHTTPError(err error) bool {
	_, ok := errors.AsType[*HTTPError](err)
	return ok
}

// ask sends the read of a [Confirmation] over one connection and returns the name of the node. A
// host that cannot name its node, because it has no such instance or does not show it, has accepted
// the logon all the same.
func (c *Client) ask(ctx context.Context, confirmation Confirmation, over transport) (node string, err error) {
	x := &call{
		request: request{op: "confirm", reference: confirmation.Reference, action: actionGet},
		decode: func(body *xmlNode) error {
			e := body.first()
			if e == nil {
				return malformed("the body is empty")
			}
			node, _ = decodeInstance(e).String(confirmation.Property)
			return nil
		},
	}
	err = c.built(c.traced(opened(c.carried(over))))(ctx, x)
	if fault, ok := errors.AsType[*Fault](err); ok && !fault.retryable() {
		return "", nil
	}
	return node, err
}
