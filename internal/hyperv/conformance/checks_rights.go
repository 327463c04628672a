package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// Rights is the set of rights of an account that is not an administrator.
type Rights string

// The sets of rights, from too few to more than enough; from RightsBoth on, each includes those
// before.
const (
	RightsRemoteManagement Rights = "remote-management" // member of Remote Management Users alone
	RightsHyperV           Rights = "hyper-v"           // member of Hyper-V Administrators alone
	RightsBoth             Rights = "both"
	RightsNamespace        Rights = "namespace" // both, and Execute Methods and Remote Enable of root\virtualization\v2
	RightsRoot             Rights = "root"      // and read and execute in the RootSDDL of WinRM
)

// AllRights lists the sets of rights, the smallest first.
func AllRights() []Rights {
	return []Rights{RightsRemoteManagement, RightsHyperV, RightsBoth, RightsNamespace, RightsRoot}
}

// reach is how much of the host an account can use.
type reach struct {
	cimv2, service, own, methods error
	listed                       bool // the host's own computer system
	compacted                    *outcome
	compaction                   error
}

// String describes it in numbers and names of the protocol.
func (r reach) String() string {
	s := fmt.Sprintf("root\\cimv2: %s; service: %s; own system listed %t: %s; methods: %s", summary(r.cimv2), summary(r.service), r.listed, summary(r.own), summary(r.methods))
	if r.compacted != nil {
		s += "; compaction: " + r.compacted.String()
	}
	return s
}

// suffices reports whether the account can do what this provider does.
func (r reach) suffices() bool {
	return r.service == nil && r.listed && r.methods == nil && r.compaction == nil && (r.compacted == nil || r.compacted.succeeded())
}

// tryRights finds out how much the account can do. A compaction is tried where disks may be
// created; if it cannot be tried, that adds nothing to the other answers.
func (k *kit) tryRights(ctx context.Context) reach {
	var r reach
	_, r.cimv2 = k.enumerate(ctx, wsman.Enumeration{ResourceURI: systems})
	namespace := orElse(k.namespace, cim.NamespaceVirtualizationV2)
	_, r.service = k.client.Get(ctx, service(namespace))
	if k.namespace != "" {
		r.listed, r.own = k.ownSystem(ctx)
		r.methods = k.invokeHarmlessly(ctx)
	} else {
		_, _, r.methods = k.invoke(ctx, service(namespace), "GetVirtualHardDiskState", "Path", k.absent(".vhdx"))
	}
	if k.options.Write && k.namespace != "" {
		d, err := k.disk(ctx, k.work())
		if r.compaction = err; err == nil {
			o, err := k.compact(ctx, d.path, "0")
			r.compacted, r.compaction = &o, err
		}
	}
	return r
}

// withRights finds out how much an account with certain rights can do.
func withRights(rights Rights, judge func(reach) verdict) func(*kit, context.Context) verdict {
	return func(k *kit, ctx context.Context) verdict {
		if k.options.Rights != rights {
			return notTested("only asked of an account with these rights: -rights %s", rights)
		}
		return judge(k.tryRights(ctx))
	}
}

// refusesRights is held when the host denies the account something or shows it nothing.
func refusesRights(r reach) verdict {
	return when(!r.suffices() && (isDenied(r.methods) || isDenied(r.service)), "%s", r)
}

// refusedByService is held when the service denies the account even classes
// that every user may read.
func refusedByService(r reach) verdict { return when(isDenied(r.cimv2), "%s", r) }

// suffices is held when the account can do what this provider does.
func suffices(r reach) verdict { return when(r.suffices(), "%s", r) }

func isDenied(err error) bool {
	fault, ok := errors.AsType[*wsman.Fault](err)
	return ok && denied(fault)
}

// jobsOfOthers looks for a job that another account started. With an account of few rights there is
// one: the preceding run, by an administrator, has just started some.
func (k *kit) jobsOfOthers(ctx context.Context) verdict {
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassStorageJob)})
	if err != nil {
		return trouble(err)
	}
	for _, i := range all {
		if owner, ok := i.String("Owner"); ok && owner != "" && !k.isOwn(owner) {
			return held("a job of another account among %d", len(all))
		}
	}
	if k.options.Rights != "" && k.options.Fixtures != nil {
		return contradicted("none of %d jobs belongs to another account, though one has just made some", len(all))
	}
	return notTested("no job of another account is known to be there")
}
