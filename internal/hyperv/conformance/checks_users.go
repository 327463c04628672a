package conformance

import (
	"context"
	"errors"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// list enumerates a class.
func (k *kit) list(ctx context.Context, namespace, class string) ([]*cim.Instance, error) {
	return k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(namespace, class)})
}

// timestampPause is how long a disk is left alone between two reads; a time stamp that is that of
// the reading itself would differ between them.
const timestampPause = 2 * time.Second

func (k *kit) stateTimestamp(ctx context.Context) verdict {
	if is, known := k.atLeast(10, 0, 14393); !is && known {
		return notTested("there is no Timestamp before Server 2016")
	}
	var read [2]string
	for i := range read {
		o, _, err := k.look(ctx, [2]string{"GetVirtualHardDiskState", "State"})
		if err != nil {
			return trouble(err)
		}
		text, _ := o.out.String("State")
		state, err := cim.DecodeEmbedded(text)
		if err != nil {
			return notTested("the state of the disk cannot be read: %v", err)
		}
		if read[i], _ = state.String("Timestamp"); read[i] == "" {
			return notTested("the host tells no Timestamp")
		}
		if err := pause(ctx, timestampPause); err != nil {
			return trouble(err)
		}
	}
	return when(read[0] == read[1], "equal %t, %s apart", read[0] == read[1], timestampPause)
}

func (k *kit) clusterNodes(ctx context.Context) verdict {
	clusters, err := k.list(ctx, cim.NamespaceCluster, cim.ClassCluster)
	if noCluster(err) {
		return notTested("the host is no node of a failover cluster")
	}
	if err != nil {
		return trouble(err)
	}
	nodes, err := k.list(ctx, cim.NamespaceCluster, cim.ClassClusterNode)
	if err != nil {
		return trouble(err)
	}
	named := len(clusters) == 1 && len(nodes) > 0 && has(clusters[0], "Name", "Fqdn")
	for _, n := range nodes {
		named = named && has(n, "Name", "State")
	}
	return when(named, "%d clusters and %d nodes, all properties %t", len(clusters), len(nodes), named)
}

// has reports whether an instance has a value for each property.
func has(i *cim.Instance, properties ...string) bool {
	for _, p := range properties {
		if s, ok := i.String(p); !ok || s == "" {
			return false
		}
	}
	return true
}

// noCluster reports whether a host answered that it lacks the namespace.
func noCluster(err error) bool {
	fault, ok := errors.AsType[*wsman.Fault](err)
	return ok && !denied(fault) && hasAny(missingNamespaceCodes...)(fault)
}

func (k *kit) fileClassesOnClusterVolume(ctx context.Context) verdict {
	volumes, err := k.list(ctx, cim.NamespaceCluster, cim.ClassClusterSharedVolume)
	if noCluster(err) {
		return notTested("the host is no node of a failover cluster")
	}
	if err != nil {
		return trouble(err)
	}
	for _, v := range volumes {
		name, _ := v.String("Name")
		name = winpath.Normalize(name)
		if len(name) < len(`C:\x`) || name[1] != ':' {
			continue
		}
		return k.listsVolume(ctx, name)
	}
	return notTested("the cluster has no shared volume with a directory")
}

// listsVolume asks for the entries of a cluster shared volume, which has at least
// the folder System Volume Information.
func (k *kit) listsVolume(ctx context.Context, directory string) verdict {
	entries := 0
	for _, class := range [...]string{cim.ClassDirectory, cim.ClassDataFile} {
		query := cim.SelectWQL(class) + " WHERE Drive=" + cim.QuoteWQL(directory[:2]) + " AND Path=" + cim.QuoteWQL(directory[2:]+`\`)
		found, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: allInCIMv2, WQL: query})
		if err != nil {
			return trouble(err)
		}
		entries += len(found)
	}
	return when(entries > 0, "%d entries", entries)
}
