package wsman

// Numbers of faults on which this package itself decides. Names are those of
// wsmerror.h, wbemcli.h and winerror.h.
const (
	codeOperationAborted    = 995        // ERROR_OPERATION_ABORTED: the service stops
	codeProviderFailure     = 0x80338003 // ERROR_WSMAN_PROVIDER_FAILURE
	codeEndpointUnavailable = 0x80338014 // ERROR_WSMAN_ENDPOINT_UNAVAILABLE
	codeInvalidEnumeration  = 0x8033801B // ERROR_WSMAN_INVALID_ENUMERATION_CONTEXT
	codePullTimedOut        = 0x8033801C // ERROR_WSMAN_ENUMERATE_TIMED_OUT
	codeOperationTimedOut   = 0x80338029 // ERROR_WSMAN_OPERATION_TIMEDOUT
	codeConcurrency         = 0x80338032 // ERROR_WSMAN_CONCURRENCY
	codeQuotaLimit          = 0x8033803F // ERROR_WSMAN_QUOTA_LIMIT
	codeUnreportableSuccess = 0x8033804D // ERROR_WSMAN_UNREPORTABLE_SUCCESS
	codeQuotaOperations     = 0x803381A6 // ERROR_WSMAN_QUOTA_MAX_OPERATIONS
	codeQuotaUser           = 0x803381A7 // ERROR_WSMAN_QUOTA_USER
	codeQuotaSystem         = 0x803381A8 // ERROR_WSMAN_QUOTA_SYSTEM
	codeDifferentToken      = 0x803381A9 // ERROR_WSMAN_DIFFERENT_AUTHZ_TOKEN
	codeQuotaPlugInUsers    = 0x803381E5 // ERROR_WSMAN_QUOTA_MAX_USERS_PPQ
	codeQuotaPlugIn         = 0x803381E7 // ERROR_WSMAN_QUOTA_MAX_PLUGINOPERATIONS_PPQ
	codeQuotaPlugInPerUser  = 0x803381E8 // ERROR_WSMAN_QUOTA_MAX_OPERATIONS_USER_PPQ
	codeQuotaMinResources   = 0x803381EA // minimum resources of a plug-in not available
	codeSessionUnusable     = 0x803381FA // ERROR_WSMAN_CLIENT_SESSION_UNUSABLE
	codeWMIShuttingDown     = 0x80041033 // WBEM_E_SHUTTING_DOWN
	codeWMITimedOut         = 0x80041069 // WBEM_E_TIMED_OUT
	codeWMIProviderTimedOut = 0x80041088 // WBEM_E_PROVIDER_TIMED_OUT
	codeWMIProviderFailure  = 0x80041004 // WBEM_E_PROVIDER_FAILURE
	codeRPCUnavailable      = 0x800706BA // RPC_S_SERVER_UNAVAILABLE
	codeRPCFailed           = 0x800706BE // RPC_S_CALL_FAILED
)
