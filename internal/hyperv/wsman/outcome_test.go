package wsman_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// unknownCodes are numbers that hosts are known to send and that prove nothing,
// like any number that is not in the table.
var unknownCodes = []uint32{1, 1722, 1726, 0x8007000E, 0x80070020, 0x80041006, 0xDEADBEEF}

// TestFaults: the consequences of each number and name, for a request that
// changes something and for a read.
func TestFaults(t *testing.T) {
	t.Parallel()
	type want struct{ refused, retryable bool }
	faults := map[string]want{}
	answers := map[string]func(fakeRequest) fakeAnswer{}
	add := func(subcode string, code uint32, w want) {
		key := fmt.Sprintf("%s %#x", subcode, code)
		faults[key], answers[key] = w, faultWith(subcode, code)
	}
	for _, c := range wsman.FaultCodes() {
		add("w:InternalError", c.Number, want{c.Refused, c.Retryable})
	}
	for _, code := range unknownCodes {
		add("w:AccessDenied", code, want{}) // the number counts
	}
	for subcode, w := range map[string]want{
		"w:AccessDenied": {true, false}, "w:QuotaLimit": {true, true}, "w:InvalidSelectors": {true, false},
		"w:InvalidParameter": {true, false}, "w:SchemaValidationError": {true, false},
		"w:Concurrency": {false, true}, "w:TimedOut": {false, true}, "w:InternalError": {},
		"a:DestinationUnreachable": {true, false}, "a:ActionNotSupported": {true, false},
		"a:InvalidMessageInformationHeader": {true, false}, "a:MessageInformationHeaderRequired": {true, false},
		"a:EndpointUnavailable": {false, true}, "w:NeverHeardOf": {},
	} {
		add(subcode, 0, w)
	}
	for name, w := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newFakeHost(t, answers[name])
				h.start()
				c := h.client()
				_, err := c.Invoke(t.Context(), compact("once"))
				_, open := errors.AsType[*wsman.OutcomeError](err)
				if wsman.Refused(err) != w.refused || open == w.refused || h.seen("once") != 1 {
					t.Errorf("Invoke = %v: refused %v, open %v; want %v; seen %d times", err, wsman.Refused(err), open, w.refused, h.seen("once"))
				}
				if got := wsman.Retryable(err); got != (w.refused && w.retryable) {
					t.Errorf("Retryable(%v) = %v", err, got)
				}
				if f, ok := errors.AsType[*wsman.Fault](err); !ok || f.Status != http.StatusInternalServerError {
					t.Errorf("Invoke = %v, want a Fault", err)
				}
				start := time.Now()
				_, err = c.Get(t.Context(), jobReference("read"))
				tries := map[bool]int{false: 1, true: 3}[w.retryable]
				if wsman.Retryable(err) != w.retryable || h.seen("read") != tries || wsman.Refused(err) {
					t.Errorf("Get = %v: retryable %v, want %v; seen %d times, want %d", err, wsman.Retryable(err), w.retryable, h.seen("read"), tries)
				}
				took := time.Since(start)
				if w.retryable && (took < 750*time.Millisecond || took > 1500*time.Millisecond) || !w.retryable && took != 0 {
					t.Errorf("waited %v", took)
				}
			})
		})
	}
}

// TestFaultCodes: the closed list holds nothing that can come after the work was
// done, and each number once.
func TestFaultCodes(t *testing.T) {
	t.Parallel()
	seen := map[uint32]bool{}
	for _, c := range wsman.FaultCodes() {
		if seen[c.Number] || c.Name == "" {
			t.Errorf("%#x stands twice or has no name", c.Number)
		}
		seen[c.Number] = true
		afterwards := []uint32{
			995, 0x800706BA, 0x800706BE, 0x80338003, 0x80338014, 0x80338029, 0x80338032, 0x80338048, 0x80338049, 0x8033804D,
			0x803381FA, 0x80041001, 0x80041004, 0x80041015, 0x80041033, 0x80041069, 0x8004106C, 0x80041088,
		}
		if c.Refused && slices.Contains(afterwards, c.Number) {
			t.Errorf("%s %#x is said to be a refusal", c.Name, c.Number)
		}
	}
}

// TestNestedFault: a refusal around an error that is not a refusal proves
// nothing.
func TestNestedFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		outer, inner uint32
		refused      bool
	}{
		{5, 0x80041003, true},
		{0x80338105, 0x80070005, true},
		{5, 0x80041004, false},
		{0x80338003, 0x80041003, false},
		{5, 0xDEADBEEF, false},
	} {
		h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
			return fakeAnswer{status: 500, soap: envelope(r.id, fmt.Sprintf(
				`<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Detail><f:WSManFault xmlns:f="x" Code="%d"><f:Message><f:ProviderFault><f:WSManFault Code="%d"/></f:ProviderFault></f:Message></f:WSManFault></s:Detail></s:Fault>`,
				tt.outer, tt.inner))}
		})
		h.start()
		if _, err := h.client().Invoke(t.Context(), compact("x")); wsman.Refused(err) != tt.refused {
			t.Errorf("Refused(%v) = %v", err, !tt.refused)
		}
	}
}

