package wsman_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const diskPath = `D:\VMs\データ & <logs>.vhdx`

func disk() hypervsim.Option {
	return hypervsim.WithVHD(hypervsim.VHD{Path: diskPath, FileSize: 1 << 30, ReclaimableUnmounted: 1 << 20})
}

func imageService() cim.Reference { return compact("").Target }

func ntlm(password string) secure.Mechanism {
	return secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: password})
}

// simClient connects to a simulated host, in memory.
func simClient(t *testing.T, h *hypervsim.Host, change ...func(*wsman.Config)) *wsman.Client {
	t.Helper()
	cfg := wsman.Config{
		Endpoint:  &winrm.Endpoint{Host: h.HostName(), Port: h.Port()},
		Mechanism: ntlm(hypervsim.DefaultPassword),
		Dial:      h.Dial,
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := wsman.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Every kind of authentication against a host with its own acceptors, its own
// strict decoder and its own encoder.
func TestHostAuthentication(t *testing.T) {
	t.Parallel()
	https := func(h *hypervsim.Host) func(*wsman.Config) {
		return func(cfg *wsman.Config) { cfg.Endpoint.HTTPS, cfg.Endpoint.CACert = true, h.CACertificate() }
	}
	for name, tt := range map[string]struct {
		options []hypervsim.Option
		client  func(h *hypervsim.Host) func(*wsman.Config)
	}{
		"NTLM sealed on http": {nil, func(*hypervsim.Host) func(*wsman.Config) { return func(*wsman.Config) {} }},
		"NTLM on https":       {[]hypervsim.Option{hypervsim.WithTLS()}, https},
		"NTLM bound to the certificate": {
			[]hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}, https,
		},
		"NTLM sealed on unverified https": {
			[]hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()},
			func(*hypervsim.Host) func(*wsman.Config) {
				return func(cfg *wsman.Config) { cfg.Endpoint.HTTPS, cfg.Endpoint.Insecure = true, true }
			},
		},
		"Basic on https": {
			[]hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithBasic(), hypervsim.WithUser("backup", "pä:ss")},
			func(h *hypervsim.Host) func(*wsman.Config) {
				return func(cfg *wsman.Config) {
					https(h)(cfg)
					cfg.Mechanism, cfg.Basic = nil, &wsman.BasicCredentials{User: "backup", Password: "pä:ss"}
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hypervsim.RunT(t, append(tt.options, disk())...)
			c := simClient(t, h, tt.client(h))
			if i, err := c.Get(t.Context(), imageService()); err != nil || i.Class != cim.ClassImageManagementService {
				t.Fatalf("Get = %v, %v", i, err)
			}
			out, err := c.Invoke(t.Context(), compact(diskPath))
			if err != nil {
				t.Fatal(err)
			}
			job, ok := out.Value("Job").Reference()
			if n, _, err := out.Uint("ReturnValue", 32); n != 4096 || err != nil || !ok {
				t.Fatalf("ReturnValue = %d, %v, job %v", n, err, ok)
			}
			if i, err := c.Get(t.Context(), job); err != nil || i.Class != cim.ClassStorageJob {
				t.Errorf("Get = %v, %v", i, err)
			}
			if h.FailedLogons() != 0 || h.Connections() != 1 {
				t.Errorf("%d failed logons, %d connections; want 0, 1", h.FailedLogons(), h.Connections())
			}
			if v := h.Violations(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

func TestHostWrongPassword(t *testing.T) {
	t.Parallel()
	h := hypervsim.RunT(t, disk())
	c := simClient(t, h, func(cfg *wsman.Config) { cfg.Mechanism = ntlm("wrong") })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), imageService()); !errors.Is(err, secure.ErrRejected) {
				t.Errorf("Get = %v, want a rejection", err)
			}
		})
	}
	wg.Wait()
	if h.FailedLogons() != 1 {
		t.Errorf("%d failed logons, want 1", h.FailedLogons())
	}
}

