package conformance

import (
	"context"
	"errors"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// serves reports whether the image management service of a namespace is there.
// Faults about anything but a missing namespace or class do not decide that.
func (k *kit) serves(ctx context.Context, namespace string) (bool, error) {
	_, err := k.client.Get(ctx, service(namespace))
	if fault, ok := errors.AsType[*wsman.Fault](err); ok && missing(fault, missingNamespaceCodes...) {
		return false, nil
	}
	return err == nil, err
}

// missingNamespaceCodes are the numbers of a fault about a namespace or a class
// that is not there.
var missingNamespaceCodes = []uint32{2147749902, 2147749904, 2150858752, 2150858811, 2150858778}

// missing reports whether a fault says that something is not there.
func missing(f *wsman.Fault, codes ...uint32) bool {
	if len(f.Codes) == 0 { // servers other than Windows send no numbers
		return f.Subcode.Local == "DestinationUnreachable"
	}
	return hasAny(codes...)(f)
}

func (k *kit) namespacesByRelease(ctx context.Context) verdict {
	is2012, known := k.atLeast(6, 2, 0)
	is2016, _ := k.atLeast(10, 0, 0)
	if !known {
		return notTested("the version of Windows is not known")
	}
	if k.namespace == "" {
		return notTested("the host serves no generation of the Hyper-V provider to this account")
	}
	v2, err := k.serves(ctx, cim.NamespaceVirtualizationV2)
	if err != nil {
		return trouble(err)
	}
	v1, err := k.serves(ctx, cim.NamespaceVirtualizationV1)
	if err != nil {
		return trouble(err)
	}
	return when(v2 == is2012 && (!is2016 || !v1), "version %s: newer generation %t, older generation %t", k.version, v2, v1)
}

func (k *kit) v1On2012R2(ctx context.Context) verdict {
	if !strings.HasPrefix(k.version, "6.3.") {
		return notTested("only asked of Server 2012 R2")
	}
	v1, err := k.serves(ctx, cim.NamespaceVirtualizationV1)
	if err != nil {
		return trouble(err)
	}
	return when(!v1, "older generation %t", v1)
}

func (k *kit) serviceOneSelector(ctx context.Context) verdict {
	i, err := k.client.Get(ctx, service(k.namespace))
	if err != nil {
		return trouble(err)
	}
	class, _ := i.String("CreationClassName")
	return when(class == cim.ClassImageManagementService, "%d properties, the expected class %t", len(i.Names()), class == cim.ClassImageManagementService)
}

func (k *kit) serviceName(ctx context.Context) verdict {
	i, err := k.client.Get(ctx, service(k.namespace))
	if err != nil {
		return trouble(err)
	}
	name, _ := i.String("Name")
	return when(name == "vhdsvc", "the expected name %t", name == "vhdsvc")
}

func (k *kit) withoutSelectors(ctx context.Context) error {
	_, _, err := k.invoke(ctx, cim.NewReference(k.namespace, cim.ClassImageManagementService), k.inspection(), "Path", k.absent(".vhdx"))
	return err
}

func (k *kit) invokeWithoutSelectors(ctx context.Context) verdict {
	return wantRefusal(k.invokeHarmlessly(ctx), k.withoutSelectors(ctx))
}

func (k *kit) invokeWithoutSelectorsCode(ctx context.Context) verdict {
	return wantFault(k.withoutSelectors(ctx), hasAny(2147749935))
}

func (k *kit) rightsToInvoke(ctx context.Context) verdict {
	err := k.invokeHarmlessly(ctx)
	fault, ok := errors.AsType[*wsman.Fault](err)
	switch {
	case ok && denied(fault):
		return contradicted("%s", describe(fault))
	case err != nil:
		return trouble(err)
	}
	return held("a method was called")
}

// invokeHarmlessly inspects a file that does not exist.
func (k *kit) invokeHarmlessly(ctx context.Context) error {
	_, _, err := k.invoke(ctx, service(k.namespace), k.inspection(), "Path", k.absent(k.extension()))
	return err
}

// accessDenied looks for a refusal for lack of rights, to read the service or to
// call a method of it. Without its number a refusal is known by its subcode.
func (k *kit) accessDenied(ctx context.Context) verdict {
	var errs []error
	if k.namespace != "" {
		errs = append(errs, k.invokeHarmlessly(ctx))
	} else {
		for _, namespace := range []string{cim.NamespaceVirtualizationV2, cim.NamespaceVirtualizationV1} {
			_, err := k.client.Get(ctx, service(namespace))
			errs = append(errs, err)
		}
	}
	var seen []string
	for _, err := range errs {
		if fault, ok := errors.AsType[*wsman.Fault](err); ok && denied(fault) {
			return when(hasAny(deniedCodes...)(fault), "%s", describe(fault))
		}
		seen = append(seen, summary(err))
	}
	return notTested("no refusal for lack of rights: %s", strings.Join(seen, "; "))
}

// extension returns the extension of a disk format that the host knows.
func (k *kit) extension() string {
	if k.isV2() {
		return ".vhdx"
	}
	return ".vhd"
}

func (k *kit) deadJob(ctx context.Context) verdict {
	_, err := k.client.Get(ctx, cim.NewReference(k.namespace, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: newGUID()}))
	return wantFault(err, both(hasSubcode("DestinationUnreachable"), hasAny(2150858752)))
}

func (k *kit) findMountedNothing(ctx context.Context) verdict {
	if is, known := k.atLeast(10, 0, 14393); !is && known {
		return notTested("the method is not there before Server 2016")
	}
	o, err := k.findMount(ctx, k.absent(".vhdx"), criterionPath)
	if err != nil {
		return trouble(err)
	}
	return when(o.value == 32789, "return value %d", o.value)
}
