package hypervsim

import (
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/winrmsim"
)

// The names of package winrmsim that tests use.
type (
	// Scheme is an HTTP authentication scheme.
	Scheme = winrmsim.Scheme
	// FaultForm is the shape of a fault's detail.
	FaultForm = winrmsim.FaultForm
	// Operation is the operation that a request asks for.
	Operation = winrmsim.Operation
	// Parameter is one selector or one input parameter of a request.
	Parameter = winrmsim.Parameter
	// Request is a WS-Management request that a host received and could read.
	Request = winrmsim.Request
	// Rule makes a host misbehave towards some requests.
	Rule = winrmsim.Rule
	// Effect is what a rule does to a request or to its answer.
	Effect = winrmsim.Effect
)

// DefaultUser and DefaultPassword log on to a host that was given no user.
const (
	DefaultUser     = winrmsim.DefaultUser
	DefaultPassword = winrmsim.DefaultPassword
)

// Schemes that a host can announce.
const (
	SchemeNegotiate   = winrmsim.SchemeNegotiate
	SchemeKerberos    = winrmsim.SchemeKerberos
	SchemeBasic       = winrmsim.SchemeBasic
	SchemeCertificate = winrmsim.SchemeCertificate
)

// Forms of a fault.
const (
	FaultFormAny      = winrmsim.FaultFormAny
	FaultFormService  = winrmsim.FaultFormService
	FaultFormProvider = winrmsim.FaultFormProvider
	FaultFormWMIError = winrmsim.FaultFormWMIError
	FaultFormBare     = winrmsim.FaultFormBare
)

// Operations that rules can match and requests are recorded under.
const (
	OperationGet       = winrmsim.OperationGet
	OperationEnumerate = winrmsim.OperationEnumerate
	OperationPull      = winrmsim.OperationPull
	OperationRelease   = winrmsim.OperationRelease
	OperationInvoke    = winrmsim.OperationInvoke
	OperationIdentify  = winrmsim.OperationIdentify
	OperationHandshake = winrmsim.OperationHandshake
)

// Fault answers with this WSManFault code instead of doing the work.
func Fault(code uint32, form FaultForm) Effect { return winrmsim.Fault(code, form) }

// FaultAfter does the work and then answers with a fault.
func FaultAfter(code uint32, form FaultForm) Effect { return winrmsim.FaultAfter(code, form) }

// Returns answers an Invoke with this return value instead of doing the work.
func Returns(value uint32) Effect { return winrmsim.Returns(value) }

// ReturnsAfter does the work of an Invoke and answers with this return value.
func ReturnsAfter(value uint32) Effect { return winrmsim.ReturnsAfter(value) }

// Late begins the work of a request with the delay d, whatever becomes of its
// answer.
func Late(d time.Duration, e Effect) Effect { return winrmsim.Late(d, e) }

// Held carries out an effect, and sends the answer d later than it would
// otherwise be sent.
func Held(d time.Duration, e Effect) Effect { return winrmsim.Held(d, e) }

// Status answers with this HTTP status and no body instead of doing the work.
func Status(status int) Effect { return winrmsim.Status(status) }

// ResetBefore resets the connection instead of doing the work.
func ResetBefore() Effect { return winrmsim.ResetBefore() }

// ResetAfter does the work and resets the connection instead of answering.
func ResetAfter() Effect { return winrmsim.ResetAfter() }

// CutAnswer does the work, sends half of the answer and closes the connection.
func CutAnswer() Effect { return winrmsim.CutAnswer() }

// Garbage does the work and answers with bytes that are no message.
func Garbage() Effect { return winrmsim.Garbage() }

// ContentType does the work and labels the answer wrongly.
func ContentType(contentType string) Effect { return winrmsim.ContentType(contentType) }

// Unauthorized answers 401 instead of doing the work and forgets the security
// context of the connection.
func Unauthorized() Effect { return winrmsim.Unauthorized() }

// Delay does the work and answers that much later.
func Delay(d time.Duration) Effect { return winrmsim.Delay(d) }

// Hang does the work and never answers; it ends with the connection.
func Hang() Effect { return winrmsim.Hang() }

// WrongRelatesTo does the work and answers to another message.
func WrongRelatesTo() Effect { return winrmsim.WrongRelatesTo() }

// Unsealed does the work and answers without the sealing that the request had.
func Unsealed() Effect { return winrmsim.Unsealed() }

// Tampered does the work and flips one bit of the sealed answer.
func Tampered() Effect { return winrmsim.Tampered() }

// Replayed does the work and sends the previous sealed answer again.
func Replayed() Effect { return winrmsim.Replayed() }

// Oversized does the work and pads the answer with white space to this size.
func Oversized(size int) Effect { return winrmsim.Oversized(size) }

// FaultFamily holds the WSManFault codes of one kind of failure.
type FaultFamily = winrmsim.FaultFamily

// FaultFamilies lists the kinds of faults with their codes.
func FaultFamilies() []FaultFamily { return winrmsim.FaultFamilies() }
