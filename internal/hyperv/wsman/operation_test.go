package wsman_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// sequence answers one request after the other.
func sequence(answers ...func(r fakeRequest) fakeAnswer) func(r fakeRequest) fakeAnswer {
	next := make(chan func(r fakeRequest) fakeAnswer, len(answers))
	for _, a := range answers {
		next <- a
	}
	return func(r fakeRequest) fakeAnswer { return (<-next)(r) }
}

func enumerateResponse(body string) func(r fakeRequest) fakeAnswer {
	return func(r fakeRequest) fakeAnswer {
		return fakeAnswer{soap: envelope(r.id, `<n:EnumerateResponse>`+body+`</n:EnumerateResponse>`)}
	}
}

func pullResponse(body string) func(r fakeRequest) fakeAnswer {
	return func(r fakeRequest) fakeAnswer {
		return fakeAnswer{soap: envelope(r.id, `<n:PullResponse>`+body+`</n:PullResponse>`)}
	}
}

func faultWith(subcode string, code uint32) func(r fakeRequest) fakeAnswer {
	return func(r fakeRequest) fakeAnswer { return fault(r.id, subcode, code) }
}

func lostAnswer(fakeRequest) fakeAnswer { return fakeAnswer{drop: true} }

func items(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, `<c:C xmlns:c="urn:c"><c:Name>%s</c:Name></c:C>`, n)
	}
	return b.String()
}

func TestEnumerate(t *testing.T) {
	t.Parallel()
	const c1, c2 = `<n:EnumerationContext>one</n:EnumerationContext>`, `<n:EnumerationContext>two</n:EnumerationContext>`
	for name, tt := range map[string]struct {
		host     []func(r fakeRequest) fakeAnswer
		take     int // instances wanted; all if zero
		want     string
		fails    bool
		requests string // one letter each
	}{
		"in one answer": {
			host: []func(r fakeRequest) fakeAnswer{enumerateResponse(`<n:EnumerationContext/><w:Items>` + items("a", "b") + `</w:Items><w:EndOfSequence/>`)},
			want: "a b", requests: "E",
		},
		"an end beside a context": {
			host: []func(r fakeRequest) fakeAnswer{enumerateResponse(c1 + `<w:Items>` + items("a") + `</w:Items><n:EndOfSequence/>`)},
			want: "a", requests: "E",
		},
		"in pages": {
			host: []func(r fakeRequest) fakeAnswer{
				enumerateResponse(c1 + `<w:Items>` + items("a") + `</w:Items>`),
				pullResponse(c2 + `<n:Items>` + items("b", "c") + `</n:Items>`),
				pullResponse(`<n:Items/>`),
				pullResponse(``),
				pullResponse(`<n:Items>` + items("d") + `</n:Items><n:EndOfSequence/>`),
			},
			want: "a b c d", requests: "E P:one P:two P:two P:two",
		},
		"abandoned": {
			host: []func(r fakeRequest) fakeAnswer{
				enumerateResponse(c1 + `<w:Items>` + items("a", "b") + `</w:Items>`),
				pullResponse(c2 + `<n:Items>` + items("c", "d") + `</n:Items>`),
				pullResponse(``),
			},
			take: 3, want: "a b c", requests: "E P:one R:two",
		},
		"abandoned at its end": {
			host: []func(r fakeRequest) fakeAnswer{enumerateResponse(c1 + `<w:Items>` + items("a", "b") + `</w:Items><w:EndOfSequence/>`)},
			take: 1, want: "a", requests: "E",
		},
		"a busy host": {
			host: []func(r fakeRequest) fakeAnswer{
				faultWith("w:QuotaLimit", 2150859174),
				enumerateResponse(c1),
				faultWith("w:TimedOut", 2150858780),
				pullResponse(`<n:Items>` + items("a") + `</n:Items><n:EndOfSequence/>`),
			},
			want: "a", requests: "E E P:one P:one",
		},
		"a page lost": {
			host: []func(r fakeRequest) fakeAnswer{
				enumerateResponse(c1 + `<w:Items>` + items("a") + `</w:Items>`), lostAnswer, pullResponse(``),
			},
			want: "a", fails: true, requests: "E P:one R:one",
		},
		"expired": {
			host: []func(r fakeRequest) fakeAnswer{
				enumerateResponse(c1 + `<w:Items>` + items("a") + `</w:Items>`), faultWith("n:InvalidEnumerationContext", 2150858779),
			},
			want: "a", fails: true, requests: "E P:one",
		},
		"without a way on": {
			host:  []func(r fakeRequest) fakeAnswer{enumerateResponse(`<w:Items>` + items("a") + `</w:Items>`)},
			fails: true, requests: "E",
		},
		"refused": {
			host:  []func(r fakeRequest) fakeAnswer{faultWith("w:AccessDenied", 5)},
			fails: true, requests: "E",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newFakeHost(t, sequence(tt.host...))
				h.start()
				c := h.client()
				var got []string
				var failed error
				for i, err := range c.Enumerate(t.Context(), wsman.Enumeration{ResourceURI: "urn:c"}) {
					if err != nil {
						failed = err
						continue
					}
					n, _ := i.String("Name")
					if got = append(got, n); len(got) == tt.take {
						break
					}
				}
				if strings.Join(got, " ") != tt.want || (failed != nil) != tt.fails {
					t.Errorf("Enumerate = %q, %v; want %q, error %v", got, failed, tt.want, tt.fails)
				}
				if requests := strings.Join(h.kinds(), " "); requests != tt.requests {
					t.Errorf("requests %q, want %q", requests, tt.requests)
				}
			})
		})
	}
}

