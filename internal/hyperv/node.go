package hyperv

import (
	"context"
	"errors"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// errOtherNode: the name of the host now leads to a node other than the one on which the run began.
// The name of a cluster moves, and so may an entry in DNS or a load balancer.
var errOtherNode = errors.New("another node answers")

// nodeSink is the context key for the variable in which answers store their node.
type nodeSink struct{}

// learnNode returns a context under which each answer stores the node that gave
// it, which costs one exchange for each connection whose node is not known yet.
func learnNode(ctx context.Context, node *string) context.Context {
	return context.WithValue(ctx, nodeSink{}, node)
}

// onNode returns a context under which only that node is asked. A node that is
// not known expects nothing.
func onNode(ctx context.Context, node string) context.Context { return wsman.ExpectNode(ctx, node) }

// options returns the call options that the context of a call demands.
func options(ctx context.Context) []wsman.CallOption {
	if node, ok := ctx.Value(nodeSink{}).(*string); ok {
		return []wsman.CallOption{wsman.Confirmed(), wsman.FromNode(node)}
	}
	return nil
}

// sameNode reports whether facts that were recorded on one node apply to another: an unknown name
// stands for the host as it is configured.
func sameNode(remembered, now string) bool {
	return remembered == "" || now == "" || strings.EqualFold(remembered, now)
}
