package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// cluster is the failover cluster of which a host is a node.
type cluster struct {
	name  string
	fqdn  string
	nodes []clusterNode
}

// clusterNode is one node as the cluster reports it.
type clusterNode struct {
	name  string
	state uint64
}

// State of MSCluster_Node. Only these two keep a node from using the cluster
// volumes; a node whose state the cluster does not know is asked.
const (
	nodeDown    = 1
	nodeJoining = 3
)

// clusterCache holds the cluster of a host.
type clusterCache struct {
	loading chan struct{} // held while the host is being asked
	read    time.Time
	cluster *cluster
	err     error // errNoCluster or a denial, which apply to all disks
}

// errNoCluster: the host is not a node of a failover cluster.
var errNoCluster = errors.New("no failover cluster")

// loadCluster asks for the nodes of the host's cluster, or returns an answer that is not older than
// since: nodes go down and come back. The answer that there is no cluster, or that it is denied, is
// kept for longer. The error is errNoCluster for a host without one.
func (h *Host) loadCluster(ctx context.Context, since time.Time) (*cluster, error) {
	c := &h.cluster
	select {
	case c.loading <- struct{}{}:
		defer func() { <-c.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if !c.read.IsZero() && time.Since(c.read) <= usageKept && (c.err != nil || !c.read.Before(since)) {
		return c.cluster, c.err
	}
	began := time.Now()
	found, err := h.readCluster(ctx)
	return found, c.remember(began, found, err)
}

// remember keeps an answer that holds for all disks, and returns its error. That there
// is no cluster, or that it is denied, is no such answer of a host that has told of
// one before.
func (c *clusterCache) remember(began time.Time, found *cluster, err error) error {
	lasting := errors.Is(err, errNoCluster) || errors.Is(err, ErrAccessDenied)
	switch {
	case err == nil, lasting && c.cluster == nil:
		c.read, c.cluster, c.err = began, found, err
	case lasting:
		return errors.New("the cluster " + c.cluster.name + " does not tell any more: " + err.Error())
	}
	return err
}

// The provider of root\MSCluster fails now and then, and is missing for a while
// after a start; monitoring software repeats the request as often and pauses as
// long.
const (
	clusterTries = 3
	clusterPause = 400 * time.Millisecond
)

func (h *Host) readCluster(ctx context.Context) (*cluster, error) {
	for try := 1; ; try++ {
		c, err := h.askCluster(ctx)
		switch {
		case isMissingClass(err):
			return nil, fmt.Errorf("%w: %w", errNoCluster, err)
		case err == nil, try == clusterTries, errors.Is(err, ErrAccessDenied), errors.Is(err, ErrUnreachable), ctx.Err() != nil:
			return c, err
		}
		if err := pause(ctx, time.Duration(try)*clusterPause); err != nil {
			return nil, err
		}
	}
}

// askCluster asks once: one exchange for the cluster, one for its nodes. A
// cluster without nodes means a provider that is starting up; it is not an
// answer.
func (h *Host) askCluster(ctx context.Context) (*cluster, error) {
	clusters, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceCluster, cim.ClassCluster))
	if err != nil {
		return nil, fmt.Errorf("ask for the failover cluster: %w", err)
	}
	nodes, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceCluster, cim.ClassClusterNode))
	if err != nil {
		return nil, fmt.Errorf("list the nodes of the failover cluster: %w", err)
	}
	if len(clusters) == 0 || len(nodes) == 0 {
		return nil, errors.New(`root\MSCluster lists no cluster or no nodes`)
	}
	c := &cluster{}
	c.name, _ = clusters[0].String("Name")
	c.fqdn, _ = clusters[0].String("Fqdn")
	for _, n := range nodes {
		name, _ := n.String("Name")
		c.nodes = append(c.nodes, clusterNode{name: name, state: firstUint(n, 32, "State")})
	}
	slices.SortFunc(c.nodes, func(a, b clusterNode) int { return strings.Compare(a.name, b.name) })
	return c, nil
}

// nodeAddress returns the address at which a node is reached: the one in the
// configuration, or its name in the domain of the cluster.
func (h *Host) nodeAddress(c *cluster, node string) (address string, written bool) {
	for name, address := range h.clusterNodes {
		if sameComputer(name, node) {
			return address, true
		}
	}
	_, domain, _ := strings.Cut(c.fqdn, ".")
	if domain == "" || strings.Contains(node, ".") {
		return node, false
	}
	return node + "." + domain, false
}

// longestNetBIOSName is how many characters of a computer name NetBIOS keeps at most.
const longestNetBIOSName = 15

// sameComputer reports whether two names are those of one computer: without the domain, without
// regard to letter case, each in full or as NetBIOS shortens it. Two names that are both longer
// than that are compared in full.
func sameComputer(a, b string) bool {
	a, _, _ = strings.Cut(a, ".")
	b, _, _ = strings.Cut(b, ".")
	return strings.EqualFold(a, b) || strings.EqualFold(netBIOSName(a), b) || strings.EqualFold(a, netBIOSName(b))
}

func netBIOSName(name string) string {
	characters := []rune(name)
	return string(characters[:min(len(characters), longestNetBIOSName)])
}

// wrongNodeError: the address of a node leads to another computer.
type wrongNodeError struct{ address, node string }

func (e *wrongNodeError) Error() string {
	return fmt.Sprintf("%s is the address of %s, not of this node", e.address, e.node)
}
