package hyperv

import (
	"errors"
	"slices"
)

// Reason is the kind of an error that a setting of the calling program may avoid. This package
// names none of those settings: a caller maps each reason to the settings that its own users can
// change, and knows which of them they have set already.
type Reason int

// The reasons. A comment says which setting or action a caller could propose.
const (
	// ReasonNone: nothing that a caller could set would help.
	ReasonNone Reason = iota

	ReasonInUse       // to take the disk at another time
	ReasonDependedOn  // to leave the disk alone
	ReasonNotFound    // to forget the disk
	ReasonUnreachable // to go on without the host
	ReasonTryAgain    // to ask once more
	ReasonUnfinished  // to compact once more, which is safe
	ReasonTimedOut    // Config.RequestTimeout
	ReasonBusy        // Config.MaxConcurrentRequests
	ReasonNoMemory    // Config.MaxConcurrentCompactions

	ReasonNotCompactable  // to leave the disk out for good
	ReasonPlannedOther    // Order.Format, Order.Type
	ReasonNoModes         // Order.Mode
	ReasonWritesAttached  // Order.AttachReadOnly: the host attaches with write access only
	ReasonAttachForbidden // Order.AllowAttach
	ReasonNotAttached     // Order.AttachReadOnly
	ReasonParent          // Order.AllowParent, with Order.Mode and Order.AttachReadOnly
	ReasonParentMode      // Order.Mode and Order.AttachReadOnly, with Order.AllowParent
	ReasonReplicated      // Order.AllowReplicated
	ReasonUnseen          // Order.AllowUnseen
	ReasonNodeAddress     // Config.ClusterNodes

	ReasonPlainHTTP   // Config.HTTPS, Config.Port
	ReasonTLS         // Config.HTTPS, Config.Port
	ReasonMaybeTLS    // the same: what served the port did not say what it speaks
	ReasonAuthority   // Config.CACertificate, Config.Insecure
	ReasonName        // Config.TLSServerName, Config.Insecure
	ReasonUnverified  // Config.Insecure
	ReasonScheme      // Config.Auth
	ReasonTampering   // Config.HTTPS
	ReasonTicket      // another source of credentials
	ReasonNoKDC       // KerberosConfig.ConfigPath
	ReasonServiceName // KerberosConfig.SPN

	reasonEnd
)

// Reasons lists all but ReasonNone.
func Reasons() []Reason {
	var all []Reason
	for r := ReasonNone + 1; r < reasonEnd; r++ {
		all = append(all, r)
	}
	return all
}

// Reasons returns the reasons of a number: its own, followed by that of the sentinel that it stands
// for.
func (c Code) Reasons() []Reason {
	var all []Reason
	if r, ok := numberReasons[numberKey{c.Kind, c.Number}]; ok {
		all = append(all, r)
	}
	for _, cause := range causesOf(c.sentinel()) {
		if cause.Reason != ReasonNone && !slices.Contains(all, ReasonTryAgain) {
			all = append(all, cause.Reason)
		}
	}
	return all
}

type numberKey struct {
	kind   CodeKind
	number uint32
}

// numberReasons holds the reasons of numbers that say more than their sentinels.
var numberReasons = map[numberKey]Reason{
	{KindReturnValue, 2}:      ReasonTryAgain,
	{KindReturnValue, 3}:      ReasonTryAgain,
	{KindReturnValue, 4}:      ReasonTryAgain,
	{KindReturnValue, 4097}:   ReasonTryAgain,
	{KindReturnValue, 4099}:   ReasonTryAgain,
	{KindReturnValue, 32771}:  ReasonTryAgain,
	{KindReturnValue, 32772}:  ReasonTryAgain,
	{KindReturnValue, 32775}:  ReasonNotAttached,
	{KindReturnValue, 32778}:  ReasonNoMemory,
	{KindHRESULT, 0xC03A001C}: ReasonNotAttached,
	{KindHRESULT, 0x800703E3}: ReasonUnfinished,
	{KindFault, 0x8033800C}:   ReasonTimedOut,
	{KindFault, 0x80338029}:   ReasonTimedOut,
	{KindFault, 0x8033801B}:   ReasonTryAgain,
	{KindFault, 0x8033801C}:   ReasonTryAgain,
	{KindFault, 0x80338032}:   ReasonBusy,
	{KindFault, 0x8033803F}:   ReasonBusy,
	{KindFault, 0x803381A5}:   ReasonBusy,
	{KindFault, 0x803381A6}:   ReasonBusy,
	{KindFault, 0x803381A7}:   ReasonBusy,
	{KindFault, 0x803381A8}:   ReasonBusy,
	{KindFault, 0x803381A9}:   ReasonTryAgain,
	{KindFault, 0x803381E5}:   ReasonBusy,
	{KindFault, 0x803381E7}:   ReasonBusy,
	{KindFault, 0x803381E8}:   ReasonBusy,
	{KindFault, 0x803381EA}:   ReasonBusy,
	{KindHTTP, 400}:           ReasonMaybeTLS,
	{KindKerberos, 7}:         ReasonServiceName,
	{KindSSPI, 0x80090303}:    ReasonServiceName,
	{KindSSPI, 0x80090322}:    ReasonServiceName,
}

// because gives an error a reason that follows neither from its number nor from its sentinel.
func because(reason Reason, err error) error { return &reasonError{err, reason} }

type reasonError struct {
	err    error
	reason Reason
}

func (e *reasonError) Error() string { return e.err.Error() }
func (e *reasonError) Unwrap() error { return e.err }

// explained is an error with better advice than that of its sentinel.
type explained interface {
	error
	// Hint returns the hint of the [Explanation].
	Hint() string
	Reasons() []Reason
}

// reasonOf returns the reason that an error was given.
func reasonOf(err error) []Reason {
	if e, ok := errors.AsType[explained](err); ok {
		return e.Reasons()
	}
	if e, ok := errors.AsType[*reasonError](err); ok {
		return []Reason{e.reason}
	}
	return nil
}
