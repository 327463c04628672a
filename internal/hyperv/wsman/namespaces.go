package wsman

import "github.com/masterzen/simplexml/dom"

// XML namespaces of the protocol.
const (
	nsSOAP        = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing  = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsAddressing1 = "http://www.w3.org/2005/08/addressing"
	nsWSMan       = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
	nsEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
	nsTransfer    = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	nsEventing    = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
	nsMicrosoft   = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
	nsCIMBinding  = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
	nsCIM         = "http://schemas.dmtf.org/wbem/wscim/1/common"
	nsFault       = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
	nsIdentity    = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
	nsSchema      = "http://www.w3.org/2001/XMLSchema-instance"
)

// Action URIs (MS-WSMV 3.1.4.2 to 3.1.4.10). The action of a method is the
// resource URI of its class, a slash and its name.
const (
	actionGet       = nsTransfer + "/Get"
	actionEnumerate = nsEnumeration + "/Enumerate"
	actionPull      = nsEnumeration + "/Pull"
	actionRelease   = nsEnumeration + "/Release"
)

// Filter dialects (MS-WSMV 3.1.4.1.13).
const (
	dialectWQL       = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
	dialectSelectors = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"
)

// anonymous is the address of a peer that answers on the same connection.
const anonymous = nsAddressing + "/role/anonymous"

// certificateScheme is the authorization header of a client that logs on with
// its TLS certificate (DSP0226, security profile https/mutual).
const certificateScheme = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

// Prefixes are those of Windows' own client. The body binds p anew, to the
// class, as Windows does.
var (
	soapNamespace        = dom.Namespace{Prefix: "s", Uri: nsSOAP}
	addressingNamespace  = dom.Namespace{Prefix: "a", Uri: nsAddressing}
	enumerationNamespace = dom.Namespace{Prefix: "n", Uri: nsEnumeration}
	wsmanNamespace       = dom.Namespace{Prefix: "w", Uri: nsWSMan}
	microsoftNamespace   = dom.Namespace{Prefix: "p", Uri: nsMicrosoft}
	identityNamespace    = dom.Namespace{Prefix: "wsmid", Uri: nsIdentity}
)
