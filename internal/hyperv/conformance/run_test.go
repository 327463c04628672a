package conformance_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// only returns the finding about one claim.
func only(t *testing.T, r *conformance.Report, id string) conformance.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no finding about %s", id)
	return conformance.Finding{}
}

// TestInterrupted: whenever the run ends, and whatever answer is lost, nothing
// stays on the host.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"CreateVirtualHardDisk", "CompactVirtualHardDisk", "AttachVirtualHardDisk", "DetachVirtualHardDisk", "RequestStateChange", "Delete"} {
		for _, skip := range []int{0, 1} {
			for effect, e := range sample.EveryNamed(5, map[string]hypervsim.Effect{
				"interrupt": {}, "lost answer": hypervsim.ResetAfter(), "lost request": hypervsim.ResetBefore(),
				"fault": hypervsim.FaultAfter(2150858793, hypervsim.FaultFormAny), "garbage": hypervsim.Garbage(),
			}) {
				t.Run(fmt.Sprintf("%s %d %s", method, skip, effect), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
						ctx, cancel := context.WithCancel(t.Context())
						defer cancel()
						rule := hypervsim.Rule{Method: method, Skip: skip, Effect: e}
						if effect == "interrupt" {
							rule.Func = func(hypervsim.Request) { cancel() }
						}
						sim.AddRule(rule)
						o := options(sim, ".vhdx")
						o.Only = []string{"create-disk", "create-existing", "delete-file", "compact-attached-read-only", "compact-in-use", "compact-twice", "cancel-answer", "state-change-ended-job"}
						r, err := conformance.Run(ctx, o)
						if r == nil {
							t.Fatal(err)
						}
						if effect == "interrupt" && !errors.Is(err, context.Canceled) {
							t.Errorf("Run() = %v, want canceled", err)
						}
						emptyHanded(t, sim)
						if _, ok := sim.VHD(diskPath(".vhdx")); !ok {
							t.Error("the disk of the user is gone")
						}
					})
				})
			}
		}
	}
}

// TestLeftBehind: a file that cannot be removed is reported, in the error with
// its name and in the report without.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
		sim.AddRule(hypervsim.Rule{Method: "Delete", Times: -1, Effect: hypervsim.Fault(2147749891, hypervsim.FaultFormAny)})
		o := options(sim, ".vhdx")
		o.Only = []string{"create-disk"}
		r, err := conformance.Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), scratch+`\hyperv-conformance-`) {
			t.Errorf("Run() = %v, want the name of the file", err)
		}
		if !r.LeftBehind || !strings.Contains(r.Text(), "still be on the host") {
			t.Error("the report does not tell")
		}
	})
}

// TestReadOnly: without permission nothing is created, attached or compacted.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
		o := options(sim, ".vhdx")
		o.Write = false
		if _, err := conformance.Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		for _, q := range sim.Requests() {
			switch q.Method {
			case "", "GetVirtualHardDiskState", "GetVirtualHardDiskSettingData", "FindMountedStorageImageInstance", "HypervConformanceNone":
			default:
				t.Errorf("%s was called", q.Method)
			}
		}
		if sim.Calls("GetVirtualHardDiskState") == 0 {
			t.Error("nothing was asked")
		}
	})
}

// TestRefusedLogon: a wrong password is sent once.
func TestRefusedLogon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
		o := options(sim, ".vhdx")
		o.Config.Password = "wrong"
		r, err := conformance.Run(t.Context(), o)
		if err == nil || sim.FailedLogons() != 1 {
			t.Errorf("Run() = %v, %d failed logons, want 1", err, sim.FailedLogons())
		}
		if n := r.Summary[conformance.NotTested]; n != len(r.Findings) {
			t.Errorf("%d of %d not tested", n, len(r.Findings))
		}
	})
}

// TestLeak: a name that gets into a file all the same is found there, and no
// file is left.
func TestLeak(t *testing.T) {
	t.Parallel()
	const id = "5d3c7a10-9be4-4f0d-8a61-c2e7f4b81d93"
	for name, spoil := range map[string]func(r *conformance.Report){
		"identifier": func(r *conformance.Report) { r.Findings[0].Seen = "it is {" + strings.ToUpper(id) + "}" },
		"identifier behind another": func(r *conformance.Report) {
			r.Findings[0].Seen = "00000000-0000-0000-0000-0000" + id
		},
		"password": func(r *conformance.Report) { r.Findings[0].Seen = "it is " + canaryPassword },
		"user":     func(r *conformance.Report) { r.Kit = strings.ToUpper(canaryUser) },
		"computer": func(r *conformance.Report) { r.Host.WindowsVersion = canaryComputer },
		"path":     func(r *conformance.Report) { r.Findings[0].Why = diskPath(".vhdx") },
		"none":     func(*conformance.Report) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
			if err := sim.Change(diskPath(".vhdx"), func(v *hypervsim.VHD) { v.VirtualDiskID = id }); err != nil {
				t.Fatal(err)
			}
			o := options(sim, ".vhdx")
			o.Only = []string{"inspection-properties", "file-classes-get-by-name"}
			r, err := conformance.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			spoil(r)
			dir := t.TempDir()
			err = r.Write(dir)
			var leak *conformance.LeakError
			if errors.As(err, &leak) == (name == "none") {
				t.Errorf("Write() = %v", err)
			}
			if err != nil && strings.Contains(strings.ToLower(err.Error()), "canary") {
				t.Errorf("the error repeats it: %v", err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || (len(files) == 0) == (name == "none") {
				t.Errorf("files %v, %v", files, err)
			}
		})
	}
}

