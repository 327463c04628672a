package attack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const disk = `D:\disk.vhdx`

// between puts m between a client and a simulated host.
func between(t *testing.T, m *mitm, options ...hypervsim.Option) (*hypervsim.Host, *wsman.Client) {
	t.Helper()
	h := hypervsim.RunT(t, append(options, hypervsim.WithVHD(hypervsim.VHD{Path: disk, FileSize: 10 << 30, ReclaimableUnmounted: 1 << 30}))...)
	m.upstream = address(h.Port())
	return h, newClient(t, winrm.NewEndpoint("127.0.0.1", m.start(t), false, false, nil, nil, nil, 0), ntlm(t, nil))
}

func newClient(t *testing.T, e *winrm.Endpoint, m secure.Mechanism) *wsman.Client {
	t.Helper()
	c, err := wsman.New(wsman.Config{Endpoint: e, Mechanism: m, MaxAnswer: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func service() cim.Reference {
	return cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassImageManagementService,
		cim.Selector{Name: "CreationClassName", Value: cim.ClassImageManagementService})
}

func get(ctx context.Context, c *wsman.Client) error {
	_, err := c.Get(ctx, service())
	return err
}

func compact(ctx context.Context, c *wsman.Client) error {
	_, err := c.Invoke(ctx, wsman.Invocation{
		Target: service(), Method: "CompactVirtualHardDisk",
		Params: []wsman.Param{{Name: "Path", Value: cim.Text(disk)}, {Name: "Mode", Value: cim.Text("3")}},
	})
	return err
}

// operations has one operation that may be repeated and one that may not.
var operations = map[string]func(context.Context, *wsman.Client) error{"get": get, "invoke": compact}

// checkQuiet fails the test if any message passed in the clear.
func checkQuiet(t *testing.T, m *mitm) {
	t.Helper()
	if n := m.leaks(); n > 0 {
		t.Errorf("%d messages passed in the clear", n)
	}
}

// A request in the clear is noticed; this provider sends none, so it is one of the WinRM library.
func TestLeaks(t *testing.T) {
	t.Parallel()
	m := &mitm{upstream: address(hypervsim.RunT(t).Port()), bypass: func(x *exchange) bool {
		x.answer(http.StatusUnauthorized, "", nil)
		x.response.Close = true // the library would keep the connection
		return true
	}}
	c, err := winrm.NewClient(winrm.NewEndpoint("127.0.0.1", m.start(t), false, false, nil, nil, nil, 0), "user", "password")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateShell(); err == nil || m.leaks() != 1 {
		t.Errorf("%d messages were noticed, and %v", m.leaks(), err)
	}
}

// Through a relay that changes nothing, everything works: the attacks below fail because they are
// attacks.
func TestNobody(t *testing.T) {
	t.Parallel()
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mitm{}
			_, c := between(t, m)
			for range 2 {
				if err := do(t.Context(), c); err != nil && name == "get" {
					t.Fatal(err)
				}
			}
			checkQuiet(t, m)
		})
	}
}

// A changed handshake is not completed.
func TestHandshakeChanged(t *testing.T) {
	t.Parallel()
	edits := map[string]func([]byte) []byte{
		"sealing cleared":             clearFlags(0x20),
		"sealing and signing cleared": clearFlags(0x30),
		"session security cleared":    clearFlags(0x80000),
		"128 bits cleared":            clearFlags(0x20000000),
		"key exchange cleared":        clearFlags(0x40000000),
		"timestamp removed":           removeTimestamp,
		"sealing and timestamp gone":  func(b []byte) []byte { return removeTimestamp(clearFlags(0x30)(b)) },
		"cut off":                     func(b []byte) []byte { return b[:40] },
	}
	for name, edit := range edits {
		for operation, do := range operations {
			t.Run(name+" "+operation, func(t *testing.T) {
				t.Parallel()
				m := &mitm{change: func(x *exchange) { x.challenge(edit) }}
				h, c := between(t, m)
				err := do(t.Context(), c)
				if !errors.Is(err, secure.ErrWeakContext) && !errors.Is(err, secure.ErrMalformed) {
					t.Errorf("%v, want ErrWeakContext", err)
				}
				if h.Logons() != 0 || len(h.Requests()) != 0 {
					t.Errorf("%d logons and %d messages", h.Logons(), len(h.Requests()))
				}
				checkQuiet(t, m)
			})
		}
	}
}

