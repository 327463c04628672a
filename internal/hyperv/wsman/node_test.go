package wsman_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// confirms makes the image management service the confirmation.
func confirms(cfg *wsman.Config) {
	cfg.Confirm = func() (wsman.Confirmation, bool) {
		return wsman.Confirmation{Reference: compact("").Target, Property: "SystemName"}, true
	}
}

// isConfirmation reports whether r reads the service.
func isConfirmation(r fakeRequest) bool {
	return strings.Contains(r.soap, "transfer/Get<") && strings.Contains(r.soap, `/Msvm_ImageManagementService<`)
}

// onNode answers confirmations with a name, and everything else as answer does.
func onNode(name string, answer func(r fakeRequest) fakeAnswer) func(r fakeRequest) fakeAnswer {
	return func(r fakeRequest) fakeAnswer {
		if !isConfirmation(r) {
			return answer(r)
		}
		return fakeAnswer{soap: envelope(r.id, `<p:Msvm_ImageManagementService xmlns:p="x"><p:SystemName>`+name+`</p:SystemName></p:Msvm_ImageManagementService>`)}
	}
}

// TestNodeOfAnswers follows one client: the exchanges that it costs to know the
// node, and the calls that get its name.
func TestNodeOfAnswers(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, onNode("HV1", func(r fakeRequest) fakeAnswer {
		if strings.Contains(r.soap, "GONE") {
			return fault(r.id, "a:DestinationUnreachable", 2150858752)
		}
		return echo(r)
	}))
	h.start()
	c := h.client(confirms)
	for _, step := range []struct {
		name  string
		do    func(o ...wsman.CallOption) error
		node  string
		posts int
		fails bool
	}{
		{"a read on a new connection", func(o ...wsman.CallOption) error { _, err := c.Get(t.Context(), jobReference("1"), o...); return err }, "", 2, false},
		{"what changes something", func(o ...wsman.CallOption) error { _, err := c.Invoke(t.Context(), compact("x"), o...); return err }, "HV1", 2, false},
		{"the same again", func(o ...wsman.CallOption) error { _, err := c.Invoke(t.Context(), compact("y"), o...); return err }, "HV1", 1, false},
		{"a read afterwards", func(o ...wsman.CallOption) error { _, err := c.Get(t.Context(), jobReference("2"), o...); return err }, "HV1", 1, false},
		{"a fault", func(o ...wsman.CallOption) error {
			_, err := c.Get(t.Context(), jobReference("GONE"), o...)
			return err
		}, "HV1", 1, true},
	} {
		_, _, before := h.totals()
		node := "unset"
		if err := step.do(wsman.FromNode(&node)); (err != nil) != step.fails {
			t.Errorf("%s: %v", step.name, err)
		}
		if _, _, after := h.totals(); node != step.node || after-before != step.posts {
			t.Errorf("%s: node %q with %d exchanges, want %q with %d", step.name, node, after-before, step.node, step.posts)
		}
	}
}

// TestConfirmationCarriesTheProof: on a new connection the confirming read takes
// the place of the empty message that carries the last token.
func TestConfirmationCarriesTheProof(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, onNode("HV1", echo))
	h.start()
	c := h.client(confirms)
	var node string
	if _, err := c.Invoke(t.Context(), compact("x"), wsman.FromNode(&node)); err != nil || node != "HV1" {
		t.Errorf("Invoke = %v on node %q", err, node)
	}
	if _, _, posts := h.totals(); posts != 3 || h.seen("transfer/Get<") != 1 {
		t.Errorf("%d exchanges with %d reads, want 3 with 1", posts, h.seen("transfer/Get<"))
	}
}

func TestConfirmedRead(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, onNode("HV1", sequence(
		func(r fakeRequest) fakeAnswer { return job(r, "4") },
		enumerateResponse(`<w:Items>`+items("a")+`</w:Items><w:EndOfSequence/>`),
	)))
	h.start()
	c := h.client(confirms)
	var get, enumerated string
	if _, err := c.Get(t.Context(), jobReference("1"), wsman.Confirmed(), wsman.FromNode(&get)); err != nil {
		t.Error(err)
	}
	for _, err := range c.Enumerate(t.Context(), wsman.Enumeration{ResourceURI: "urn:c"}, wsman.Confirmed(), wsman.FromNode(&enumerated)) {
		if err != nil || enumerated != "HV1" {
			t.Errorf("Enumerate = %v on node %q", err, enumerated)
		}
	}
	if _, _, posts := h.totals(); get != "HV1" || posts != 4 {
		t.Errorf("node %q after %d exchanges, want HV1 after 4: logon, confirmation, two reads", get, posts)
	}
}

