package hypervsim_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const (
	gib      = int64(1) << 30
	diskPath = `D:\VMs\データ & <logs>.vhdx`
)

// newClient connects the project's own client to a host, in memory.
func newClient(h *hypervsim.Host) (*wsman.Client, error) {
	return wsman.New(wsman.Config{
		Endpoint:  winrm.NewEndpoint(h.HostName(), h.Port(), false, false, nil, nil, nil, 0),
		Mechanism: secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword}),
		Dial:      h.Dial,
	})
}

func imageService() cim.Reference {
	return cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassImageManagementService,
		cim.Selector{Name: "CreationClassName", Value: cim.ClassImageManagementService})
}

// compaction asks for a compaction in mode Pretrimmed.
func compaction(path string) wsman.Invocation {
	return wsman.Invocation{
		Target: imageService(), Method: "CompactVirtualHardDisk",
		Params: []wsman.Param{{Name: "Path", Value: cim.Text(path)}, {Name: "Mode", Value: cim.Text("3")}},
	}
}

// compactOnce starts a compaction and polls its job to the end.
func compactOnce(ctx context.Context, c *wsman.Client, path string) (state string, polls int, err error) {
	out, err := c.Invoke(ctx, compaction(path))
	if err != nil {
		return "", 0, err
	}
	job, ok := out.Value("Job").Reference()
	if !ok {
		return "", 0, fmt.Errorf("no job: %v", out)
	}
	for ; ; polls++ {
		j, err := c.Get(ctx, job)
		if err != nil {
			return "", polls, err
		}
		if state, _ = j.String("JobState"); len(state) > 1 || state >= "7" {
			return state, polls, nil
		}
		select {
		case <-time.After(time.Minute):
		case <-ctx.Done():
			return "", polls, ctx.Err()
		}
	}
}

// TestHost_synctest runs client, NTLM, sealing and a long job in a bubble: hours
// pass at once, and no goroutine outlives the host.
func TestHost_synctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{
			Path: diskPath, FileSize: 10 * gib, ReclaimableUnmounted: 4 * gib, JobDuration: 3 * time.Hour,
		}))
		c, err := newClient(h)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		state, polls, err := compactOnce(t.Context(), c, diskPath)
		if err != nil || state != "7" {
			t.Fatalf("compactOnce(…) = %q, %v, want 7", state, err)
		}
		if elapsed := time.Since(start); elapsed < 3*time.Hour || elapsed > 4*time.Hour {
			t.Errorf("the job took %v, want 3 h", elapsed)
		}
		if v, _ := h.VHD(diskPath); v.FileSize != 6*gib {
			t.Errorf("size = %d, want %d", v.FileSize, 6*gib)
		}
		if got := h.Calls("CompactVirtualHardDisk"); got != 1 {
			t.Errorf("calls of CompactVirtualHardDisk = %d, want 1", got)
		}
		if got := len(h.Requests()); got != polls+2 {
			t.Errorf("requests = %d, want %d", got, polls+2)
		}
		if h.FailedLogons() != 0 || h.Logons() < 1 || h.Logons() != h.Connections() {
			t.Errorf("logons = %d, failed = %d, connections = %d", h.Logons(), h.FailedLogons(), h.Connections())
		}
	})
}

// TestHost_client lets the project's own client log on in every way, over
// sockets and in memory.
func TestHost_client(t *testing.T) {
	t.Parallel()
	mechanism := func(c *wsman.Config) {
		c.Mechanism = secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword})
	}
	tests := []struct {
		name string
		opts []hypervsim.Option
		set  func(c *wsman.Config)
	}{
		{"NTLM", nil, mechanism},
		{"NTLM and TLS", []hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}, mechanism},
		{"Basic", []hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithBasic()}, func(c *wsman.Config) {
			c.Basic = &wsman.BasicCredentials{User: "admin", Password: hypervsim.DefaultPassword}
		}},
	}
	for _, test := range tests {
		for _, memory := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, memory %v", test.name, memory), func(t *testing.T) {
				t.Parallel()
				opts := append([]hypervsim.Option{hypervsim.WithVHD(hypervsim.VHD{Path: diskPath})}, test.opts...)
				if memory {
					opts = append(opts, hypervsim.WithoutListener())
				}
				h := hypervsim.RunT(t, opts...)
				ca := h.CACertificate()
				cfg := wsman.Config{Endpoint: winrm.NewEndpoint(h.HostName(), h.Port(), ca != nil, false, ca, nil, nil, 0)}
				test.set(&cfg)
				if memory {
					cfg.Dial = h.Dial
				}
				c, err := wsman.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for range 3 {
					if _, err := c.Get(t.Context(), imageService()); err != nil {
						t.Fatal(err)
					}
				}
				items := 0
				for _, err := range c.Enumerate(t.Context(), wsman.Enumeration{
					ResourceURI: cim.ResourceURI(cim.NamespaceCIMv2, "*"),
					WQL:         `SELECT Name FROM CIM_DataFile WHERE Drive='D:'`,
				}) {
					if err != nil {
						t.Fatal(err)
					}
					items++
				}
				if items != 1 || h.Connections() != 1 || h.FailedLogons() != 0 {
					t.Errorf("items = %d, connections = %d, failed logons = %d", items, h.Connections(), h.FailedLogons())
				}
			})
		}
	}
}