// The host notices a change to a part of the challenge that the client cannot check.
func TestMICProtectsHandshake(t *testing.T) {
	t.Parallel()
	// Neither side uses the flag for 56-bit keys; only the MIC covers it.
	m := &mitm{change: func(x *exchange) { x.challenge(func(b []byte) []byte { b[23] ^= 0x80; return b }) }}
	h, c := between(t, m)
	if err := get(t.Context(), c); !errors.Is(err, secure.ErrRejected) {
		t.Errorf("%v, want ErrRejected", err)
	}
	if h.Logons() != 0 {
		t.Errorf("%d logons", h.Logons())
	}
	checkQuiet(t, m)
}

// A host that appears to want a scheme other than Negotiate gets nothing.
func TestSchemeExchanged(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{`Basic realm="WSMAN"`, "NTLM", "CredSSP", ""} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			m := &mitm{bypass: func(x *exchange) bool {
				x.answer(http.StatusUnauthorized, "", nil)
				x.response.Header.Set("WWW-Authenticate", scheme)
				return true
			}}
			_, c := between(t, m)
			if err := get(t.Context(), c); err == nil {
				t.Error("no error")
			}
			for _, b := range m.seen {
				if len(b) > 0 {
					t.Errorf("a body of %d bytes passed", len(b))
				}
			}
		})
	}
}