// TestRefusedByAnswer: whether an answer proves a refusal depends on what
// vouches for it.
func TestRefusedByAnswer(t *testing.T) {
	t.Parallel()
	p := newKeyPair(t, "hv1.example")
	bare := func(status int) func(fakeRequest) fakeAnswer {
		return func(fakeRequest) fakeAnswer { return fakeAnswer{status: status, clear: true, content: "text/html"} }
	}
	type refused struct{ http, https, unverified bool }
	nowhere, verified, everywhere := refused{}, refused{https: true}, refused{true, true, true}
	for name, tt := range map[string]struct {
		answer func(fakeRequest) fakeAnswer
		want   refused
	}{
		"401":                     {bare(401), verified},
		"404":                     {bare(404), verified},
		"413":                     {bare(413), verified},
		"500":                     {bare(500), nowhere},
		"502 of a proxy":          {bare(502), nowhere},
		"503":                     {bare(503), nowhere},
		"307":                     {bare(307), nowhere},
		"200 of a page":           {bare(200), nowhere},
		"a fault":                 {faultWith("w:AccessDenied", 5), everywhere},
		"a fault unsealed":        {func(r fakeRequest) fakeAnswer { a := fault(r.id, "w:AccessDenied", 5); a.clear = true; return a }, verified},
		"a broken seal":           {func(r fakeRequest) fakeAnswer { a := fault(r.id, "w:AccessDenied", 5); a.tamper = true; return a }, verified},
		"413 in the seal":         {func(fakeRequest) fakeAnswer { return fakeAnswer{status: 413} }, everywhere},
		"no envelope":             {func(fakeRequest) fakeAnswer { return fakeAnswer{soap: "<x/>"} }, nowhere},
		"another message's fault": {func(fakeRequest) fakeAnswer { return fault("uuid:other", "w:AccessDenied", 5) }, nowhere},
		"no answer":               {lostAnswer, nowhere},
	} {
		for channel, want := range map[string]bool{"http": tt.want.http, "https": tt.want.https, "unverified https": tt.want.unverified} {
			t.Run(name+" over "+channel, func(t *testing.T) {
				t.Parallel()
				h := newFakeHost(t, tt.answer)
				c := overChannel(h, channel, p)
				_, err := c.Invoke(t.Context(), compact("x"))
				if _, open := errors.AsType[*wsman.OutcomeError](err); err == nil || wsman.Refused(err) != want || open == want {
					t.Errorf("Invoke = %v: refused %v, open %v; want %v", err, wsman.Refused(err), open, want)
				}
				if n := h.seen("CompactVirtualHardDisk_INPUT"); n != 1 {
					t.Errorf("the message was seen %d times", n)
				}
			})
		}
	}
}

func overChannel(h *fakeHost, channel string, p keyPair) *wsman.Client {
	if channel == "http" {
		h.start()
		return h.client()
	}
	h.open = channel == "https"
	h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
	return h.client(https(p), func(cfg *wsman.Config) { cfg.Endpoint.Insecure = channel != "https" })
}

// TestRefusedBeforeItWent: a request that never went out was not carried out.
func TestRefusedBeforeItWent(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(h *fakeHost, cfg *wsman.Config){
		"unreachable":            func(_ *fakeHost, cfg *wsman.Config) { cfg.Dial = (&net.Dialer{Timeout: time.Nanosecond}).DialContext },
		"rejected":               func(h *fakeHost, _ *wsman.Config) { h.password = "other" },
		"a weak context":         func(h *fakeHost, _ *wsman.Config) { h.weak = true },
		"cut off amid the logon": func(h *fakeHost, _ *wsman.Config) { h.closes = true },
		"not TLS":                func(_ *fakeHost, cfg *wsman.Config) { cfg.Endpoint.HTTPS = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHost(t, echo)
			h.start()
			c := h.client(func(cfg *wsman.Config) { arrange(h, cfg) })
			if _, err := c.Invoke(t.Context(), compact("x")); !wsman.Refused(err) || h.seen("") != 0 {
				t.Errorf("Invoke = %v: refused %v; %d messages seen", err, wsman.Refused(err), h.seen(""))
			}
		})
	}
	for _, err := range []error{nil, errors.New("x"), &wsman.OpError{Err: errors.New("x")}, &wsman.UnreachableError{Err: errors.New("x")}} {
		if wsman.Refused(err) {
			t.Errorf("Refused(%v): it says nothing about a request", err)
		}
	}
}
