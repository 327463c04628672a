package winrmsim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const compactMethod = "CompactVirtualHardDisk"

func compactCall() string {
	return call(compactMethod, "<m:Path>"+smallDisk+"</m:Path><m:Mode>3</m:Mode>")
}

// TestRule_effects: what the client sees, and whether the work was done.
func TestRule_effects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		effect hypervsim.Effect
		done   bool
		check  func(r response) bool
	}{
		{hypervsim.Fault(2150858793, hypervsim.FaultFormAny), false, func(r response) bool {
			return r.status == 500 && r.code() == 2150858793 && r.subcode() == "w:TimedOut"
		}},
		{hypervsim.Fault(2150858793, hypervsim.FaultFormBare), false, func(r response) bool {
			return r.status == 500 && r.code() == 0 && r.subcode() == "w:TimedOut"
		}},
		{hypervsim.FaultAfter(995, hypervsim.FaultFormProvider), true, func(r response) bool { return r.code() == 995 }},
		{hypervsim.Status(503), false, func(r response) bool { return r.status == 503 && r.body == "" }},
		{hypervsim.Unauthorized(), false, func(r response) bool { return r.status == 401 && r.header.Get("WWW-Authenticate") == "Negotiate" }},
		{hypervsim.ResetBefore(), false, func(r response) bool { return r.err != nil && r.status == 0 }},
		{hypervsim.ResetAfter(), true, func(r response) bool { return r.err != nil && r.status == 0 }},
		{hypervsim.CutAnswer(), true, func(r response) bool { return r.status == 200 && r.err != nil }},
		{hypervsim.Garbage(), true, func(r response) bool { return r.status == 200 && errors.Is(r.err, secure.ErrMalformed) }},
		{hypervsim.ContentType("text/html"), true, func(r response) bool { return r.header.Get("Content-Type") == "text/html" }},
		{hypervsim.Delay(10 * time.Millisecond), true, func(r response) bool { return r.status == 200 && r.err == nil }},
		{hypervsim.WrongRelatesTo(), true, func(r response) bool { return r.status == 200 && !strings.Contains(r.body, "uuid:42") }},
		{hypervsim.Unsealed(), true, func(r response) bool {
			return r.header.Get("Content-Type") == plainSOAP && strings.Contains(r.body, "_OUTPUT")
		}},
		{hypervsim.Tampered(), true, func(r response) bool { return errors.Is(r.err, secure.ErrTampered) }},
		{hypervsim.Replayed(), true, func(r response) bool { return errors.Is(r.err, secure.ErrTampered) }},
		{hypervsim.Oversized(1 << 20), true, func(r response) bool { return r.status == 200 && len(r.body) == 1<<20 }},
		{hypervsim.Effect{}, true, func(r response) bool { return r.status == 200 && strings.Contains(r.body, "4096") }},
	}
	for _, test := range tests {
		t.Run(test.effect.String(), func(t *testing.T) {
			t.Parallel()
			h, p := loggedOn(t)
			p.send(getService()).wantOK(t, "vhdsvc") // something to replay
			h.AddRule(hypervsim.Rule{Method: compactMethod, Effect: test.effect})
			if r := p.send(compactCall()); !test.check(r) {
				t.Errorf("answer = %d %v %v %s", r.status, r.header, r.err, r.body)
			}
			done := h.CompactionRequests(smallDisk) == 1
			if done != test.done {
				t.Errorf("the work was done = %v, want %v", done, test.done)
			}
			if h.Calls(compactMethod) != 1 {
				t.Errorf("calls = %d, want 1", h.Calls(compactMethod))
			}
		})
	}
}

// TestRule_hang: the answer never comes; the place of the operation is free
// again when the client has gone.
func TestRule_hang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, p := loggedOn(t, hypervsim.WithQuota(1))
		h.AddRule(hypervsim.Rule{Operation: hypervsim.OperationGet, Effect: hypervsim.Hang()})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		signature, sealed, err := p.context.Wrap([]byte(getService()))
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url,
			strings.NewReader(string(secure.EncodeSealed(secure.ProtocolSPNEGO, len(sealed), signature, sealed))))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", secure.SealedContentType(secure.ProtocolSPNEGO))
		start := time.Now()
		if got := p.do(r); !errors.Is(got.err, context.DeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("answer = %d, %v after %v, want none for an hour", got.status, got.err, time.Since(start))
		}
		synctest.Wait()
		next := newPeer(t, h)
		next.logon(hypervsim.DefaultUser, hypervsim.DefaultPassword)
		next.send(getService()).wantOK(t, "vhdsvc")
	})
}