// TestStrangers: a server that is no Hyper-V host neither ends a run early nor
// breaks it.
func TestStrangers(t *testing.T) {
	t.Parallel()
	soap := func(body string) string {
		return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>` + body + `</s:Body></s:Envelope>`
	}
	for name, tc := range sample.EveryNamed(5, map[string]struct {
		status int
		media  string
		body   string
	}{
		"nothing":             {200, "application/soap+xml", ""},
		"no body":             {500, "application/soap+xml", ""},
		"no XML":              {200, "application/soap+xml", "\x00\xff<"},
		"a web page":          {200, "text/html", "<html><body>hello</body></html>"},
		"an empty envelope":   {200, "application/soap+xml", soap("")},
		"a bare fault":        {500, "application/soap+xml", soap("<s:Fault/>")},
		"a fault with status": {200, "application/soap+xml", soap("<s:Fault><s:Code><s:Value>nonsense</s:Value></s:Code><s:Detail><x Code='a'/></s:Detail></s:Fault>")},
		"deep":                {200, "application/soap+xml", soap(strings.Repeat("<a>", 20000) + strings.Repeat("</a>", 20000))},
		"names and numbers":   {200, "application/soap+xml", soap(`<p:GetVirtualHardDiskState_OUTPUT xmlns:p="x"><p:ReturnValue>-1</p:ReturnValue><p:Job/></p:GetVirtualHardDiskState_OUTPUT>`)},
		"an endless listing":  {200, "application/soap+xml", soap(`<n:EnumerateResponse xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><n:EnumerationContext>1</n:EnumerationContext></n:EnumerateResponse>`)},
		"busy":                {503, "text/plain", "later"},
		"moved":               {302, "text/plain", ""},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.media)
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			t.Cleanup(server.Close)
			ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
			defer stop()
			r, err := conformance.Run(ctx, strangerOptions(t, server))
			if r == nil {
				t.Fatal(err)
			}
			for _, f := range r.Findings {
				if f.Why == "a mistake in the kit" {
					t.Errorf("%s: %s", f.ID, f.Why)
				}
			}
			if n := r.Summary[conformance.Held]; n > 4 {
				t.Errorf("%d claims held: %s", n, r.Text())
			}
			if err := r.Write(t.TempDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

func strangerOptions(t *testing.T, server *httptest.Server) conformance.Options {
	t.Helper()
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Options{
		Host: host, Disk: diskPath(".vhdx"), Write: true, Scratch: scratch, Version: "test",
		Config: hyperv.Config{
			Auth: hyperv.AuthBasic, HTTPS: true, Username: canaryUser, Password: canaryPassword, Port: number, RequestTimeout: time.Second,
			CACertificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		},
	}
}

// TestOtherForms: findings about a server that uses other permitted forms than
// Windows are true, and it is left clean.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	forms := []breakage{
		without(`<a:RelatesTo>[^<]*</a:RelatesTo>`), swap("_OUTPUT", ""), swap(">true<", ">TRUE<"), swap(">false<", ">FALSE<"),
		swap("<cim:Interval>", ""), swap("</cim:Interval>", ""), swap("w:EndOfSequence", "n:EndOfSequence"), swap("w:Items", "n:Items"),
		without(`<s:Detail>.*</s:Detail>`),
	}
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, proxied()...)
		r, err := conformance.Run(t.Context(), proxy(t, sim, func(r *reply) {
			for _, f := range forms {
				f(r)
			}
		}))
		if r == nil {
			t.Fatal(err)
		}
		for _, id := range []string{"relates-to", "dead-job", "enumeration-optimized"} {
			if f := only(t, r, id); f.Result != conformance.Contradicted {
				t.Errorf("%s: %s: %s%s", id, f.Result, f.Seen, f.Why)
			}
		}
		emptyHanded(t, sim)
		if _, err := os.Stat("recordings.json"); err == nil {
			t.Error("a file was written that nobody asked for")
		}
	})
}
