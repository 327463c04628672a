package hypervsim

import (
	"slices"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// NodeState is State of MSCluster_Node.
type NodeState uint32

// The states of a node.
const (
	NodeUp      NodeState = 0
	NodeDown    NodeState = 1
	NodePaused  NodeState = 2
	NodeJoining NodeState = 3
	NodeUnknown NodeState = 0xFFFFFFFF // -1
)

// Values of FaultState of MSCluster_ClusterSharedVolume.
const (
	FaultNone        uint32 = 0
	FaultRedirected  uint32 = 1
	FaultNoAccess    uint32 = 2
	FaultMaintenance uint32 = 4
)

// Failover is what a node knows of its failover cluster.
type Failover struct {
	Name string // of the cluster, as NetBIOS has it
	FQDN string
	// Nodes by their names.
	Nodes map[string]NodeState
	// Volumes are the directories of the cluster shared volumes with their FaultState. Files on a
	// volume without access, or in maintenance, are not there; the directory of the volume is an
	// entry of the system drive, and stays.
	Volumes map[string]uint32
	// Unlisted: the file classes find a file on the volumes by its name, but list none of them.
	//
	// Unverified on a real host (file-classes-cluster-volume): whether they list such files.
	Unlisted bool
}

// WithFailover makes the host a node of a failover cluster.
func WithFailover(f Failover) Option {
	return arranged(func(h *Host) error {
		h.JoinFailover(f)
		return nil
	})
}

// JoinFailover makes the host a node of a failover cluster, or changes what it
// knows of it: root\MSCluster exists from then on. The other nodes are mere
// names; a [Cluster] has hosts for them.
func (h *Host) JoinFailover(f Failover) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.join(f)
}

func (w *world) join(f Failover) {
	w.failover = &f
	for directory, fault := range f.Volumes {
		volume := pathKey(volumeName(directory))
		if !slices.ContainsFunc(w.aliases, func(a alias) bool { return a.to == volume }) {
			w.mountVolume(directory, volume, true)
		}
		w.storeOf(volume).offline[volume] = fault > FaultRedirected
	}
}

var clusterClasses = []class{
	{name: cim.ClassCluster, keys: []string{"Name"}, instances: (*world).clusters},
	{name: cim.ClassClusterNode, keys: []string{"Name"}, instances: (*world).clusterNodes},
	{name: cim.ClassClusterSharedVolume, keys: []string{"Name"}, instances: (*world).clusterVolumes},
}

// clusters returns the instance of MSCluster_Cluster.
func (w *world) clusters(v view) []*wmi.Object {
	return []*wmi.Object{{
		Namespace: v.namespace, Class: cim.ClassCluster, Keys: []string{"Name"},
		Properties: []wmi.Property{
			wmi.Text("Caption", w.failover.Name),
			wmi.Uint32("EnableSharedVolumes", 1),
			wmi.Text("Fqdn", w.failover.FQDN),
			wmi.Text("Name", w.failover.Name),
			wmi.Text("SharedVolumesRoot", `C:\ClusterStorage`),
		},
	}}
}

// clusterNodes returns the instances of MSCluster_Node.
func (w *world) clusterNodes(v view) []*wmi.Object {
	var all []*wmi.Object
	for name, state := range inOrder(w.failover.Nodes) {
		all = append(all, &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassClusterNode, Keys: []string{"Name"},
			Properties: []wmi.Property{
				wmi.Text("Caption", name),
				wmi.Text("Name", name),
				wmi.Uint32("NodeDrainStatus", 0),
				wmi.Uint32("State", state),
				wmi.Uint32("StatusInformation", 0),
			},
		})
	}
	return all
}

// clusterVolumes returns the instances of MSCluster_ClusterSharedVolume.
func (w *world) clusterVolumes(v view) []*wmi.Object {
	var all []*wmi.Object
	for path, fault := range inOrder(w.failover.Volumes) {
		all = append(all, &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassClusterSharedVolume, Keys: []string{"Name"},
			Properties: []wmi.Property{
				wmi.Uint32("BackupState", 0),
				wmi.Text("Caption", winpath.Base(path)),
				wmi.Uint32("FaultState", fault),
				wmi.Text("Name", winpath.Normalize(path)),
				wmi.Text("VolumeName", volumeName(path)),
			},
		})
	}
	return all
}
