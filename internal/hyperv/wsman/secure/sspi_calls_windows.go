package secure

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Functions of secur32.dll (sspi.h, secext.h). It is loaded from the system's folder
// alone.
var (
	secur32                   = windows.NewLazySystemDLL("secur32.dll")
	querySecurityPackageInfo  = secur32.NewProc("QuerySecurityPackageInfoW")
	acquireCredentialsHandle  = secur32.NewProc("AcquireCredentialsHandleW")
	freeCredentialsHandle     = secur32.NewProc("FreeCredentialsHandle")
	initializeSecurityContext = secur32.NewProc("InitializeSecurityContextW")
	deleteSecurityContext     = secur32.NewProc("DeleteSecurityContext")
	queryContextAttributes    = secur32.NewProc("QueryContextAttributesW")
	encryptMessage            = secur32.NewProc("EncryptMessage")
	decryptMessage            = secur32.NewProc("DecryptMessage")
	freeContextBuffer         = secur32.NewProc("FreeContextBuffer")
)

// Structures of sspi.h. Go pads them as C does, on amd64 and arm64.
type (
	secHandle struct{ lower, upper uintptr } // CredHandle, CtxtHandle

	secBuffer struct {
		size, kind uint32
		data       *byte
	}

	secBufferDesc struct {
		version, count uint32
		buffers        *secBuffer
	}

	secPackageInfo struct {
		capabilities  uint32
		version, rpc  uint16
		maxToken      uint32
		name, comment *uint16
	}

	secNegotiationInfo struct {
		chosen *secPackageInfo
		state  uint32
	}

	secSizes struct{ maxToken, maxSignature, blockSize, securityTrailer uint32 }

	secIdentity struct { // SEC_WINNT_AUTH_IDENTITY_W
		user           *uint16
		userLength     uint32
		domain         *uint16
		domainLength   uint32
		password       *uint16
		passwordLength uint32
		flags          uint32
	}
)

// Numbers of sspi.h.
const (
	bufferData            = 1  // SECBUFFER_DATA
	bufferToken           = 2  // SECBUFFER_TOKEN
	bufferChannelBindings = 14 // SECBUFFER_CHANNEL_BINDINGS

	attributeSizes       = 0  // SECPKG_ATTR_SIZES
	attributeNegotiation = 12 // SECPKG_ATTR_NEGOTIATION_INFO

	credentialsOutbound = 2    // SECPKG_CRED_OUTBOUND
	identityUnicode     = 2    // SEC_WINNT_AUTH_IDENTITY_UNICODE
	nativeData          = 0x10 // SECURITY_NATIVE_DREP

	statusContinue = 0x00090312 // SEC_I_CONTINUE_NEEDED
)

// liveHandles counts the handles that LSA keeps for this process.
var liveHandles atomic.Int64

// securityStatus returns the SECURITY_STATUS in a register, whose upper half has no meaning.
func securityStatus(register uintptr) uint32 { return uint32(register) } //nolint:gosec // it has 32 bits

// failed returns the error of a function's result, nil for success.
func failed(function string, register uintptr) error {
	if status := securityStatus(register); status != 0 {
		return &SSPIError{Function: function, Status: status}
	}
	return nil
}

// maxToken returns the size of the largest token of a package.
func maxToken(name *uint16) (uint32, error) {
	var info *secPackageInfo
	status, _, _ := querySecurityPackageInfo.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&info)))
	if err := failed("QuerySecurityPackageInfo", status); err != nil {
		return 0, err
	}
	size := info.maxToken
	_, _, _ = freeContextBuffer.Call(uintptr(unsafe.Pointer(info)))
	return size, nil
}

// acquire acquires the credentials of id, nil for the current user.
func acquire(name *uint16, id *secIdentity) (credentials secHandle, err error) {
	var expiry windows.Filetime
	status, _, _ := acquireCredentialsHandle.Call(0, uintptr(unsafe.Pointer(name)), credentialsOutbound, 0,
		uintptr(unsafe.Pointer(id)), 0, 0, uintptr(unsafe.Pointer(&credentials)), uintptr(unsafe.Pointer(&expiry)))
	if err := failed("AcquireCredentialsHandle", status); err != nil {
		return secHandle{}, err
	}
	liveHandles.Add(1)
	return credentials, nil
}

func release(credentials *secHandle) {
	_, _, _ = freeCredentialsHandle.Call(uintptr(unsafe.Pointer(credentials)))
	liveHandles.Add(-1)
}

