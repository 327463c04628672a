package hypervsim

// Return values of the methods of Msvm_ImageManagementService. A failed job
// carries the same numbers as its ErrorCode.
const (
	returnOK             = 0
	returnJobStarted     = 4096
	returnFailed         = 32768
	returnAccessDenied   = 32769
	returnNotSupported   = 32770
	returnInvalidParam   = 32773
	returnInUse          = 32774
	returnInvalidState   = 32775
	returnFileNotFound   = 32779
	returnObjectNotFound = 32789
)

// Return values of the other methods: CIM's own.
const (
	returnCIMNotSupported      = 1
	returnCIMFailed            = 4
	returnCIMInvalidParameter  = 5
	returnCIMTransitionStarted = 4096
	returnCIMInvalidTransition = 4097
	returnCIMNoTimeout         = 4098
)

// Return values of CIM_DataFile.Delete.
const (
	returnFileAccessDenied     = 2
	returnFileSharingViolation = 15
)

// HRESULTs with which a storage job completes.
const (
	statusFileNotFound     = 0x80070002
	statusPathNotFound     = 0x80070003
	statusAccessDenied     = 0x80070005
	statusSharingViolation = 0x80070020
	statusNetworkPath      = 0x80070035
	statusFileExists       = 0x80070050
	statusCancelled        = 0x800704C7
	statusParentNotFound   = 0xC03A000D
	statusLimitation       = 0xC03A001A
	statusInvalidType      = 0xC03A001B
	statusInvalidState     = 0xC03A001C
	statusCorrupt          = 0x80070570
)

// refusal is the reason why Hyper-V does not do what it was asked for: a
// return value, or a job with this ErrorCode and JobCompletionStatusCode.
type refusal struct {
	code   uint32
	status uint32
	viaJob bool // where sources only know the failed job
	parent string
}
