package hyperv

// Fault codes that decide what this package does.
const (
	faultResourceNotFound  = 0x80338000
	faultInvalidResource   = 0x8033803B
	faultCannotFilter      = 0x8033801A
	faultInvalidNamespace  = 0x8004100E
	faultInvalidClass      = 0x80041010
	faultNotFound          = 0x80041002
	faultInvalidMethod     = 0x8004102E
	faultInvalidParameters = 0x8004102F
	faultSchema            = 0x80338041
	faultActionUnsupported = 0x80338013
)

const (
	hintBusy    = "End other sessions of this user on the host."
	hintService = "Check that WinRM and Windows Management Instrumentation run on the host."
	hintReport  = "Please report it with the log at level DEBUG."
	hintWMI     = "Allow the user Enable Account, Remote Enable and Execute Methods on the WMI namespace (wmimgmt.msc), and add it to Hyper-V Administrators."
	hintGone    = "A folder, a disk or a job that was asked for is not there. If it was a class of Hyper-V, the host lacks the Hyper-V role."
	hintNoRole  = "Install the Hyper-V role with its management service on the host, or name another host."
)

// faultCodes says what the numbers of package wsman mean: wsmerror.h and the
// WMI error constants. Whether a number proves a refusal, and whether a read is
// repeated after it, is decided there alone.
var faultCodes = []Code{
	{KindFault, 5, "access is denied", hintWinRM, ErrAccessDenied},
	{KindFault, 87, "a parameter is incorrect", hintReport, nil},
	{KindFault, 995, "the operation was aborted: WinRM or the host is stopping", hintService, nil},
	{KindFault, 1018, "the host could not start a process", "Free memory on the host.", nil},
	{KindFault, 0x80070005, "access is denied", hintWinRM, ErrAccessDenied},
	{KindFault, 0x800706BA, "the RPC server is unavailable", hintService, nil},
	{KindFault, 0x800706BE, "the call of the RPC server failed", hintService, nil},
	{KindFault, faultResourceNotFound, "the resource was not found", hintGone, nil},
	{KindFault, 0x80338001, "invalid action URI", hintReport, nil},
	{KindFault, 0x80338002, "invalid URI", hintReport, nil},
	{KindFault, 0x80338003, "an error inside the WMI plug-in", hintService, nil},
	{KindFault, 0x8033800C, "the time-out asked for is not supported", "", nil},
	{KindFault, 0x80338010, "a header was not understood", hintReport, nil},
	{KindFault, 0x80338011, "a header is missing", hintReport, nil},
	{KindFault, 0x80338012, "the destination is unreachable", hintService, nil},
	{KindFault, faultActionUnsupported, "the action is not supported", hintReport, ErrNotSupported},
	{KindFault, 0x80338014, "the resource is offline", hintService, nil},
	{KindFault, faultCannotFilter, "the filter was refused, or the class does not exist", hintNoRole, nil},
	{KindFault, 0x8033801B, "the enumeration context has expired", "", nil},
	{KindFault, 0x8033801C, "the enumeration timed out", "", nil},
	{KindFault, 0x80338026, "the envelope is too large", "Raise MaxEnvelopeSizekb of WinRM on the host to 500.", nil},
	{KindFault, 0x80338029, "the operation timed out", "Check the load of the host.", nil},
	{KindFault, 0x80338032, "the resource is in use", hintBusy, nil},
	{KindFault, 0x8033803A, "invalid parameter", hintReport, nil},
	{KindFault, faultInvalidResource, "invalid resource URI", hintNoRole, nil},
	{KindFault, 0x8033803D, "invalid selectors", hintReport, nil},
	{KindFault, 0x8033803F, "the service is busy", hintBusy, nil},
	{KindFault, faultSchema, "the body does not fit the method", "This version of Windows may lack the method; if not, please report it with the log at level DEBUG.", nil},
	{KindFault, 0x80338047, "the envelope size is too small for any answer", hintReport, nil},
	{KindFault, 0x80338048, "the answer exceeds the size asked for", hintReport, nil},
	{KindFault, 0x80338049, "the answer exceeds the limit of the host", "Raise MaxEnvelopeSizekb of WinRM on the host to 500.", nil},
	{KindFault, 0x8033804D, "done, but the answer is too large to send", "", nil},
	{KindFault, 0x80338054, "a parameter has the wrong type", hintReport, nil},
	{KindFault, 0x80338055, "a parameter has the wrong name", hintReport, nil},
	{KindFault, 0x8033805A, "insufficient selectors", hintReport, nil},
	{KindFault, 0x8033805B, "unexpected selectors", hintReport, nil},
	{KindFault, 0x8033805D, "invalid value of a selector", hintReport, nil},
	{KindFault, 0x8033805F, "duplicate selectors", hintReport, nil},
	{KindFault, 0x803380FA, "the class needs keys", hintReport, nil},
	{KindFault, 0x803380FB, "a query needs the class *", hintReport, nil},
	{KindFault, 0x80338102, "the WMI provider cannot do this", hintReport, ErrNotSupported},
	{KindFault, 0x80338104, "the WMI service denies access", hintWMI, ErrAccessDenied},
	{KindFault, 0x80338105, "the WMI provider denies access", hintWMI, ErrAccessDenied},
	{KindFault, 0x80338106, "access to the WMI namespace is denied", hintWMI, ErrAccessDenied},
	{KindFault, 0x80338111, "the request is larger than the host accepts", "Raise MaxEnvelopeSizekb of WinRM on the host to 500.", nil},
	{KindFault, 0x8033811A, "the resource is offline or a selector matches nothing", hintService, nil},
	{KindFault, 0x8033811E, "the WMI provider did not take a parameter", hintReport, nil},
	{KindFault, 0x803381A5, "too many shells", hintBusy, nil},
	{KindFault, 0x803381A6, "too many operations of this user", hintBusy, nil},
	{KindFault, 0x803381A7, "the quota of the user is exceeded", hintBusy, nil},
	{KindFault, 0x803381A8, "the quota of the host is exceeded", hintBusy, nil},
	{KindFault, 0x803381A9, "the authorisation changed", "", nil},
	{KindFault, 0x803381AD, "a pull does not fit its enumeration", hintReport, nil},
	{KindFault, 0x803381DD, "the host accepts no remote requests", "Run Enable-PSRemoting or winrm quickconfig on the host.", ErrAccessDenied},
	{KindFault, 0x803381E3, "the plug-in accepts no remote requests", "Allow remote access to the WMI provider plug-in of WinRM on the host.", ErrAccessDenied},
	{KindFault, 0x803381E5, "too many users of the plug-in", hintBusy, nil},
	{KindFault, 0x803381E7, "too many operations of the plug-in", hintBusy, nil},
	{KindFault, 0x803381E8, "too many operations of this user in the plug-in", hintBusy, nil},
	{KindFault, 0x803381EA, "the host lacks the least resources for the plug-in", hintBusy, nil},
	{KindFault, 0x803381FA, "WinRM was restarted", "", nil},
	{KindFault, 0x80041001, "WMI failed", hintService, nil},
	{KindFault, faultNotFound, "WMI did not find the object", "", nil},
	{KindFault, 0x80041003, "WMI denies access", hintWMI, ErrAccessDenied},
	{KindFault, 0x80041004, "the WMI provider failed", "Check that the service Hyper-V Virtual Machine Management (vmms) runs on the host.", nil},
	{KindFault, 0x80041008, "WMI rejected a parameter", hintReport, nil},
	{KindFault, faultInvalidNamespace, "the WMI namespace does not exist", hintNoRole, nil},
	{KindFault, faultInvalidClass, "the WMI class does not exist", hintNoRole, nil},
	{KindFault, 0x80041013, "the WMI provider could not be loaded", "Check that the service Hyper-V Virtual Machine Management (vmms) runs on the host.", nil},
	{KindFault, 0x80041014, "the WMI provider could not start", "Check that the service Hyper-V Virtual Machine Management (vmms) runs on the host.", nil},
	{KindFault, 0x80041015, "WMI lost its connection to the provider", "Check that the service Hyper-V Virtual Machine Management (vmms) runs on the host.", nil},
	{KindFault, 0x80041017, "invalid query", hintReport, nil},
	{KindFault, faultInvalidMethod, "the class has no such method", "This version of Windows lacks the method.", ErrNotSupported},
	{KindFault, faultInvalidParameters, "wrong parameters of a method", hintReport, nil},
	{KindFault, 0x80041033, "WMI is shutting down", hintService, nil},
	{KindFault, 0x8004103A, "invalid object path", hintReport, nil},
	{KindFault, 0x80041069, "WMI timed out", hintService, nil},
	{KindFault, 0x80041088, "the WMI provider timed out", hintService, nil},
	{KindFault, 0x8004106C, "WMI is out of its memory quota", "Restart Windows Management Instrumentation on the host, or raise its quota.", nil},
}

