package winrmsim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// FaultForm is the shape of a fault's detail. All four were seen on hosts.
type FaultForm int

// Forms of a fault.
const (
	// FaultFormAny leaves the choice to the layer that the fault comes from:
	// FaultFormProvider for the WMI plug-in, FaultFormService for the rest.
	FaultFormAny FaultForm = iota
	// FaultFormService has w:FaultDetail and f:WSManFault with a text.
	FaultFormService
	// FaultFormProvider nests a second f:WSManFault in f:ProviderFault.
	FaultFormProvider
	// FaultFormWMIError has p:MSFT_WmiError instead of f:WSManFault.
	FaultFormWMIError
	// FaultFormBare has no detail at all.
	FaultFormBare
)

// WSManFault codes of the service itself.
const (
	codeUnsupportedTimeout          = 2150858764
	codeVersionMismatch             = 2150858765
	codeInvalidHeader               = 2150858767
	codeMustUnderstand              = 2150858768
	codeHeaderRequired              = 2150858769
	codeActionNotSupported          = 2150858771
	codeDialectUnavailable          = 2150858777
	codeCannotProcessFilter         = 2150858778
	codeInvalidContext              = 2150858779
	codeInvalidBody                 = 2150858791
	codeOperationTimedOut           = 2150858793
	codeUnsupportedEncoding         = 2150858796
	codeActionMismatch              = 2150858801
	codeInvalidParameter            = 2150858810
	codeInvalidResourceURI          = 2150858811
	codeInvalidSelectors            = 2150858813
	codeSchemaValidation            = 2150858817
	codeUnsupportedFeature          = 2150858818
	codeInvalidXML                  = 2150858819
	codeEnvelopeExceeded            = 2150858824
	codeServerEnvelopeLimit         = 2150858825
	codeUnreportableSuccess         = 2150858829
	codeDuplicateSelectors          = 2150858847
	codeAddressingMode              = 2150858870
	codeMinEnvelopeSize             = 2150858878
	codeLocaleMustUnderstand        = 2150858887
	codeQueryNeedsStar              = 2150859003
	codeEnumerateWithKeys           = 2150859016
	codeQuotaOperations             = 2150859174
	codePullParameters              = 2150859181
	codeQuotaPerUser                = 2150859240
	codeQueryInvalid                = 2147749911
	codeInternal                    = 1359 // ERROR_INTERNAL_ERROR
	faultDetailPrefix               = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
	actionFaultWSMan                = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
	actionFaultAddressing           = nsAddressing + "/fault"
	actionFaultEnumeration          = nsEnumeration + "/fault"
	providerName                    = "WMI Provider"
	providerPath                    = `%systemroot%\system32\WsmWmiPl.dll`
	uriWMIError                     = uriDMTF + "MSFT_WmiError"
	reasonClassMissing       uint32 = 2147749904 // WBEM_E_INVALID_CLASS, as a text inside another fault
)

// fault makes a failure of the service from its code: subcode, side and detail
// come from the table of faults.
func fault(code uint32) *wmi.Failure {
	k := knownFault(code)
	return &wmi.Failure{Code: code, Subcode: k.subcode, Sender: k.sender, Detail: k.detail}
}

// pluginFault makes a failure of the WMI plug-in from its code.
func pluginFault(code uint32) *wmi.Failure {
	f := fault(code)
	f.Plugin = true
	return f
}

// faultText is a failure with what its envelope needs besides.
type faultText struct {
	wmi.Failure
	form    FaultForm
	locale  string
	machine string
	nested  string // text of the nested fault, where it differs
}

// action is the Action header of the fault.
func (f faultText) action() string {
	switch prefix, _, _ := strings.Cut(f.Subcode, ":"); prefix {
	case "a", "s":
		return actionFaultAddressing
	case "n":
		return actionFaultEnumeration
	}
	return actionFaultWSMan
}

// body is the markup of s:Fault.
func (f faultText) body() string {
	w := &writer{}
	text := faultReason(f.Code, f.locale)
	w.raw("<s:Fault><s:Code><s:Value>")
	switch {
	case f.Subcode == "s:MustUnderstand" || f.Subcode == "s:VersionMismatch":
		w.raw(f.Subcode, "</s:Value>")
	case f.Sender:
		w.raw("s:Sender</s:Value>")
	default:
		w.raw("s:Receiver</s:Value>")
	}
	if !strings.HasPrefix(f.Subcode, "s:") && f.Subcode != "" {
		w.raw("<s:Subcode><s:Value>", f.Subcode, "</s:Value></s:Subcode>")
	}
	w.raw(`</s:Code><s:Reason><s:Text xml:lang="`)
	w.escape(f.locale)
	w.raw(`">`)
	w.escape(text)
	w.raw("</s:Text></s:Reason>")
	f.writeDetail(w, text)
	w.raw("</s:Fault>")
	return w.String()
}

func (f faultText) writeDetail(w *writer, text string) {
	form := f.form
	if form == FaultFormAny {
		form = FaultFormService
		if f.Plugin {
			form = FaultFormProvider
		}
	}
	switch form {
	case FaultFormAny, FaultFormBare:
		return
	case FaultFormWMIError:
		w.raw("<s:Detail>")
		f.writeWMIError(w, text)
	case FaultFormService, FaultFormProvider:
		w.raw("<s:Detail>")
		if f.Detail != "" {
			w.element("w:FaultDetail", faultDetailPrefix+f.Detail)
		}
		f.writeWSManFault(w, text, form)
	}
	w.raw("</s:Detail>")
}

// writeWSManFault writes the fault and, for the plug-in, the one nested in it.
func (f faultText) writeWSManFault(w *writer, text string, form FaultForm) {
	open := func() {
		w.raw(`<f:WSManFault xmlns:f="`, nsFault, `" Code="`, strconv.FormatUint(uint64(f.Code), 10), `" Machine="`)
		w.escape(f.machine)
		w.raw(`"><f:Message>`)
	}
	open()
	if form == FaultFormProvider {
		if f.nested != "" {
			text = f.nested
		}
		w.raw(`<f:ProviderFault provider="`, providerName, `" path="`, providerPath, `">`)
		open()
		w.escape(text)
		w.raw(`</f:Message></f:WSManFault></f:ProviderFault>`)
	} else {
		w.escape(text)
	}
	w.raw("</f:Message></f:WSManFault>")
}

// writeWMIError writes the form that knows no WSManFault.
func (f faultText) writeWMIError(w *writer, text string) {
	w.raw(`<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:b="`, nsBinding, `" xmlns:p="`, uriWMIError, `" xmlns:xsi="`, nsXSI, `" xsi:type="p:MSFT_WmiError_Type">`)
	w.element("p:CIMStatusCode", "1")
	w.element("p:Message", text)
	w.element("p:MessageID", fmt.Sprintf("HRESULT 0x%08x", f.Code))
	w.raw(`<p:OtherErrorType xsi:nil="true"/>`)
	w.element("p:error_Category", "30")
	w.element("p:error_Code", strconv.FormatUint(uint64(f.Code), 10))
	w.element("p:error_Type", "HRESULT")
	w.element("p:error_WindowsErrorMessage", text)
	w.raw("</p:MSFT_WmiError>")
}
