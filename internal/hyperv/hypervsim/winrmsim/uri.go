package winrmsim

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// Namespaces of the messages.
const (
	nsSOAP        = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing  = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsWSMan       = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
	nsMicrosoft   = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
	nsEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
	nsTransfer    = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	nsBinding     = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
	nsCIM         = "http://schemas.dmtf.org/wbem/wscim/1/common"
	nsFault       = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
	nsIdentity    = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
	nsXSI         = "http://www.w3.org/2001/XMLSchema-instance"
	nsXML         = "http://www.w3.org/XML/1998/namespace"
)

// Other URIs.
const (
	uriAnonymous      = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
	uriDMTF           = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
	dialectWQL        = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
	dialectSelector   = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"
	selectorNamespace = "__cimnamespace"
	actionGet         = nsTransfer + "/Get"
	actionEnumerate   = nsEnumeration + "/Enumerate"
	actionPull        = nsEnumeration + "/Pull"
	actionRelease     = nsEnumeration + "/Release"
)

// target is what a resource URI addresses.
type target struct {
	uri       string // as the request has it
	namespace string // root\virtualization\v2
	class     string // may be *
	dmtf      bool   // in DMTF form, with the namespace in a selector
}

// parseTarget takes a resource URI apart. The namespace of a DMTF URI stands in
// a selector, root\hardware without one (MS-WSMV 3.1.4.1.1).
func parseTarget(uri string) (target, bool) {
	if class, ok := strings.CutPrefix(uri, uriDMTF); ok {
		if class == "" || strings.ContainsAny(class, "/?") {
			return target{}, false
		}
		return target{uri: uri, namespace: `root\hardware`, class: class, dmtf: true}, true
	}
	namespace, class, ok := cim.SplitResourceURI(uri)
	if !ok || strings.ContainsAny(class, "?") {
		return target{}, false
	}
	return target{uri: uri, namespace: strings.ToLower(namespace), class: class}, true
}

// classURI is the URI of a class in the form in which the request spoke.
func (t target) classURI(namespace, class string) string {
	if t.dmtf {
		return uriDMTF + class
	}
	return cim.ResourceURI(namespace, class)
}
