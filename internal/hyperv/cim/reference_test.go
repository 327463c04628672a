package cim_test

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func TestResourceURI(t *testing.T) {
	t.Parallel()
	const uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_StorageJob"
	if got := cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassStorageJob); got != uri {
		t.Errorf("ResourceURI = %s, want %s", got, uri)
	}
	namespace, class, ok := cim.SplitResourceURI("HTTP" + uri[4:])
	if namespace != cim.NamespaceVirtualizationV2 || class != cim.ClassStorageJob || !ok {
		t.Errorf("SplitResourceURI = %s, %s, %v", namespace, class, ok)
	}
	for _, other := range []string{
		"", "http://schemas.microsoft.com/wbem/wsman/1/config", "http://schemas.microsoft.com/wbem/wsman/1/wmi/",
		"http://schemas.microsoft.com/wbem/wsman/1/wmi/root", "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/", "http://schemas.microsoft.com/wbem/wsman/1/wmi//A",
	} {
		if namespace, class, ok := cim.SplitResourceURI(other); ok {
			t.Errorf("SplitResourceURI(%q) = %s, %s, want none", other, namespace, class)
		}
	}
}

func TestReferenceSelector(t *testing.T) {
	t.Parallel()
	r := cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: "1"}, cim.Selector{Name: "Empty"})
	if got, ok := r.Selector("instanceid"); got != "1" || !ok {
		t.Errorf("Selector(instanceid) = %q, %v", got, ok)
	}
	if got, ok := r.Selector("Empty"); got != "" || !ok {
		t.Errorf("Selector(Empty) = %q, %v", got, ok)
	}
	if got, ok := r.Selector("Other"); ok {
		t.Errorf("Selector(Other) = %q, want none", got)
	}
}
