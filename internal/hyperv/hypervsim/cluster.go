package hypervsim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// ClusterConfig describes a failover cluster.
type ClusterConfig struct {
	// Name and Domain are CLUSTER01 and lab.example by default.
	Name, Domain string
	// Volumes are the directories of the cluster shared volumes,
	// C:\ClusterStorage\Volume1 by default.
	Volumes []string
	// Shares are UNC directories of a file server that every node can reach.
	Shares []string
	// OnlyQualified: names resolve with the domain only.
	OnlyQualified bool
	// Addresses are the addresses on which nodes listen, by the names of the
	// nodes; see WithAddress.
	Addresses map[string]string
}

// Cluster is a failover cluster: hosts that share volumes, know of each other
// in root\MSCluster, and share a name that leads to one of them. One lock holds
// all its hosts, and one oracle watches them.
//
// A disk below a shared volume can be put on any of the hosts. One that a
// machine, an attachment or a job of one node has open is in use on all of
// them, and the others cannot even read it: inferred from reports of running
// machines.
type Cluster struct {
	*Network
	config ClusterConfig
	site   *site

	hosts  []*Host
	mu     sync.Mutex // for what follows
	states map[string]NodeState
	faults map[string]uint32
}

// NewCluster returns a cluster with a node for each name that does not serve yet.
// The options hold for every node.
func NewCluster(c ClusterConfig, opts []Option, nodes ...string) (*Cluster, error) {
	c.Name, c.Domain = cmp.Or(c.Name, "CLUSTER01"), cmp.Or(c.Domain, "lab.example")
	if c.Volumes == nil {
		c.Volumes = []string{`C:\ClusterStorage\Volume1`}
	}
	cluster := &Cluster{
		Network: NewNetwork(), config: c, site: newSite(),
		states: map[string]NodeState{}, faults: map[string]uint32{},
	}
	for _, v := range c.Volumes {
		cluster.site.roots = append(cluster.site.roots, pathKey(volumeName(v)))
		cluster.faults[v] = FaultNone
	}
	for _, s := range c.Shares {
		cluster.site.roots = append(cluster.site.roots, pathKey(s))
	}
	for _, name := range nodes {
		cluster.states[name] = NodeUp
	}
	for _, name := range nodes {
		if err := cluster.add(name, opts); err != nil {
			return nil, err
		}
	}
	cluster.Point(c.Name, cluster.hosts[:1]...)
	cluster.pointQualified(c.Name, cluster.hosts[:1]...)
	return cluster, nil
}

// add makes a node.
func (c *Cluster) add(name string, opts []Option) error {
	join := []Option{optionFunc(func(o *options) { o.site = c.site }), WithFailover(c.picture())}
	own := []Option{WithComputerName(name)}
	if address := c.config.Addresses[name]; address != "" {
		own = append(own, WithAddress(address))
	}
	h, err := New(slices.Concat(join, opts, own)...)
	if err != nil {
		return fmt.Errorf("node %s: %w", name, err)
	}
	c.hosts = append(c.hosts, h)
	if !c.config.OnlyQualified {
		c.Point(name, h)
	}
	c.pointQualified(name, h)
	return nil
}

func (c *Cluster) pointQualified(name string, hosts ...*Host) {
	c.Point(name+"."+c.config.Domain, hosts...)
}

// picture returns what every node knows of the cluster.
func (c *Cluster) picture() Failover {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Failover{
		Name: c.config.Name, FQDN: c.config.Name + "." + c.config.Domain,
		Nodes: maps.Clone(c.states), Volumes: maps.Clone(c.faults),
	}
}

// refresh updates every node's picture of the cluster.
func (c *Cluster) refresh() {
	for _, h := range c.hosts {
		h.JoinFailover(c.picture())
	}
}

// Start serves on all nodes until Close.
func (c *Cluster) Start(ctx context.Context) error {
	for _, h := range c.hosts {
		if err := h.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Hosts returns the nodes in the order in which they were named.
func (c *Cluster) Hosts() []*Host { return slices.Clone(c.hosts) }

// Node returns a node by its name, and panics if there is none: a test that
// names an unknown node is arranged wrongly.
func (c *Cluster) Node(name string) *Host {
	for _, h := range c.hosts {
		if strings.EqualFold(h.ComputerName(), name) {
			return h
		}
	}
	panic(fmt.Sprintf("hypervsim: %s is no node", name))
}

// MoveName moves the name of the cluster to a node. Connections that were made
// under it are cut.
func (c *Cluster) MoveName(node string) {
	h := c.Node(node)
	c.Move(c.config.Name, h)
	c.Move(c.config.Name+"."+c.config.Domain, h)
}

// MoveNameQuietly moves the name of the cluster to a node and leaves connections
// open: those of one client are on two nodes from then on.
func (c *Cluster) MoveNameQuietly(node string) {
	h := c.Node(node)
	c.Point(c.config.Name, h)
	c.pointQualified(c.config.Name, h)
}

// SetNode changes the state of a node. A node that is down cannot be reached;
// the test decides what becomes of its machines (MoveVM).
func (c *Cluster) SetNode(node string, state NodeState) {
	h := c.Node(node)
	c.mu.Lock()
	c.states[h.ComputerName()] = state
	c.mu.Unlock()
	h.SetDown(state == NodeDown)
	c.refresh()
}

// SetVolume changes the FaultState of a cluster shared volume.
func (c *Cluster) SetVolume(directory string, fault uint32) {
	c.mu.Lock()
	c.faults[directory] = fault
	c.mu.Unlock()
	c.refresh()
}

// MoveVM moves a machine to another node, as a live migration or a fail-over does.
func (c *Cluster) MoveVM(name, node string) error {
	to := c.Node(node).world
	to.lock()
	defer to.mu.Unlock()
	for _, from := range c.site.worlds {
		if m := from.machineNamed(name); m != nil {
			from.machines = slices.DeleteFunc(from.machines, func(other *machine) bool { return other == m })
			to.machines = append(to.machines, m)
			return nil
		}
	}
	return fmt.Errorf("no virtual machine %s", name)
}

// Close closes every node.
func (c *Cluster) Close() error {
	var all []error
	for _, h := range c.hosts {
		all = append(all, h.Close())
	}
	return errors.Join(all...)
}

// Dial is DialAs for a client without a name.
func (c *Cluster) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return c.DialAs("")(ctx, network, address)
}
