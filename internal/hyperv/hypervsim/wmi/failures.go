package wmi

// WSManFault codes of the WMI plug-in.
const (
	CodeResourceNotFound        = 2150858752 // ERROR_WSMAN_RESOURCE_NOT_FOUND
	CodeInsufficientSelectors   = 2150858842
	CodeUnexpectedSelectors     = 2150858843
	CodeParameterTypeMismatch   = 2150858836
	CodeInvalidParameterName    = 2150858837
	CodeNotSingleton            = 2150859002
	CodeInvalidNamespace        = 2147749902 // WBEM_E_INVALID_NAMESPACE
	CodeInvalidMethod           = 2147749934
	CodeServiceDenied           = 2150859012 // ERROR_WSMAN_WMI_SVC_ACCESS_DENIED
	CodeInvalidMethodParameters = 2147749935
)

// Failure ends a request in place of an answer. The wire half turns it into a
// fault envelope; texts come from a table by code and locale.
type Failure struct {
	Code    uint32 // WSManFault Code: Win32 or HRESULT
	Subcode string // QName of the SOAP subcode with the prefix s, w, a or n
	Sender  bool   // s:Sender, else s:Receiver
	Detail  string // last part of the w:FaultDetail URI, may be empty
	Plugin  bool   // came from the WMI plug-in: nested in f:ProviderFault
}

// NotFound is the answer for an instance that is not there.
func NotFound() *Failure {
	return &Failure{Code: CodeResourceNotFound, Subcode: "a:DestinationUnreachable", Sender: true, Detail: "ResourceNotFound", Plugin: true}
}

// NoClass is the answer for a class that is not there. An enumeration by WQL
// gets another fault, which the reader of the WQL makes.
func NoClass() *Failure {
	return &Failure{Code: CodeResourceNotFound, Subcode: "a:DestinationUnreachable", Sender: true, Detail: "InvalidResourceURI", Plugin: true}
}

// Denied is the answer for a namespace that the caller must not read.
func Denied() *Failure {
	return &Failure{Code: CodeServiceDenied, Subcode: "w:AccessDenied", Sender: true, Plugin: true}
}

// NoNamespace is the answer for a namespace that is not there.
//
// Unverified on a real host (missing-namespace-wmi-code): whether the plug-in
// passes the WMI code through.
func NoNamespace() *Failure {
	return &Failure{Code: CodeInvalidNamespace, Subcode: "a:DestinationUnreachable", Sender: true, Detail: "InvalidResourceURI", Plugin: true}
}