// TestRule_matching: which requests a rule is for, and how often.
func TestRule_matching(t *testing.T) {
	t.Parallel()
	fail := hypervsim.Fault(995, hypervsim.FaultFormAny)
	tests := []struct {
		name string
		rule hypervsim.Rule
		want string // one letter for each of: get, disk, disk, disk; f is the fault
	}{
		{"everything", hypervsim.Rule{Times: -1}, "ffff"},
		{"first", hypervsim.Rule{}, "f..."},
		{"skip and times", hypervsim.Rule{Skip: 1, Times: 2}, ".ff."},
		{"operation", hypervsim.Rule{Operation: hypervsim.OperationInvoke, Times: 3}, ".fff"},
		{"class", hypervsim.Rule{Class: "msvm_imagemanagementservice", Times: 4}, "ffff"},
		{"method", hypervsim.Rule{Method: "getvirtualharddisksettingdata"}, ".f.."},
		{"part of the path", hypervsim.Rule{Path: `VMS\SMALL`, Times: 3}, ".fff"},
		{"glob", hypervsim.Rule{Path: `?:\*.vhdx`, Times: 3}, ".fff"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, p := loggedOn(t)
			test.rule.Effect = fail
			h.AddRule(test.rule)
			got := ""
			for _, m := range []string{getService(), settingData(smallDisk), settingData(smallDisk), settingData(smallDisk)} {
				if p.send(m).code() == 995 {
					got += "f"
				} else {
					got += "."
				}
			}
			if got != test.want {
				t.Errorf("faults = %s, want %s", got, test.want)
			}
		})
	}
}

// TestRule_order: the first rule that matches decides, the next one takes over
// when it is used up; others stay unused.
func TestRule_order(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	h.AddRule(hypervsim.Rule{Effect: hypervsim.Status(http.StatusServiceUnavailable)})
	h.AddRule(hypervsim.Rule{Effect: hypervsim.Status(http.StatusTooManyRequests)})
	h.AddRule(hypervsim.Rule{Method: "Never"})
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusOK} {
		if r := p.send(getService()); r.status != want {
			t.Errorf("answer = %d, want %d", r.status, want)
		}
	}
	if unused := h.UnusedRules(); len(unused) != 1 || unused[0].Method != "Never" {
		t.Errorf("unused rules = %v", unused)
	}
	h.ClearRules()
}

// TestRule_func is called with the request, while the host is free to be asked.
func TestRule_func(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	var got string
	h.AddRule(hypervsim.Rule{Method: compactMethod, Func: func(q hypervsim.Request) {
		path, _ := q.Parameter("Path")
		got = fmt.Sprint(q.User, " ", path, " ", h.Calls(compactMethod))
		if err := h.Remove(path); err != nil {
			t.Error(err)
		}
	}})
	p.send(compactCall()).wantOK(t, "<p:ReturnValue>32779</p:ReturnValue>")
	if want := `HYPERV\admin ` + smallDisk + " 1"; got != want {
		t.Errorf("the function saw %q, want %q", got, want)
	}
}

// TestRule_handshake: a logon can fail for other reasons than the password, but
// a rule for everything leaves it alone.
func TestRule_handshake(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.AddRule(hypervsim.Rule{Effect: hypervsim.Status(http.StatusTeapot)})
	h.AddRule(hypervsim.Rule{Operation: hypervsim.OperationHandshake, Effect: hypervsim.Status(http.StatusServiceUnavailable)})
	if got := newPeer(t, h).logon(hypervsim.DefaultUser, hypervsim.DefaultPassword); got != http.StatusServiceUnavailable {
		t.Errorf("logon = %d, want 503", got)
	}
	p := newPeer(t, h)
	if got := p.logon(hypervsim.DefaultUser, hypervsim.DefaultPassword); got != http.StatusOK {
		t.Errorf("logon = %d, want 200", got)
	}
	if r := p.send(getService()); r.status != http.StatusTeapot {
		t.Errorf("answer = %d, want 418", r.status)
	}
}

