package hypervsim

// WSManFault codes of the WMI plug-in.
const (
	codeResourceNotFound        = 2150858752 // ERROR_WSMAN_RESOURCE_NOT_FOUND
	codeInsufficientSelectors   = 2150858842
	codeUnexpectedSelectors     = 2150858843
	codeParameterTypeMismatch   = 2150858836
	codeInvalidParameterName    = 2150858837
	codeNotSingleton            = 2150859002
	codeInvalidNamespace        = 2147749902 // WBEM_E_INVALID_NAMESPACE
	codeInvalidMethod           = 2147749934
	codeInvalidMethodParameters = 2147749935
)

// failure is what a request ends with in place of an answer. The wire half
// turns it into a fault envelope; texts come from a table by code and locale.
type failure struct {
	code    uint32 // WSManFault Code: Win32 or HRESULT
	subcode string // QName of the SOAP subcode with the prefix s, w, a or n
	sender  bool   // s:Sender, else s:Receiver
	detail  string // last part of the w:FaultDetail URI, may be empty
	plugin  bool   // came from the WMI plug-in: nested in f:ProviderFault
}

// notFound is the answer for an instance that is not there.
func notFound() *failure {
	return &failure{code: codeResourceNotFound, subcode: "a:DestinationUnreachable", sender: true, detail: "ResourceNotFound", plugin: true}
}

// noClass is the answer for a class that is not there. An enumeration by WQL
// gets another fault, which is the business of whoever read the WQL.
func noClass() *failure {
	return &failure{code: codeResourceNotFound, subcode: "a:DestinationUnreachable", sender: true, detail: "InvalidResourceURI", plugin: true}
}

// noNamespace is the answer for a namespace that is not there.
//
// Unverified on a real host (missing-namespace-wmi-code): whether the plug-in passes the WMI code through.
func noNamespace() *failure {
	return &failure{code: codeInvalidNamespace, subcode: "a:DestinationUnreachable", sender: true, detail: "InvalidResourceURI", plugin: true}
}