// TestConfirmationUnknown: the last token goes alone as long as there is no
// confirmation.
func TestConfirmationUnknown(t *testing.T) {
	t.Parallel()
	var known atomic.Bool
	h := newFakeHost(t, onNode("HV1", echo))
	h.start()
	c := h.client(confirms, func(cfg *wsman.Config) {
		confirm := cfg.Confirm
		cfg.Confirm = func() (wsman.Confirmation, bool) { c, _ := confirm(); return c, known.Load() }
	})
	for _, want := range []string{"", "HV1"} {
		node := "unset"
		if _, err := c.Invoke(t.Context(), compact("x"), wsman.FromNode(&node)); err != nil || node != want {
			t.Errorf("Invoke = %v on node %q, want %q", err, node, want)
		}
		known.Store(true)
	}
	if conns, _, posts := h.totals(); conns != 1 || posts != 5 {
		t.Errorf("%d exchanges on %d connections, want 5 on 1", posts, conns)
	}
}

// TestConfirmationFails: the outcome of a message that changes something when
// the read before it fails.
func TestConfirmationFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(r fakeRequest) fakeAnswer
		sent   bool // the message goes out all the same, its node is unknown
	}{
		"no such class":      {faultWith("a:DestinationUnreachable", 2150858752), true},
		"not allowed":        {faultWith("w:AccessDenied", 5), true},
		"busy":               {faultWith("w:QuotaLimit", 2150859174), false},
		"no answer":          {lostAnswer, false},
		"no envelope":        {func(fakeRequest) fakeAnswer { return fakeAnswer{soap: "<x/>"} }, false},
		"an empty body":      {func(r fakeRequest) fakeAnswer { return fakeAnswer{soap: envelope(r.id, "")} }, false},
		"an answer unsealed": {func(r fakeRequest) fakeAnswer { return fakeAnswer{soap: envelope(r.id, ""), clear: true} }, false},
		"a bare status":      {func(fakeRequest) fakeAnswer { return fakeAnswer{status: 413, clear: true, content: "text/html"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
				if isConfirmation(r) {
					return tt.answer(r)
				}
				return echo(r)
			})
			h.start()
			c := h.client(confirms)
			node := "unset"
			_, err := c.Invoke(t.Context(), compact("x"), wsman.FromNode(&node))
			if errors.As(err, new(*wsman.ConfirmError)) == tt.sent || errors.As(err, new(*wsman.OutcomeError)) || node != "" {
				t.Errorf("Invoke = %v on node %q", err, node)
			}
			if got := h.seen("CompactVirtualHardDisk_INPUT"); got != map[bool]int{true: 1}[tt.sent] || h.seen("transfer/Get<") != 1 {
				t.Errorf("the message was seen %d times, the read %d times", got, h.seen("transfer/Get<"))
			}
			if !tt.sent {
				return
			}
			if _, err := c.Invoke(t.Context(), compact("x")); err != nil || h.seen("transfer/Get<") != 1 {
				t.Errorf("Invoke = %v; a connection is confirmed once, not %d times", err, h.seen("transfer/Get<"))
			}
		})
	}
}

func TestConfirmationRejected(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, onNode("HV1", echo))
	h.password = "other"
	h.start()
	_, err := h.client(confirms).Invoke(t.Context(), compact("x"))
	if !errors.Is(err, secure.ErrRejected) || errors.As(err, new(*wsman.OutcomeError)) || h.seen("") != 0 {
		t.Errorf("Invoke = %v after %d messages, want a plain rejection after none", err, h.seen(""))
	}
}

