package hyperv

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// generation is one of the two generations of the Hyper-V WMI provider.
type generation struct {
	namespace string
	// modes: CompactVirtualHardDisk has the parameter Mode. Hosts without it can only mount a disk
	// with write access, which this package never does.
	modes bool
	// cancels: RequestStateChange ends a job. The older generation documents it
	// as not supported.
	cancels bool
}

var (
	generationV2 = &generation{namespace: cim.NamespaceVirtualizationV2, modes: true, cancels: true}
	generationV1 = &generation{namespace: cim.NamespaceVirtualizationV1}
	// generations in the order in which they are tried.
	generations = [...]*generation{generationV2, generationV1}
)

// service addresses the image management service. On Windows, one of its four keys suffices as a
// selector and needs no host name (libvirt and go-wsman send the same).
func (g *generation) service() cim.Reference {
	return cim.NewReference(g.namespace, cim.ClassImageManagementService,
		cim.Selector{Name: "CreationClassName", Value: cim.ClassImageManagementService})
}

func (g *generation) classURI(class string) string { return cim.ResourceURI(g.namespace, class) }

func (g *generation) storageJob(id string) cim.Reference {
	return cim.NewReference(g.namespace, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: id})
}
