package wsman

import "slices"

// FaultCode is one number of a fault and its consequences.
type FaultCode struct {
	// Number is the number of a WSManFault element, or of a WMI error within
	// it.
	Number uint32
	// Name is the name in wsmerror.h, wbemcli.h or winerror.h.
	Name string
	// Refused: the host did not carry the request out, and nothing of it runs.
	Refused bool
	// Retryable: a read may well succeed when it is repeated later.
	Retryable bool
}

// FaultCodes lists the numbers that this package knows. Those marked as refused
// are a closed list: access, quotas, addressing, selectors, actions, schema and
// parameters, and a missing namespace, class or method. Nothing follows from
// any other number, nor from one that is not in the list: the host may have
// acted.
func FaultCodes() []FaultCode { return slices.Clone(faultCodes) }

// codeInvalidEnumeration: the enumeration does not exist, so there is nothing
// to release.
const codeInvalidEnumeration = 0x8033801B

var faultCodes = []FaultCode{
	{5, "ERROR_ACCESS_DENIED", true, false},
	{87, "ERROR_INVALID_PARAMETER", true, false},
	{995, "ERROR_OPERATION_ABORTED", false, true}, // the service stops
	{1018, "ERROR_KEY_DELETED", false, false},
	{0x80070005, "E_ACCESSDENIED", true, false},
	{0x800706BA, "RPC_S_SERVER_UNAVAILABLE", false, false},
	{0x800706BE, "RPC_S_CALL_FAILED", false, false},

	{0x80338000, "ERROR_WSMAN_RESOURCE_NOT_FOUND", true, false},
	{0x80338001, "ERROR_WSMAN_INVALID_ACTIONURI", true, false},
	{0x80338002, "ERROR_WSMAN_INVALID_URI", true, false},
	{0x80338003, "ERROR_WSMAN_PROVIDER_FAILURE", false, false},
	{0x8033800C, "ERROR_WSMAN_UNSUPPORTED_TIMEOUT", true, false},
	{0x80338010, "ERROR_WSMAN_SOAP_FAULT_MUST_UNDERSTAND", true, false},
	{0x80338011, "ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED", true, false},
	{0x80338012, "ERROR_WSMAN_DESTINATION_UNREACHABLE", true, false},
	{0x80338013, "ERROR_WSMAN_ACTION_NOT_SUPPORTED", true, false},
	{0x80338014, "ERROR_WSMAN_ENDPOINT_UNAVAILABLE", false, true},
	{0x8033801A, "ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER", true, false}, // a missing class, too
	{codeInvalidEnumeration, "ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT", false, false},
	{0x8033801C, "ERROR_WSMAN_ENUMERATE_TIMED_OUT", false, true},
	{0x80338026, "ERROR_WSMAN_ENVELOPE_TOO_LARGE", false, false}, // which envelope is not said
	{0x80338029, "ERROR_WSMAN_OPERATION_TIMEDOUT", false, true},
	{0x80338032, "ERROR_WSMAN_CONCURRENCY", false, true},
	{0x8033803A, "ERROR_WSMAN_INVALID_PARAMETER", true, false},
	{0x8033803B, "ERROR_WSMAN_INVALID_RESOURCE_URI", true, false},
	{0x8033803D, "ERROR_WSMAN_INVALID_SELECTORS", true, false},
	{0x8033803F, "ERROR_WSMAN_QUOTA_LIMIT", true, true},
	{0x80338041, "ERROR_WSMAN_SCHEMA_VALIDATION_ERROR", true, false},
	{0x80338047, "ERROR_WSMAN_MAX_ENVELOPE_SIZE", true, false},           // the header asks for too little
	{0x80338048, "ERROR_WSMAN_MAX_ENVELOPE_SIZE_EXCEEDED", false, false}, // by the answer
	{0x80338049, "ERROR_WSMAN_SERVER_ENVELOPE_LIMIT", false, false},      // by the answer
	{0x8033804D, "ERROR_WSMAN_UNREPORTABLE_SUCCESS", false, false},
	{0x80338054, "ERROR_WSMAN_PARAMETER_TYPE_MISMATCH", true, false},
	{0x80338055, "ERROR_WSMAN_INVALID_PARAMETER_NAME", true, false},
	{0x8033805A, "ERROR_WSMAN_INSUFFCIENT_SELECTORS", true, false},
	{0x8033805B, "ERROR_WSMAN_UNEXPECTED_SELECTORS", true, false},
	{0x8033805D, "ERROR_WSMAN_INVALID_SELECTOR_VALUE", true, false},
	{0x8033805F, "ERROR_WSMAN_DUPLICATE_SELECTORS", true, false},
	{0x803380FA, "ERROR_WSMAN_INVALID_URI_WMI_SINGLETON", true, false},
	{0x803380FB, "ERROR_WSMAN_INVALID_URI_WMI_ENUM_WQL", true, false},
	{0x80338102, "ERROR_WSMAN_WMI_PROVIDER_NOT_CAPABLE", true, false},
	{0x80338104, "ERROR_WSMAN_WMI_SVC_ACCESS_DENIED", true, false},
	{0x80338105, "ERROR_WSMAN_WMI_PROVIDER_ACCESS_DENIED", true, false},
	{0x80338106, "ERROR_WSMAN_WMI_CANNOT_CONNECT_ACCESS_DENIED", true, false},
	{0x80338111, "ERROR_WSMAN_HTTP_REQUEST_TOO_LARGE_STATUS", true, false},
	{0x8033811A, "ERROR_WSMAN_ENDPOINT_UNAVAILABLE_INVALID_VALUE", false, false}, // or the resource is offline
	{0x8033811E, "ERROR_WSMAN_WMI_PROVIDER_INVALID_PARAMETER", true, false},
	{0x803381A5, "ERROR_WSMAN_QUOTA_MAX_SHELLS", true, false},
	{0x803381A6, "ERROR_WSMAN_QUOTA_MAX_OPERATIONS", true, true},
	{0x803381A7, "ERROR_WSMAN_QUOTA_USER", true, true},
	{0x803381A8, "ERROR_WSMAN_QUOTA_SYSTEM", true, true},
	{0x803381A9, "ERROR_WSMAN_DIFFERENT_AUTHZ_TOKEN", false, true}, // for an operation under way
	{0x803381AD, "ERROR_WSMAN_PULL_PARAMS_NOT_SAME_AS_ENUM", true, false},
	{0x803381DD, "ERROR_WSMAN_SERVICE_REMOTE_ACCESS_DISABLED", true, false},
	{0x803381E3, "ERROR_WSMAN_REMOTE_CONNECTION_NOT_ALLOWED", true, false},
	{0x803381E5, "ERROR_WSMAN_QUOTA_MAX_USERS_PPQ", true, true},
	{0x803381E7, "ERROR_WSMAN_QUOTA_MAX_PLUGINOPERATIONS_PPQ", true, true},
	{0x803381E8, "ERROR_WSMAN_QUOTA_MAX_OPERATIONS_USER_PPQ", true, true},
	{0x803381EA, "ERROR_WSMAN_QUOTA_MIN_REQUIREMENT_NOT_AVAILABLE_PPQ", true, true},
	{0x803381FA, "ERROR_WSMAN_CLIENT_SESSION_UNUSABLE", false, true},

	{0x80041001, "WBEM_E_FAILED", false, false},
	{0x80041002, "WBEM_E_NOT_FOUND", true, false}, // the object that was addressed
	{0x80041003, "WBEM_E_ACCESS_DENIED", true, false},
	{0x80041004, "WBEM_E_PROVIDER_FAILURE", false, false},
	{0x80041008, "WBEM_E_INVALID_PARAMETER", true, false},
	{0x8004100E, "WBEM_E_INVALID_NAMESPACE", true, false},
	{0x80041010, "WBEM_E_INVALID_CLASS", true, false},
	{0x80041013, "WBEM_E_PROVIDER_LOAD_FAILURE", false, false},
	{0x80041014, "WBEM_E_INITIALIZATION_FAILURE", false, false},
	{0x80041015, "WBEM_E_TRANSPORT_FAILURE", false, false},
	{0x80041017, "WBEM_E_INVALID_QUERY", true, false},
	{0x8004102E, "WBEM_E_INVALID_METHOD", true, false},
	{0x8004102F, "WBEM_E_INVALID_METHOD_PARAMETERS", true, false},
	{0x80041033, "WBEM_E_SHUTTING_DOWN", false, true},
	{0x8004103A, "WBEM_E_INVALID_OBJECT_PATH", true, false},
	{0x80041069, "WBEM_E_TIMED_OUT", false, true},
	{0x8004106C, "WBEM_E_QUOTA_VIOLATION", false, false}, // of memory, even during the work
	{0x80041088, "WBEM_E_PROVIDER_TIMED_OUT", false, true},
}

