package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// rewrite replaces what matches in the answers to requests that hold a text.
func rewrite(asked, pattern, to string) breakage {
	re := regexp.MustCompile(pattern)
	return asks(asked, func(r *reply) { r.body = re.ReplaceAllString(r.body, to) })
}

// brokenMachines are hosts that contradict the claims about machines and accounts
// by other answers.
var brokenMachines = map[string]breakage{
	"service-system-name":    rewrite("Msvm_ImageManagementService", `<p:SystemName>[^<]*`, "<p:SystemName>ANOTHER"),
	"own-computer-system":    rewrite("Msvm_ComputerSystem", `<p:Name>CANARYHOST<`, "<p:Name>CANARYANOTHER<"),
	"state-number-running":   swapFor("Msvm_ComputerSystem", "<p:EnabledState>2<", "<p:EnabledState>5<"),
	"state-number-off":       swapFor("Msvm_ComputerSystem", "<p:EnabledState>3<", "<p:EnabledState>2<"),
	"state-number-saved":     swapFor("Msvm_ComputerSystem", "<p:EnabledState>6<", "<p:EnabledState>32769<"),
	"state-number-paused":    swapFor("Msvm_ComputerSystem", "<p:EnabledState>9<", "<p:EnabledState>32768<"),
	"machine-disk-named":     swapFor("Msvm_StorageAllocationSettingData", "HostResource", "HostResources"),
	"checkpoint-kind":        swap("Snapshot:Realized", "Snapshot:Recovery"),
	"checkpoint-disks":       swapFor("GetVirtualHardDiskSettingData", "ParentPath", "ParentsPath"),
	"replication-mode-none":  swapFor("Msvm_ComputerSystem", "<p:ReplicationMode>0<", "<p:ReplicationMode>1<"),
	"notes-unset":            rewrite("Msvm_VirtualSystemSettingData", `<p:Notes xsi:nil="true"\s*/>`, "<p:Notes>something</p:Notes>"),
	"inspect-running":        asks("running.vhdx", returns("GetVirtualHardDiskState", 32768)),
	"inspect-saved":          asks("saved.vhdx", returns("GetVirtualHardDiskState", 32768)),
	"compact-running":        asks("running.vhdx", returns("CompactVirtualHardDisk", 0)),
	"job-owner":              rewrite("", `<p:Owner>[^<]*`, `<p:Owner>NT AUTHORITY\SYSTEM`),
	"inspect-attached":       afterAttach(),
	"attachment-name":        spelledAsAsked(),
	"attached-device-path":   swapFor("MSFT_Disk", "<p:Path>", "<p:Path>x"),
	"partition-access-paths": rewrite("MSFT_Partition", `<p:AccessPaths>\\\\\?\\Volume[^<]*`, `<p:AccessPaths>F:\`),
	"too-large-code":         swapFor(">8192<", "2150858824", "2150858825"),
}

// afterAttach makes inspections of a disk fail while it is attached.
func afterAttach() breakage {
	var attached bool
	return func(r *reply) {
		attached = attached || strings.Contains(r.request, "AttachVirtualHardDisk_INPUT")
		attached = attached && !strings.Contains(r.request, "/DetachVirtualHardDisk<")
		if attached {
			returns("GetVirtualHardDiskState", 32768)(r)
		}
	}
}

// spelledAsAsked lists attached disks by the path that was asked for.
func spelledAsAsked() breakage {
	asked := regexp.MustCompile(`AttachVirtualHardDisk_INPUT.*<p:Path>([^<]*)`)
	name := regexp.MustCompile(`(<p:Msvm_MountedStorageImage .*?<p:Name>)[^<]*`)
	var path string
	return func(r *reply) {
		if m := asked.FindStringSubmatch(strings.ReplaceAll(r.request, "\n", "")); m != nil {
			path = m[1]
		}
		r.body = name.ReplaceAllString(r.body, "${1}"+strings.ReplaceAll(path, "$", "$$"))
	}
}

// luns gives attached disks other numbers, in both directions.
func luns(number func(lun string, detached bool) string) singleClaim {
	var mu sync.Mutex
	detached := false
	back := map[string]string{}
	form := regexp.MustCompile(`(<p:Lun>|Name="Lun">)(\d+)`)
	replace := func(text string, of func(string) string) string {
		return form.ReplaceAllStringFunc(text, func(s string) string {
			m := form.FindStringSubmatch(s)
			return m[1] + of(m[2])
		})
	}
	return singleClaim{
		answer: func(r *reply) {
			mu.Lock()
			defer mu.Unlock()
			r.body = replace(r.body, func(lun string) string {
				other := number(lun, detached)
				back[other] = lun
				return other
			})
		},
		ask: func(request string) (string, *reply) {
			mu.Lock()
			defer mu.Unlock()
			detached = detached || strings.Contains(request, "/DetachVirtualHardDisk<")
			return replace(request, func(lun string) string {
				if own, ok := back[lun]; ok {
					return own
				}
				return lun
			}), nil
		},
	}
}

// adjusted is a host that is asked with other options.
func adjusted(adjust func(*conformance.Options), opts ...hypervsim.Option) singleClaim {
	return singleClaim{opts: opts, adjust: func(_ *testing.T, o *conformance.Options) { adjust(o) }}
}

func withRights(rights conformance.Rights, opts ...hypervsim.Option) singleClaim {
	return adjusted(func(o *conformance.Options) { o.Rights = rights }, opts...)
}

// brokenSetup are hosts that were set up differently.
var brokenSetup = map[string]singleClaim{
	"filtered-token-refused": adjusted(func(o *conformance.Options) { *o.Fixtures.FilteredTokenRefused = false }),
	"plug-in-quota": adjusted(func(o *conformance.Options) {
		o.Fixtures.PlugIn = strings.Replace(o.Fixtures.PlugIn, `"15"`, `"100"`, 1)
	}),
	"plug-in-remote-management": adjusted(func(o *conformance.Options) {
		o.Fixtures.PlugIn = strings.Replace(o.Fixtures.PlugIn, "(A;;GA;;;RM)", "", 1)
	}),
	"idle-connection":             {opts: []hypervsim.Option{hypervsim.WithIdleTimeout(time.Minute)}},
	"storage-jobs-of-other-users": withRights(conformance.RightsBoth),
	"rights-remote-management":    withRights(conformance.RightsRemoteManagement),
	"rights-hyper-v":              withRights(conformance.RightsHyperV),
	"rights-both":                 asMember(conformance.RightsBoth, hypervsim.RemoteManagementUsers),
	"rights-namespace":            asMember(conformance.RightsNamespace, hypervsim.HyperVAdministrators),
	"rights-root":                 asMember(conformance.RightsRoot),
	"binding-missing-refused":     overTLS(hypervsim.WithTLS()),
	"binding-wrong-refused":       terminated(nil),
	"utf16-answer": terminated(func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte("E\x00n\x00v\x00e\x00"), []byte("e\x00N\x00V\x00E\x00"))
	}),
	"attached-lun-order": luns(func(lun string, _ bool) string { return map[string]string{"0": "9", "1": "4"}[lun] }),
	"address-reuse": luns(func(lun string, detached bool) string {
		if detached && lun == "0" {
			return "7"
		}
		return lun
	}),
}

const memberName, memberPassword = `canary.member`, "canary of a member"

// asMember asks with an account that is a member of groups only. None of its logons is refused; its
// rights are a separate matter.
func asMember(rights conformance.Rights, groups ...hypervsim.Group) singleClaim {
	return adjusted(func(o *conformance.Options) {
		o.Rights = rights
		o.Config.Username, o.Config.Password = canaryDomain+`\`+memberName, memberPassword
	}, hypervsim.WithMember(canaryDomain+`\`+memberName, memberPassword, groups...))
}

// overTLS asks over https, without message sealing.
func overTLS(opts ...hypervsim.Option) singleClaim {
	return singleClaim{opts: opts, adjust: func(_ *testing.T, o *conformance.Options) { o.Config.HTTPS, o.Config.Insecure = true, true }}
}

// terminated asks over a TLS connection that ends in front of the host, which
// therefore knows nothing of a channel binding. The function change gets what
// the host sends.
func terminated(change func([]byte) []byte) singleClaim {
	return singleClaim{
		opts: []hypervsim.Option{hypervsim.WithAllowUnencrypted(true)},
		adjust: func(t *testing.T, o *conformance.Options) {
			t.Helper()
			// Only its certificate is needed.
			server := httptest.NewUnstartedServer(nil)
			_ = server.Listener.Close()
			server.Listener = newPipe()
			server.StartTLS()
			t.Cleanup(server.Close)
			dial := o.Config.Dial
			o.Config.HTTPS, o.Host, o.Config.Port = true, proxyName, 0
			o.Config.CACertificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			o.Config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				behind, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				client, front := net.Pipe()
				go splice(tls.Server(front, server.TLS.Clone()), behind, change)
				return client, nil
			}
		},
	}
}

// splice carries what comes from either end to the other until one closes.
func splice(front, behind net.Conn, change func([]byte) []byte) {
	go func() {
		_, _ = io.Copy(behind, front)
		_ = behind.Close()
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := behind.Read(buffer)
		b := buffer[:n]
		if change != nil {
			b = change(b)
		}
		if _, failed := front.Write(b); err != nil || failed != nil {
			_ = front.Close()
			return
		}
	}
}

// TestSetUps: claims about hosts that are set up in a certain way, and of
// accounts with certain rights.
func TestSetUps(t *testing.T) {
	t.Parallel()
	const held, notTested = conformance.Held, conformance.NotTested
	strict := []hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}
	plain := func(o *conformance.Options) { o.Fixtures = nil }
	is := func(id string, want conformance.Result, r singleClaim) singleClaim {
		r.id, r.want = id, want
		return r
	}
	refused := func(r singleClaim) singleClaim {
		r.refused = 1
		return r
	}
	both := []hypervsim.Group{hypervsim.RemoteManagementUsers, hypervsim.HyperVAdministrators}
	for name, r := range sample.EveryNamed(4, map[string]singleClaim{
		"wrong binding":            is("binding-wrong-refused", held, refused(overTLS(strict...))),
		"missing binding":          is("binding-missing-refused", held, refused(overTLS(strict...))),
		"binding without fixtures": is("binding-wrong-refused", notTested, adjusted(func(o *conformance.Options) { o.Config.HTTPS, o.Config.Insecure, o.Fixtures = true, true, nil }, strict...)),
		"binding, not known to be demanded": is("binding-missing-refused", notTested, adjusted(func(o *conformance.Options) {
			o.Config.HTTPS, o.Config.Insecure, o.Fixtures.ChannelBinding = true, true, ""
		}, strict...)),
		"binding over http":              is("binding-wrong-refused", notTested, singleClaim{}),
		"UTF-16":                         is("utf16-answer", held, overTLS(strict...)),
		"no set-up has tried a logon":    is("filtered-token-refused", notTested, adjusted(plain)),
		"no set-up has read the plug-in": is("plug-in-quota", notTested, adjusted(plain)),
		"the plug-in is no XML":          is("plug-in-remote-management", notTested, adjusted(func(o *conformance.Options) { o.Fixtures.PlugIn = "none" })),
		"idle without fixtures":          is("idle-connection", notTested, adjusted(plain)),
		"idle for ever":                  is("idle-connection", conformance.Contradicted, singleClaim{opts: []hypervsim.Option{hypervsim.WithIdleTimeout(time.Hour)}}),
		"no machines":                    is("state-number-saved", notTested, adjusted(func(o *conformance.Options) { o.Fixtures.Machines = nil })),
		"another machine":                is("state-number-saved", conformance.Contradicted, adjusted(func(o *conformance.Options) { o.Fixtures.Machines[2].Name = "canary of none" })),
		"short notes": is("too-large-code", notTested, adjusted(func(o *conformance.Options) {
			o.Fixtures.Machines[0].LongNotes, o.Fixtures.Machines[1].LongNotes = false, true
		})),

		"remote management alone": is("rights-remote-management", held, asMember(conformance.RightsRemoteManagement, hypervsim.RemoteManagementUsers)),
		"Hyper-V alone":           is("rights-hyper-v", held, asMember(conformance.RightsHyperV, hypervsim.HyperVAdministrators)),
		"both groups":             is("rights-both", held, asMember(conformance.RightsBoth, both...)),
		"namespace":               is("rights-namespace", held, asMember(conformance.RightsNamespace, both...)),
		"root":                    is("rights-root", held, asMember(conformance.RightsRoot, both...)),
		"other rights":            is("rights-both", notTested, asMember(conformance.RightsRoot, both...)),
		"both groups, reading only": is("rights-both", held, adjusted(func(o *conformance.Options) {
			o.Rights, o.Write, o.Scratch = conformance.RightsBoth, false, ""
			o.Config.Username, o.Config.Password = canaryDomain+`\`+memberName, memberPassword
		}, hypervsim.WithMember(canaryDomain+`\`+memberName, memberPassword, both...))),
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, r.run)
		})
	}
}

// TestJobsOfOthers: a job that another account has started is listed.
func TestJobsOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
		if _, err := sim.StartForeignCompaction(diskPath(".vhdx"), time.Second); err != nil {
			t.Fatal(err)
		}
		o := options(sim, ".vhdx")
		o.Only = []string{"storage-jobs-of-other-users"}
		r, err := conformance.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if f := only(t, r, o.Only[0]); f.Result != conformance.Held {
			t.Errorf("%s: %s%s", f.Result, f.Seen, f.Why)
		}
	})
}