// recorder is a TB that only notes what RunT complains about.
type recorder struct {
	*testing.T
	cleanups []func()
	errors   []string
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// TestRunT_unusedRule fails a test whose rule never applied.
func TestRunT_unusedRule(t *testing.T) {
	t.Parallel()
	tb := &recorder{T: t}
	h := hypervsim.RunT(tb, hypervsim.WithoutListener())
	h.AddRule(hypervsim.Rule{Method: "Never", Effect: hypervsim.Hang()})
	for _, f := range tb.cleanups {
		f()
	}
	if len(tb.errors) != 1 || !strings.Contains(tb.errors[0], `method="Never"`) {
		t.Errorf("complaints = %q", tb.errors)
	}
	if _, err := h.Dial(t.Context(), "", ""); err == nil {
		t.Error("Dial succeeded after Close")
	}
}

// TestRequests_secrets: what looks like a secret is not kept.
func TestRequests_secrets(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	p.send(call("Anything", "<m:UserPassword>canary</m:UserPassword><m:Path>x</m:Path>"))
	if text := fmt.Sprintf("%+v", h.Requests()); strings.Contains(text, "canary") || !strings.Contains(text, "{Name:Path Value:x}") {
		t.Errorf("requests = %s", text)
	}
}

// TestLate: the work is done after the answer, in its own time, also for a client
// that has gone, and not by a host that ends before.
func TestLate(t *testing.T) {
	t.Parallel()
	timedOut := hypervsim.Fault(2150858793, hypervsim.FaultFormAny)
	tests := []struct {
		effect     hypervsim.Effect
		answered   time.Duration
		check      func(r response) bool
		begins     time.Duration
		closeFirst bool
	}{
		{hypervsim.Late(time.Minute, timedOut), 0, func(r response) bool { return r.code() == 2150858793 }, time.Minute, false},
		{hypervsim.Late(90*time.Second, hypervsim.Held(time.Minute, timedOut)), time.Minute, func(r response) bool { return r.code() == 2150858793 }, 90 * time.Second, false},
		{hypervsim.Late(time.Minute, hypervsim.ResetBefore()), 0, func(r response) bool { return r.err != nil }, time.Minute, false},
		{hypervsim.Late(time.Minute, hypervsim.Returns(32772)), 0, func(r response) bool { return strings.Contains(r.body, ">32772<") }, time.Minute, false},
		{hypervsim.Late(30*time.Second, hypervsim.Effect{}), 30 * time.Second, func(r response) bool { return strings.Contains(r.body, ">4096<") }, 30 * time.Second, false},
		{hypervsim.Late(30*time.Second, hypervsim.ResetAfter()), 30 * time.Second, func(r response) bool { return r.err != nil }, 30 * time.Second, false},
		{hypervsim.Held(time.Minute, hypervsim.ReturnsAfter(32771)), time.Minute, func(r response) bool { return strings.Contains(r.body, ">32771<") }, 0, false},
		{hypervsim.Late(time.Hour, timedOut), 0, func(r response) bool { return r.code() == 2150858793 }, 0, true},
	}
	for _, test := range tests {
		t.Run(test.effect.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h, p := loggedOn(t)
				h.AddRule(hypervsim.Rule{Method: compactMethod, Effect: test.effect})
				start := time.Now()
				if r := p.send(compactCall()); !test.check(r) || time.Since(start) != test.answered {
					t.Errorf("answer after %s = %d %v %s", time.Since(start), r.status, r.err, r.body)
				}
				if test.closeFirst {
					if err := h.Close(); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(test.begins - time.Since(start) - time.Millisecond)
				if test.answered < test.begins && len(h.Jobs()) != 0 {
					t.Errorf("the work began after %s", time.Since(start))
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if began := len(h.Jobs()) != 0; began == test.closeFirst {
					t.Errorf("the work began = %v after %s", began, time.Since(start))
				}
			})
		})
	}
}

// TestLate_hang: no answer is sent, and the work begins although the client has
// gone.
func TestLate_hang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, p := loggedOn(t)
		h.AddRule(hypervsim.Rule{Method: compactMethod, Effect: hypervsim.Late(time.Minute, hypervsim.Hang())})
		time.AfterFunc(time.Second, h.DropConnections)
		if r := p.send(compactCall()); r.err == nil || len(h.Jobs()) != 0 {
			t.Errorf("answer = %d, %v with %d jobs", r.status, r.err, len(h.Jobs()))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(h.Jobs()) != 1 {
			t.Errorf("%d jobs, want 1", len(h.Jobs()))
		}
	})
}

// TestRule_until: a rule can end by the clock of the host, and can be for one
// client.
func TestRule_until(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := newHost(t, hypervsim.WithClock(func() time.Time { return now }))
	h.AddRule(hypervsim.Rule{Operation: hypervsim.OperationHandshake, Times: -1, Until: now.Add(time.Minute), Effect: hypervsim.Unauthorized()})
	h.AddRule(hypervsim.Rule{Client: "other", Times: 1, Effect: hypervsim.Status(http.StatusTeapot)})
	if got := newPeer(t, h).logon(hypervsim.DefaultUser, hypervsim.DefaultPassword); got != http.StatusUnauthorized {
		t.Errorf("logon = %d, want 401", got)
	}
	now = now.Add(time.Minute)
	for _, test := range []struct {
		client string
		want   int
	}{{"one", http.StatusOK}, {"other", http.StatusTeapot}} {
		p := newPeerAs(t, h, test.client)
		if got := p.logon(hypervsim.DefaultUser, hypervsim.DefaultPassword); got != http.StatusOK {
			t.Errorf("logon = %d, want 200", got)
		}
		if r := p.send(getService()); r.status != test.want {
			t.Errorf("answer to %s = %d, want %d", test.client, r.status, test.want)
		}
	}
	for i, client := range []string{"one", "other"} {
		if got := h.Requests()[i].Client; got != client {
			t.Errorf("request %d is of %q, want %q", i, got, client)
		}
	}
}