// faultName is a subcode of DSP0226 that stands for a number in a fault without
// one, which servers other than Windows send.
type faultName struct {
	space, local       string
	refused, retryable bool
}

var faultNames = []faultName{
	{nsWSMan, "AccessDenied", true, false},
	{nsWSMan, "QuotaLimit", true, true},
	{nsWSMan, "InvalidSelectors", true, false},
	{nsWSMan, "InvalidParameter", true, false},
	{nsWSMan, "SchemaValidationError", true, false},
	{nsWSMan, "Concurrency", false, true},
	{nsWSMan, "TimedOut", false, true},
	{nsAddressing, "DestinationUnreachable", true, false},
	{nsAddressing, "ActionNotSupported", true, false},
	{nsAddressing, "InvalidMessageInformationHeader", true, false},
	{nsAddressing, "MessageInformationHeaderRequired", true, false},
	{nsAddressing, "EndpointUnavailable", false, true},
}

// Refused reports whether the fault proves that the host did not carry the
// request out. Every number in it has to prove that: the error that a provider
// met is nested in the one that the service makes of it.
func (f *Fault) Refused() bool {
	if len(f.Codes) == 0 {
		return f.name().refused
	}
	return !slices.ContainsFunc(f.Codes, func(number uint32) bool { return !lookUp(number).Refused })
}

// retryable reports whether a read that met the fault may succeed later. One
// number suffices.
func (f *Fault) retryable() bool {
	if len(f.Codes) == 0 {
		return f.name().retryable
	}
	return slices.ContainsFunc(f.Codes, func(number uint32) bool { return lookUp(number).Retryable })
}

func (f *Fault) name() faultName {
	for _, n := range faultNames {
		if f.IsSubcode(n.space, n.local) {
			return n
		}
	}
	return faultName{}
}

// lookUp finds a number; nothing follows from one that is not in the table.
func lookUp(number uint32) FaultCode {
	for _, c := range faultCodes {
		if c.Number == number {
			return c
		}
	}
	return FaultCode{Number: number}
}