func TestHostEnumerate(t *testing.T) {
	t.Parallel()
	disks := make([]hypervsim.VHD, 7)
	for i := range disks {
		disks[i].Path = `D:\` + strings.Repeat("x", i+1) + `.vhdx`
	}
	for name, options := range map[string][]hypervsim.Option{
		"in one answer":    nil,
		"in pages":         {hypervsim.WithMaxBatchItems(2)},
		"not optimised":    {hypervsim.WithPlainEnumeration(), hypervsim.WithMaxBatchItems(3)},
		"single item page": {hypervsim.WithSingleItemFirstPage()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hypervsim.RunT(t, append(options, hypervsim.WithVHD(disks...))...)
			for _, d := range disks {
				if err := h.Attach(d.Path, true); err != nil {
					t.Fatal(err)
				}
			}
			c := simClient(t, h)
			mounted := wsman.Enumeration{ResourceURI: cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassMountedStorageImage)}
			found := map[string]bool{}
			for i, err := range c.Enumerate(t.Context(), mounted) {
				if err != nil {
					t.Fatal(err)
				}
				path, _ := i.String("Name")
				found[path] = true
			}
			for _, d := range disks {
				if !found[d.Path] {
					t.Errorf("%s is missing", d.Path)
				}
			}
			if len(found) != len(disks) {
				t.Errorf("%d found, want %d", len(found), len(disks))
			}
			for range c.Enumerate(t.Context(), mounted) {
				break
			}
			if n := h.OpenEnumerations(); n != 0 {
				t.Errorf("%d enumerations left open, want 0", n)
			}
		})
	}
	t.Run("by query", func(t *testing.T) {
		t.Parallel()
		h := hypervsim.RunT(t, hypervsim.WithVHD(disks...), hypervsim.WithComputerName("HV1"))
		c := simClient(t, h)
		n := 0
		for i, err := range c.Enumerate(t.Context(), wsman.Enumeration{
			ResourceURI: cim.ResourceURI(cim.NamespaceVirtualizationV2, "*"),
			WQL:         "select * from Msvm_ImageManagementService",
		}) {
			if err != nil {
				t.Fatal(err)
			}
			if name, _ := i.String("Name"); name != "vhdsvc" {
				t.Errorf("Name = %q, want vhdsvc", name)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%d instances, want 1", n)
		}
	})
}

func TestHostFaultForms(t *testing.T) {
	t.Parallel()
	missing := jobReference("00000000-0000-0000-0000-000000000000")
	for _, form := range []hypervsim.FaultForm{
		hypervsim.FaultFormAny, hypervsim.FaultFormService, hypervsim.FaultFormProvider, hypervsim.FaultFormWMIError, hypervsim.FaultFormBare,
	} {
		t.Run(fmt.Sprint(form), func(t *testing.T) {
			t.Parallel()
			h := hypervsim.RunT(t, hypervsim.WithFaultForm(form), hypervsim.WithLocale("ja-JP"))
			_, err := simClient(t, h).Get(t.Context(), missing)
			var f *wsman.Fault
			if !errors.As(err, &f) || !f.IsSubcode("http://schemas.xmlsoap.org/ws/2004/08/addressing", "DestinationUnreachable") {
				t.Fatalf("Get = %v, want DestinationUnreachable", err)
			}
			if form != hypervsim.FaultFormBare && !f.Has(2150858752) {
				t.Errorf("codes %v lack 2150858752", f.Codes)
			}
		})
	}
}

// The misbehaviour of a host towards one request, and the outcome for a read
// and for an invocation. The invocation is never sent twice.
func TestHostMisbehaviour(t *testing.T) {
	t.Parallel()
	outcome := func(err error) bool { return errors.As(err, new(*wsman.OutcomeError)) }
	isNil := func(err error) bool { return err == nil }
	failed := func(err error) bool { return err != nil && !outcome(err) }
	for name, tt := range map[string]struct {
		effect hypervsim.Effect
		read   func(error) bool
		invoke func(error) bool
	}{
		"reset before the work":  {hypervsim.ResetBefore(), isNil, outcome},
		"reset after the work":   {hypervsim.ResetAfter(), isNil, outcome},
		"cut answer":             {hypervsim.CutAnswer(), isNil, outcome},
		"garbage":                {hypervsim.Garbage(), failed, outcome},
		"content type":           {hypervsim.ContentType("text/html"), failed, outcome},
		"401":                    {hypervsim.Unauthorized(), isNil, outcome},
		"wrong RelatesTo":        {hypervsim.WrongRelatesTo(), failed, outcome},
		"unsealed":               {hypervsim.Unsealed(), failed, outcome},
		"tampered":               {hypervsim.Tampered(), failed, outcome},
		"replayed":               {hypervsim.Replayed(), failed, outcome},
		"oversized":              {hypervsim.Oversized(2 << 20), failed, outcome},
		"hangs":                  {hypervsim.Hang(), isNil, outcome},
		"empty 500":              {hypervsim.Status(http.StatusInternalServerError), failed, outcome},
		"503":                    {hypervsim.Status(http.StatusServiceUnavailable), isNil, outcome},
		"quota":                  {hypervsim.Fault(2150859174, hypervsim.FaultFormAny), isNil, failed},
		"access denied":          {hypervsim.Fault(2150859013, hypervsim.FaultFormAny), failed, failed},
		"time-out":               {hypervsim.Fault(2150858793, hypervsim.FaultFormAny), isNil, outcome},
		"time-out after work":    {hypervsim.FaultAfter(2150858793, hypervsim.FaultFormAny), isNil, outcome},
		"success not reportable": {hypervsim.FaultAfter(2150858829, hypervsim.FaultFormAny), failed, outcome},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := hypervsim.RunT(t, hypervsim.WithoutListener(), disk())
				c := simClient(t, h, func(cfg *wsman.Config) {
					cfg.Endpoint.Host, cfg.Endpoint.Port = "hv1.example", 5985
					cfg.MaxAnswer = 1 << 20
				})
				if _, err := c.Get(t.Context(), imageService()); err != nil {
					t.Fatal(err)
				}
				h.AddRule(hypervsim.Rule{Operation: hypervsim.OperationGet, Effect: tt.effect})
				if _, err := c.Get(t.Context(), imageService()); !tt.read(err) {
					t.Errorf("Get = %v", err)
				}
				if len(h.UnusedRules()) > 0 {
					t.Fatalf("the rule was not met")
				}
				if _, err := c.Get(t.Context(), imageService()); err != nil {
					t.Fatalf("Get afterwards = %v", err)
				}
				h.AddRule(hypervsim.Rule{Operation: hypervsim.OperationInvoke, Effect: tt.effect})
				if _, err := c.Invoke(t.Context(), compact(diskPath)); !tt.invoke(err) {
					t.Errorf("Invoke = %v", err)
				}
				if n := h.Calls("CompactVirtualHardDisk"); n != 1 {
					t.Errorf("%d invocations reached the host, want 1", n)
				}
			})
		})
	}
}

func TestHostLongJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: diskPath, FileSize: 1 << 40, JobDuration: 5 * time.Hour}))
		c := simClient(t, h, func(cfg *wsman.Config) { cfg.Endpoint.Host, cfg.Endpoint.Port = "hv1.example", 5985 })
		out, err := c.Invoke(t.Context(), compact(diskPath))
		if err != nil {
			t.Fatal(err)
		}
		job, _ := out.Value("Job").Reference()
		polls := 0
		for ; ; polls++ {
			i, err := c.Get(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if state, _, _ := i.Uint("JobState", 16); state == 7 {
				break
			}
			time.Sleep(2 * time.Minute) // longer than a connection may be idle
		}
		if polls < 100 || h.Connections() != polls+1 {
			t.Errorf("%d polls on %d connections", polls, h.Connections())
		}
	})
}

func TestHostIdentify(t *testing.T) {
	t.Parallel()
	h := hypervsim.RunT(t, disk())
	c := simClient(t, h)
	id, err := c.Identify(t.Context())
	if err != nil || id.ProtocolVersion != "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" || id.ProductVersion == "" {
		t.Errorf("Identify = %+v, %v", id, err)
	}
	if _, err := c.Get(t.Context(), imageService()); err != nil || h.Connections() != 1 {
		t.Errorf("Get = %v on %d connections, want the same one", err, h.Connections())
	}
}