// initialize performs one step of a handshake, the first one unless begun is set. The result more
// says that an answer of the host is wanted.
func initialize(credentials, handle *secHandle, begun bool, target *uint16, in []secBuffer, maxToken uint32) (out []byte, attributes uint32, more bool, err error) {
	var previous *secHandle
	if begun {
		previous = handle
	}
	var input *secBufferDesc // an empty list of buffers is refused
	if len(in) > 0 {
		input = descriptor(in)
	}
	out = make([]byte, maxToken)
	output := []secBuffer{buffer(bufferToken, out)}
	var expiry windows.Filetime
	status, _, _ := initializeSecurityContext.Call(
		uintptr(unsafe.Pointer(credentials)), uintptr(unsafe.Pointer(previous)), uintptr(unsafe.Pointer(target)),
		contextMutual|contextSafe, 0, nativeData,
		uintptr(unsafe.Pointer(input)), 0, uintptr(unsafe.Pointer(handle)),
		uintptr(unsafe.Pointer(descriptor(output))), uintptr(unsafe.Pointer(&attributes)), uintptr(unsafe.Pointer(&expiry)))
	runtime.KeepAlive(in)
	made := !begun && madeHandle(securityStatus(status))
	if made {
		liveHandles.Add(1)
	}
	if more = securityStatus(status) == statusContinue; !more {
		if err := failed("InitializeSecurityContext", status); err != nil {
			if made {
				deleteContext(handle)
			}
			return nil, 0, false, err
		}
	}
	if out = out[:output[0].size]; len(out) == 0 {
		out = nil
	}
	return out, attributes, more, nil
}

func deleteContext(handle *secHandle) {
	_, _, _ = deleteSecurityContext.Call(uintptr(unsafe.Pointer(handle)))
	liveHandles.Add(-1)
}

// packageOf returns the package that Negotiate has chosen, empty if Negotiate does not name it.
func packageOf(handle *secHandle) string {
	var info secNegotiationInfo
	status, _, _ := queryContextAttributes.Call(uintptr(unsafe.Pointer(handle)), attributeNegotiation, uintptr(unsafe.Pointer(&info)))
	if failed("QueryContextAttributes", status) != nil || info.chosen == nil {
		return ""
	}
	defer func() { _, _, _ = freeContextBuffer.Call(uintptr(unsafe.Pointer(info.chosen))) }()
	return windows.UTF16PtrToString(info.chosen.name)
}

// trailerSize returns the most bytes by which a sealed message is longer than the message.
func trailerSize(handle *secHandle) (uint32, error) {
	var s secSizes
	status, _, _ := queryContextAttributes.Call(uintptr(unsafe.Pointer(handle)), attributeSizes, uintptr(unsafe.Pointer(&s)))
	return s.securityTrailer, failed("QueryContextAttributes", status)
}

// encrypt seals data in place and makes the token for the space in front of it; both may become
// shorter.
func encrypt(handle *secHandle, token, data []byte) (madeToken, sealed []byte, err error) {
	buffers := []secBuffer{buffer(bufferToken, token), buffer(bufferData, data)}
	status, _, _ := encryptMessage.Call(uintptr(unsafe.Pointer(handle)), 0, uintptr(unsafe.Pointer(descriptor(buffers))), 0)
	if err := failed("EncryptMessage", status); err != nil {
		return nil, nil, err
	}
	return token[:buffers[0].size], data[:buffers[1].size], nil
}

// decrypt opens data in place. The quality of protection is not zero if the data was only signed.
func decrypt(handle *secHandle, token, data []byte) (plain []byte, quality uint32, err error) {
	buffers := []secBuffer{buffer(bufferToken, token), buffer(bufferData, data)}
	status, _, _ := decryptMessage.Call(uintptr(unsafe.Pointer(handle)), uintptr(unsafe.Pointer(descriptor(buffers))), 0, uintptr(unsafe.Pointer(&quality)))
	if err := failed("DecryptMessage", status); err != nil {
		return nil, 0, err
	}
	return data[:buffers[1].size], quality, nil
}

func buffer(kind uint32, b []byte) secBuffer {
	return secBuffer{size: uint32(len(b)), kind: kind, data: unsafe.SliceData(b)} //nolint:gosec // tokens and messages are far smaller
}

// descriptor returns a descriptor of buffers, which the caller keeps alive.
func descriptor(buffers []secBuffer) *secBufferDesc {
	return &secBufferDesc{count: uint32(len(buffers)), buffers: unsafe.SliceData(buffers)} //nolint:gosec // two
}