// TestNodeChanges: a host whose name moves, seen by a client whose context the
// host has dropped.
func TestNodeChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var node atomic.Value
		node.Store("HV1")
		h := newFakeHost(t, func(r fakeRequest) fakeAnswer { return onNode(fmt.Sprint(node.Load()), echo)(r) })
		h.start()
		c := h.client(confirms)
		invoke := func(want string) {
			t.Helper()
			got := "unset"
			if _, err := c.Invoke(t.Context(), compact("x"), wsman.FromNode(&got)); err != nil || got != want {
				t.Errorf("Invoke = %v on node %q, want %q", err, got, want)
			}
		}
		invoke("HV1")
		node.Store("HV2")
		invoke("HV1") // the connection stays where it is
		synctest.Wait()
		h.dropIdle()
		synctest.Wait()
		invoke("HV2")

		// A dropped context shows when the connection is to be confirmed.
		synctest.Wait()
		h.dropIdle()
		synctest.Wait()
		mustGet(t.Context(), t, c, "unconfirmed")
		node.Store("HV3")
		h.forgetContexts(1)
		invoke("HV3")
	})
}

func TestEnumerationOfTwoNodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var node atomic.Value
		node.Store("HV1")
		pages := sequence(
			enumerateResponse(`<n:EnumerationContext>c</n:EnumerationContext><w:Items>`+items("a")+`</w:Items>`),
			pullResponse(`<n:Items>`+items("b")+`</n:Items><n:EndOfSequence/>`),
			pullResponse(``),
		)
		h := newFakeHost(t, func(r fakeRequest) fakeAnswer { return onNode(fmt.Sprint(node.Load()), pages)(r) })
		h.start()
		var got []string
		var failed error
		for i, err := range h.client(confirms).Enumerate(t.Context(), wsman.Enumeration{ResourceURI: "urn:c"}, wsman.Confirmed()) {
			if failed = err; err == nil {
				got = append(got, name(i))
			}
			node.Store("HV2")
			synctest.Wait()
			h.dropIdle()
			synctest.Wait()
		}
		if !errors.As(failed, new(*wsman.DecodeError)) || strings.Join(got, " ") != "a" {
			t.Errorf("Enumerate = %q, %v; want the first page and an error", got, failed)
		}
	})
}

func name(i *cim.Instance) string {
	n, _ := i.String("Name")
	return n
}

// TestExpectNode: a message for one node does not go out to another, whatever
// the message does; if an idle connection leads elsewhere, a new one is tried
// first.
func TestExpectNode(t *testing.T) {
	t.Parallel()
	var name atomic.Value
	name.Store("HV1")
	h := newFakeHost(t, func(r fakeRequest) fakeAnswer { return onNode(name.Load().(string), echo)(r) })
	h.start()
	c := h.client(confirms)
	call := func(node string) error {
		_, err := c.Invoke(wsman.ExpectNode(t.Context(), node), compact("x"))
		return err
	}
	if err := errors.Join(call("hv1"), call("")); err != nil {
		t.Errorf("on the expected node: %v", err)
	}
	name.Store("HV2") // the idle connection still leads to HV1
	if err := call("HV1"); err != nil {
		t.Errorf("over the connection to the expected node: %v", err)
	}
	before := h.seen("CompactVirtualHardDisk_INPUT")
	for _, moved := range []string{"HV2", ""} {
		name.Store(moved)
		c := h.client(confirms)
		for _, send := range []func(ctx context.Context) error{
			func(ctx context.Context) error { _, err := c.Invoke(ctx, compact("x")); return err },
			func(ctx context.Context) error { _, err := c.Get(ctx, jobReference("1")); return err },
		} {
			var wrong *wsman.NodeError
			err := send(wsman.ExpectNode(t.Context(), "HV1"))
			if !errors.As(err, &wrong) || wrong.Want != "HV1" || wrong.Got != moved || wsman.Retryable(err) {
				t.Errorf("on %q: %v, want a NodeError", moved, err)
			}
			if err := send(wsman.AnyNode(wsman.ExpectNode(t.Context(), "HV1"))); err != nil {
				t.Errorf("on %q, any node: %v", moved, err)
			}
		}
	}
	if n := h.seen("CompactVirtualHardDisk_INPUT"); n != before+2 { // those that expect no node
		t.Errorf("%d messages went to another node", n-before)
	}
	name.Store("HV2")
	if err := call("HV2"); err != nil {
		t.Errorf("an idle connection to the former node was not left: %v", err)
	}
}