var httpStatuses = []Code{
	{KindHTTP, 400, "bad request", "Check that host and port are those of WinRM; with Kerberos and a user in many groups raise MaxFieldLength and MaxRequestBytes of http.sys on the host.", nil},
	{KindHTTP, 401, "credentials refused", "Check the user name, its form (DOMAIN\\user, user@REALM) and the password.", ErrUnauthenticated},
	{KindHTTP, 403, "forbidden", "A proxy or gateway answers in place of WinRM: check host and port.", nil},
	{KindHTTP, 404, "no WinRM at this address", "Check port and listener: winrm enumerate winrm/config/listener on the host.", nil},
	{KindHTTP, 405, "method not allowed", "This is not a WinRM endpoint: check host and port.", nil},
	{KindHTTP, 413, "the request is larger than the host accepts", "Raise MaxEnvelopeSizekb of WinRM on the host to 500.", nil},
	{KindHTTP, 500, "the host failed without a reason", hintService, nil},
	{KindHTTP, 503, "WinRM is not serving", hintService, nil},
}

// kdcErrors are the errors of RFC 4120 7.5.9 that an administrator may meet.
var kdcErrors = []Code{
	{KindKerberos, 6, "the KDC does not know the user", "Check user name and realm; the realm is usually the domain's name in capital letters.", ErrUnauthenticated},
	{KindKerberos, 7, "the KDC does not know the service", "Name the host as its service principal does (setspn -Q HTTP/<host>).", ErrUnauthenticated},
	{KindKerberos, 14, "the KDC knows none of the encryption types offered", "Enable AES for the account; RC4 and DES are refused.", ErrUnauthenticated},
	{KindKerberos, 18, "the account is disabled, locked or expired", "Unlock or enable the account.", ErrUnauthenticated},
	{KindKerberos, 23, "the password has expired", "Change the password.", ErrUnauthenticated},
	{KindKerberos, 24, "the password is wrong", "Check the password; the attempt is not repeated, so the account is not locked by it.", ErrUnauthenticated},
	{KindKerberos, 32, "the ticket has expired", "Renew the ticket cache (kinit -R or kinit).", ErrUnauthenticated},
	{KindKerberos, 37, "the clocks differ too much", "Set the clock of this machine: Kerberos allows five minutes.", ErrUnauthenticated},
	{KindKerberos, 41, "the message was modified", "Check host name and service principal: the ticket was made for another key.", ErrUnauthenticated},
	{KindKerberos, 52, "the answer is too large for UDP", "Allow TCP to the KDC (udp_preference_limit = 1).", ErrUnauthenticated},
}