// kinds names the enumeration requests that the host saw.
func (h *fakeHost) kinds() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var kinds []string
	for _, r := range h.requests {
		_, after, _ := strings.Cut(r, "EnumerationContext>")
		context, _, _ := strings.Cut(after, "<")
		switch {
		case strings.Contains(r, "enumeration/Enumerate<"):
			kinds = append(kinds, "E")
		case strings.Contains(r, "enumeration/Pull<"):
			kinds = append(kinds, "P:"+context)
		case strings.Contains(r, "enumeration/Release<"):
			kinds = append(kinds, "R:"+context)
		}
	}
	return kinds
}

func TestEnumerateEndlessEmptyPages(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
		if strings.Contains(r.soap, "enumeration/Enumerate<") {
			return enumerateResponse(`<n:EnumerationContext>c</n:EnumerationContext>`)(r)
		}
		return pullResponse(`<n:Items/>`)(r)
	})
	h.start()
	if err := drain(t.Context(), h.client(), wsman.Enumeration{ResourceURI: "urn:c"}); !errors.As(err, new(*wsman.DecodeError)) {
		t.Errorf("Enumerate = %v, want a DecodeError", err)
	}
}

func TestInvokeOutput(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		ok   bool
	}{
		"Windows":        {`<p:CompactVirtualHardDisk_OUTPUT xmlns:p="urn:p"><p:Job xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/><p:ReturnValue>4096</p:ReturnValue></p:CompactVirtualHardDisk_OUTPUT>`, true},
		"another server": {`<p:CompactVirtualHardDisk xmlns:p="urn:other"><p:ReturnValue>4096</p:ReturnValue></p:CompactVirtualHardDisk>`, true},
		"nothing":        {``, false},
		"something else": {`<p:Other_OUTPUT xmlns:p="urn:p"><p:ReturnValue>4096</p:ReturnValue></p:Other_OUTPUT>`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHost(t, func(r fakeRequest) fakeAnswer { return fakeAnswer{soap: envelope(r.id, tt.body)} })
			h.start()
			out, err := h.client().Invoke(t.Context(), compact("x"))
			if !tt.ok {
				if !errors.As(err, new(*wsman.OutcomeError)) || !errors.As(err, new(*wsman.DecodeError)) {
					t.Errorf("Invoke = %v, want a DecodeError with an open outcome", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n, _, err := out.Uint("ReturnValue", 32); n != 4096 || err != nil || !out.Value("Job").IsNull() {
				t.Errorf("ReturnValue = %d, %v", n, err)
			}
		})
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, func(fakeRequest) fakeAnswer { return fakeAnswer{status: 503, clear: true, content: "text/html"} })
		h.start()
		c := h.client()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := c.Get(ctx, jobReference("1"))
		if !isHTTPError(err, 503) || time.Since(start) != 100*time.Millisecond || h.seen("") != 1 {
			t.Errorf("Get = %v after %v, want the 503 after 100ms", err, time.Since(start))
		}
	})
}

func TestTrace(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: wsman.LevelTrace}))
	p := newKeyPair(t, "hv1.example")
	h := newFakeHost(t, echo)
	h.open, h.header = true, "Basic YWRtaW46Y2FuYXJ5"
	h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
	credentials := &wsman.BasicCredentials{User: "admin", Password: "canary"}
	c := h.client(https(p), func(cfg *wsman.Config) { cfg.Mechanism, cfg.Basic, cfg.Logger = nil, credentials, logger })
	mustGet(t.Context(), t, c, "JOB-1")
	logger.Info("credentials", "basic", credentials, "value", *credentials, "text", fmt.Sprintf("%v %+v %#v %s", credentials, *credentials, *credentials, credentials))
	log := text.String()
	for _, want := range []string{`"operation":"get"`, `"class":"Msvm_StorageJob"`, `"message_id":"uuid:`, `"status":200`, `"duration":`, "JOB-1", "JobState"} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
	for _, secret := range []string{"canary", "YWRtaW46Y2FuYXJ5", "Authorization"} {
		if strings.Contains(log, secret) {
			t.Errorf("log holds %s:\n%s", secret, log)
		}
	}
	text.Reset()
	quiet := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c = h.client(https(p), func(cfg *wsman.Config) { cfg.Mechanism, cfg.Basic, cfg.Logger = nil, credentials, quiet })
	mustGet(t.Context(), t, c, "JOB-2")
	if n := strings.Count(text.String(), "\n"); n != 1 || strings.Contains(text.String(), "JOB-2") {
		t.Errorf("%d lines at level Debug, want 1 without the envelope:\n%s", n, text.String())
	}
}

func TestReferencesAreFollowedVerbatim(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.start()
	ref := cim.Reference{ResourceURI: "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Msvm_StorageJob", Selectors: []cim.Selector{
		{Name: "__cimnamespace", Value: `root/virtualization/v2`}, {Name: "InstanceID", Value: "x"}, {Name: "A", Value: ""},
	}}
	if _, err := h.client().Get(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.IndexFunc(h.requests, func(r string) bool {
		return strings.Contains(r, `Name="__cimnamespace">root/virtualization/v2<`) && strings.Contains(r, `Name="InstanceID">x<`) && strings.Contains(r, `Name="A"/>`)
	}); i < 0 {
		t.Errorf("requests %q", h.requests)
	}
}

func BenchmarkGet(b *testing.B) {
	h := newFakeHost(b, func(r fakeRequest) fakeAnswer { return job(r, "4") })
	h.start()
	c := h.client()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(b.Context(), jobReference("3F8C2E11-AAAA-BBBB-CCCC-000011112222")); err != nil {
			b.Fatal(err)
		}
	}
	s := c.Stats()
	b.ReportMetric(float64(s.BytesSent)/float64(s.Exchanges), "sent-B/exchange")
}