// forgeries are answers to the second sealed message that the host did not give.
func forgeries() map[string]func(x *exchange, first []byte) {
	const soap = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><x/></s:Body></s:Envelope>`
	return map[string]func(x *exchange, first []byte){
		"in the clear":       func(x *exchange, _ []byte) { x.answer(200, secure.SOAPType, []byte(soap)) },
		"fault in the clear": func(x *exchange, _ []byte) { x.answer(500, secure.SOAPType, []byte(soap)) },
		"clear as sealed": func(x *exchange, _ []byte) {
			x.answer(200, secure.SealedContentType(secure.ProtocolSPNEGO), []byte(soap))
		},
		"unsealed in a sealed frame": func(x *exchange, _ []byte) {
			x.body = secure.EncodeSealed(secure.ProtocolSPNEGO, len(soap), nil, []byte(soap))
		},
		"signature of zeros": func(x *exchange, _ []byte) {
			x.body = secure.EncodeSealed(secure.ProtocolSPNEGO, len(soap), make([]byte, 16), []byte(soap))
		},
		"empty":                 func(x *exchange, _ []byte) { x.body = nil },
		"one bit changed":       func(x *exchange, _ []byte) { x.body[len(x.body)-40] ^= 1 },
		"checksum changed":      func(x *exchange, _ []byte) { x.body[bytes.Index(x.body, []byte("octet-stream"))+24] ^= 1 },
		"cut off":               func(x *exchange, _ []byte) { x.body = x.body[:len(x.body)-60] },
		"longer than stated":    func(x *exchange, _ []byte) { x.body = append(x.body, x.body...) },
		"another length stated": func(x *exchange, _ []byte) { x.body = bytes.Replace(x.body, []byte("Length="), []byte("Length=1"), 1) },
		"replayed":              func(x *exchange, first []byte) { x.body = first },
		"reflected":             func(x *exchange, _ []byte) { x.body = bytes.Clone(x.requestBody) },
		"too large":             func(x *exchange, _ []byte) { x.body = append(x.body, make([]byte, 2<<20)...) },
		"endless header": func(x *exchange, _ []byte) {
			x.response.Header.Set("X-Long", strings.Repeat("x", 1<<20))
		},
		"redirected": func(x *exchange, _ []byte) {
			x.answer(http.StatusTemporaryRedirect, "", nil)
			x.response.Header.Set("Location", "http://127.0.0.1:9/wsman")
		},
		"not found": func(x *exchange, _ []byte) { x.answer(http.StatusNotFound, "text/html", []byte("<html/>")) },
	}
}

// A forged answer is an error. If the message changes something, the error says that the outcome is
// unknown; the host has carried out the message, once.
func TestAnswerForged(t *testing.T) {
	t.Parallel()
	for name, forge := range forgeries() {
		for operation, do := range operations {
			t.Run(name+" "+operation, func(t *testing.T) {
				t.Parallel()
				var sealed atomic.Int32
				var first []byte // the answer to the first sealed message
				m := &mitm{change: func(x *exchange) {
					if !x.sealedRequest {
						return
					}
					switch sealed.Add(1) {
					case 1:
						first = bytes.Clone(x.body)
					case 2:
						forge(x, first)
					default: // a message that is sent again gets its proper answer
					}
				}}
				h, c := between(t, m)
				if err := get(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				err := do(t.Context(), c)
				switch operation {
				case "invoke":
					if _, ok := errors.AsType[*wsman.OutcomeError](err); !ok {
						t.Errorf("%v, want an OutcomeError", err)
					}
					if n := h.CompactionRequests(disk); n != 1 {
						t.Errorf("%d compactions, want 1", n)
					}
				default:
					// A read may be tried again, but its forged answer must not be believed.
					if err == nil && sealed.Load() < 3 {
						t.Error("the forged answer was believed")
					}
				}
				checkQuiet(t, m)
			})
		}
	}
}

// An attacker who passes a message on and then answers 401 does not make the client send it twice.
func TestRefusalForged(t *testing.T) {
	t.Parallel()
	for _, at := range []int32{1, 2} { // the first sealed message, and one on a context in use
		t.Run(fmt.Sprintf("message %d", at), func(t *testing.T) {
			t.Parallel()
			var sealed atomic.Int32
			m := &mitm{change: func(x *exchange) {
				if x.sealedRequest && sealed.Add(1) == at {
					x.answer(http.StatusUnauthorized, "", nil)
					x.response.Header.Set("WWW-Authenticate", "Negotiate")
				}
			}}
			h, c := between(t, m)
			if at == 2 {
				if err := get(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			err := compact(t.Context(), c)
			if _, ok := errors.AsType[*wsman.OutcomeError](err); !ok {
				t.Errorf("%v, want an OutcomeError", err)
			}
			if n := h.CompactionRequests(disk); n != 1 {
				t.Errorf("%d compactions, want 1", n)
			}
			checkQuiet(t, m)
		})
	}
}

// A message that is sent to the host a second time, or changed on its way, is refused.
func TestRequestForged(t *testing.T) {
	t.Parallel()
	changes := map[string]func(x *exchange, last []byte){
		"changed":  func(x *exchange, _ []byte) { x.requestBody[len(x.requestBody)-40] ^= 1 },
		"replayed": func(x *exchange, last []byte) { x.requestBody = last },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var last []byte
			var sealed int
			m := &mitm{before: func(x *exchange) {
				if !x.sealedRequest {
					return
				}
				if sealed++; sealed == 2 {
					change(x, last)
				}
				last = bytes.Clone(x.requestBody)
			}}
			h, c := between(t, m)
			if err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if err := compact(t.Context(), c); err == nil {
				t.Error("no error")
			}
			if n := h.CompactionRequests(disk); n != 0 {
				t.Errorf("%d compactions, want none", n)
			}
			checkQuiet(t, m)
		})
	}
}
