package hyperv

import (
	"context"
	"errors"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// errOtherNode: the host is another node now than the one that a run has begun on.
// The name of a cluster moves, and so may an entry of DNS or a load balancer.
var errOtherNode = errors.New("another node answers")

// nodeSink is the key of a context under which answers tell their node.
type nodeSink struct{}

// learnNode returns a context under which each answer stores the node that gave
// it, which costs one exchange for each connection that has not told it yet.
func learnNode(ctx context.Context, node *string) context.Context {
	return context.WithValue(ctx, nodeSink{}, node)
}

// onNode returns a context under which only that node is asked. A node that is
// not known expects nothing.
func onNode(ctx context.Context, node string) context.Context { return wsman.ExpectNode(ctx, node) }

// options are those that the context of a call demands.
func options(ctx context.Context) []wsman.CallOption {
	if node, ok := ctx.Value(nodeSink{}).(*string); ok {
		return []wsman.CallOption{wsman.Confirmed(), wsman.FromNode(node)}
	}
	return nil
}

// sameNode reports whether what is remembered of one node can be asked of another:
// a name that is not known stands for the host as it is configured.
func sameNode(remembered, now string) bool {
	return remembered == "" || now == "" || strings.EqualFold(remembered, now)
}
