package hyperv

// Return values of the methods of Msvm_ImageManagementService and of
// RequestStateChange (Microsoft's method pages of both generations).
const (
	returnCompleted   = 0
	returnJobStarted  = 4096
	returnFailed      = 32768
	returnDenied      = 32769
	returnUnsupported = 32770
	returnInUse       = 32774
	returnState       = 32775
	returnNotFound    = 32779

	returnObjectNotFound = 32789
)

// methodStateChange is the method of a job that ends it.
const methodStateChange = "RequestStateChange"

const (
	hintPersists = "If it persists, look into the event log Microsoft-Windows-Hyper-V-VMMS of the host."
	hintInUse    = "Shut the virtual machine down, wait for a checkpoint merge or backup to end, or detach the disk."
	hintRights   = "Add the user to Hyper-V Administrators (or Administrators) of the host and see that it may execute methods in the WMI namespace; a local administrator other than the built-in one is filtered by UAC over the network."
	hintWinRM    = "WinRM refused the account before Hyper-V was asked. Add it to Administrators of the host, or to Remote Management Users, or give it Read and Execute in winrm configSDDL default; a local administrator other than the built-in one is filtered by UAC over the network."
	hintFile     = "Give the account of the provider rights on the file; for a share the host must be trusted to delegate it to the file server, with any authentication protocol. A disk that was not closed cleanly is opened with write access, to replay its log."
	hintPath     = "Check the path, and that its volume is online on this host."
	hintAbsent   = "Check the path: the folder answers, and no such file is in it."
	hintCorrupt  = "Do not retry: check the file with Test-VHD on the host and restore it from a backup."
	hintChain    = "Check the chain of parents with Test-VHD on the host and repair it with Set-VHD -ParentPath before compacting."
	hintPlain    = "Remove NTFS compression, encryption and the sparse attribute from the file (compact /u, cipher /d, fsutil sparse setflag); on ReFS look at integrity streams."
)

// returnValue is a return value with which a method can end.
type returnValue struct {
	Code
	// refused: the method has ended without starting anything, so that nothing of
	// it runs.
	refused bool
}

var returnValues = codesOf(returnValueTable)

var returnValueTable = []returnValue{
	{Code{KindReturnValue, 0, "completed", "", nil}, false},
	{Code{KindReturnValue, 1, "not supported", "The host cannot do this; look at the version of Windows.", ErrNotSupported}, true},
	{Code{KindReturnValue, 2, "unspecified error", hintPersists, nil}, false},
	{Code{KindReturnValue, 3, "cannot complete within the time given", hintPersists, nil}, false},
	{Code{KindReturnValue, 4, "failed", hintPersists, nil}, true},
	{Code{KindReturnValue, 5, "invalid parameter", "The host rejected a parameter; please report it with the log at level DEBUG.", nil}, true},
	{Code{KindReturnValue, 6, "in use", hintInUse, ErrInUse}, true},
	{Code{KindReturnValue, 4096, "parameters checked, job started", "", nil}, false},
	{Code{KindReturnValue, 4097, "invalid state transition", "The job is past the state in which it can be changed.", nil}, true},
	{Code{KindReturnValue, 4098, "time-out parameter not supported", "Please report it with the log at level DEBUG.", nil}, true},
	{Code{KindReturnValue, 4099, "busy", hintPersists, nil}, true},
	{Code{KindReturnValue, 32768, "failed", "Look at the error of the job, and into the event log Microsoft-Windows-Hyper-V-VMMS of the host.", nil}, true},
	{Code{KindReturnValue, 32769, "access denied", hintRights, ErrAccessDenied}, true},
	{Code{KindReturnValue, 32770, "not supported", "The host cannot compact a disk of this kind; only dynamic and differencing disks can be.", ErrNotSupported}, true},
	{Code{KindReturnValue, 32771, "status is unknown", hintPersists, nil}, false},
	{Code{KindReturnValue, 32772, "time-out", hintPersists, nil}, false},
	{Code{KindReturnValue, 32773, "invalid parameter", "Check the form of the path and whether this version of Windows knows the mode.", nil}, true},
	{Code{KindReturnValue, 32774, "in use", hintInUse, ErrInUse}, true},
	{Code{KindReturnValue, 32775, "invalid state for this operation", "Check whether the disk is attached on the host, and how; mode Retrim needs it attached read-only.", nil}, true},
	{Code{KindReturnValue, 32776, "incorrect data type", "Please report it with the log at level DEBUG.", nil}, true},
	{Code{KindReturnValue, 32777, "system is not available", "Check that the service Hyper-V Virtual Machine Management (vmms) runs on the host.", nil}, true},
	{Code{KindReturnValue, 32778, "out of memory", "Free memory on the host.", nil}, true},
	{Code{KindReturnValue, 32779, "file not found", hintPath, errHostFindsNothing}, true},
	{Code{KindReturnValue, 32783, "a reboot is required", "Restart the host.", nil}, true},
	{Code{KindReturnValue, 32787, "the chain of differencing disks has a cycle", hintChain, nil}, true},
	{Code{KindReturnValue, 32789, "object not found", "The disk is not attached on the host.", nil}, true},
	{Code{KindReturnValue, 32791, "disk identifier mismatch", hintChain, nil}, true},
}

func codesOf(table []returnValue) []Code {
	codes := make([]Code, len(table))
	for i := range table {
		codes[i] = table[i].Code
	}
	return codes
}

// Refused reports whether the return value proves that the method has ended and
// that nothing of it runs. A value that is not documented for the method proves
// nothing: those below 32768 are values of RequestStateChange.
func (e *MethodError) Refused() bool {
	if e.ReturnValue < returnFailed && e.Method != methodStateChange {
		return false
	}
	for _, v := range returnValueTable {
		if v.Number == e.ReturnValue {
			return v.refused
		}
	}
	return false
}
