package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// Result is the outcome for a claim.
type Result string

// The results.
const (
	Held         Result = "held"
	Contradicted Result = "contradicted"
	NotTested    Result = "not tested"
)

// Finding is a claim and what the host answered about it.
type Finding struct {
	ID       string          `json:"id"`
	Claim    string          `json:"claim"`
	Evidence claims.Evidence `json:"evidence"`
	Result   Result          `json:"result"`
	// Seen is what the host answered, in numbers and names of the protocol.
	Seen string `json:"seen,omitempty"`
	// Why is the reason why there is no result.
	Why            string `json:"why,omitempty"`
	DurationMillis int64  `json:"duration_ms"`
	// Exchanges number the recordings that belong to the claim.
	Exchanges []int `json:"exchanges,omitempty"`
}

// verdict is the outcome of one check.
type verdict struct {
	result Result
	seen   string
	why    string
}

func held(format string, args ...any) verdict {
	return verdict{result: Held, seen: fmt.Sprintf(format, args...)}
}

func contradicted(format string, args ...any) verdict {
	return verdict{result: Contradicted, seen: fmt.Sprintf(format, args...)}
}

func notTested(format string, args ...any) verdict {
	return verdict{result: NotTested, why: fmt.Sprintf(format, args...)}
}

// when returns held if ok, else contradicted, with what was seen.
func when(ok bool, format string, args ...any) verdict {
	if ok {
		return held(format, args...)
	}
	return contradicted(format, args...)
}

// deniedCodes are the numbers of a refusal for lack of rights.
var deniedCodes = []uint32{5, 0x80070005, 0x80041003, 0x80338104, 0x80338105, 0x80338106}

// trouble returns the verdict when a request did not get the answer that a
// check needs to go on.
func trouble(err error) verdict {
	if fault, ok := errors.AsType[*wsman.Fault](err); ok {
		if denied(fault) {
			return notTested("access denied: %s", describe(fault))
		}
		return notTested("the host answered with a %s", describe(fault))
	}
	var (
		value  *valueError
		ended  *outcomeError
		astray *astrayError
	)
	switch {
	case errors.As(err, &astray):
		return notTested("%s", astray)
	case errors.Is(err, errNoJob), errors.Is(err, errStuck), errors.Is(err, errUnseen):
		return notTested("%s", err)
	case errors.As(err, &value):
		return notTested("%s", value)
	case errors.As(err, &ended):
		return notTested("creating a disk: %s", ended)
	}
	return notTested("%s", summary(err))
}

// denied reports whether a fault is about rights, by its number or its subcode.
func denied(f *wsman.Fault) bool {
	return f.Subcode.Local == "AccessDenied" || slices.ContainsFunc(deniedCodes, f.Has)
}

// describe describes a fault without its texts, which may name things.
func describe(f *wsman.Fault) string {
	var b strings.Builder
	b.WriteString("fault")
	for _, code := range f.Codes {
		fmt.Fprintf(&b, " %d (0x%08X)", code, code)
	}
	for _, name := range []wsman.QName{f.Code, f.Subcode} {
		if name.Local != "" {
			b.WriteString(" " + name.String())
		}
	}
	if i := strings.LastIndexByte(f.Detail, '/'); i >= 0 {
		b.WriteString(" " + f.Detail[i+1:])
	}
	return b.String()
}

// summary names the kind of an error, without its text.
func summary(err error) string {
	var (
		auth   *wsman.AuthError
		tls    *wsman.TLSError
		reach  *wsman.UnreachableError
		lost   *wsman.ConnectionError
		decode *wsman.DecodeError
		status *wsman.HTTPError
		fault  *wsman.Fault
	)
	switch {
	case err == nil:
		return "no error"
	case errors.As(err, &auth):
		return "the logon failed"
	case errors.As(err, &tls):
		return "TLS failed"
	case errors.As(err, &reach):
		return "no connection could be made"
	case errors.As(err, &lost):
		return "the connection was lost"
	case errors.As(err, &decode):
		return "an answer that cannot be read"
	case errors.As(err, &status):
		return fmt.Sprintf("HTTP status %d without a message", status.Status)
	case errors.As(err, &fault):
		return describe(fault)
	}
	return "the request could not be carried out"
}

// faultIn returns the fault in err. If there is none, the verdict says why not.
func faultIn(err error) (*wsman.Fault, verdict) {
	var fault *wsman.Fault
	var decode *wsman.DecodeError
	var status *wsman.HTTPError
	switch {
	case err == nil:
		return nil, contradicted("no fault")
	case errors.As(err, &fault) && denied(fault):
		return nil, trouble(err)
	case errors.As(err, &fault):
		return fault, verdict{}
	case errors.As(err, &decode), errors.As(err, &status) && status.Status != 503:
		return nil, contradicted("%s", summary(err))
	}
	return nil, trouble(err)
}

// wantFault is held when err is a fault that test accepts.
func wantFault(err error, test func(*wsman.Fault) bool) verdict {
	fault, v := faultIn(err)
	if fault == nil {
		return v
	}
	return when(test(fault), "%s", describe(fault))
}

// wantRefusal is held when err is a fault, while the same without the mistake was answered: a host
// that refuses every request shows nothing about the mistake.
func wantRefusal(right, err error) verdict {
	if right != nil {
		return notTested("without the mistake: %s", summary(right))
	}
	return wantFault(err, anyFault)
}

func hasAny(codes ...uint32) func(*wsman.Fault) bool {
	return func(f *wsman.Fault) bool {
		return slices.ContainsFunc(codes, f.Has)
	}
}

func hasSubcode(local string) func(*wsman.Fault) bool {
	return func(f *wsman.Fault) bool { return f.Subcode.Local == local }
}

func both(a, b func(*wsman.Fault) bool) func(*wsman.Fault) bool {
	return func(f *wsman.Fault) bool { return a(f) && b(f) }
}

func anyFault(*wsman.Fault) bool { return true }

func millis(d time.Duration) int64 { return d.Milliseconds() }
