package hyperv_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// BenchmarkRefresh measures what a plan costs for each disk: one read on an
// open connection.
func BenchmarkRefresh(b *testing.B) {
	host := benchHost(b, 0)
	refresh(b, host)
	before := host.Stats()
	b.ReportAllocs()
	for b.Loop() {
		refresh(b, host)
	}
	reportTraffic(b, before, host.Stats(), b.N)
}

// BenchmarkFirstRefresh measures one read with all that comes before it:
// dialling, the logon, and finding out the host's generation.
func BenchmarkFirstRefresh(b *testing.B) {
	port := startBenchHost(b, 0)
	var last wsman.Stats
	b.ReportAllocs()
	for b.Loop() {
		host, closeFleet := benchConnect(b, port)
		refresh(b, host)
		last = host.Stats()
		closeFleet()
	}
	reportTraffic(b, wsman.Stats{}, last, 1)
}

func refresh(b *testing.B, host *hyperv.Host) {
	b.Helper()
	if _, err := host.FileSize(b.Context(), benchDisk); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCompaction measures one run whose jobs have ended at the first poll,
// which comes after a quarter of a second. That poll is counted.
func BenchmarkCompaction(b *testing.B) {
	for _, m := range []hyperv.Mode{hyperv.ModePrezeroed, hyperv.ModeQuick} {
		b.Run(fmt.Sprintf("mounted=%v", m.Attaches()), func(b *testing.B) {
			host := benchHost(b, 0)
			run := func() {
				got, err := host.Compact(b.Context(), order(mode(m), func(c *hyperv.Order) { c.Path = benchDisk }))
				if err != nil || got.Run == nil || got.Run.Attached != m.Attaches() {
					b.Fatalf("%+v, %v", got, err)
				}
			}
			run() // the list of machines is read once per process
			before := host.Stats()
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
			reportTraffic(b, before, host.Stats(), b.N)
		})
	}
}

// BenchmarkThousandRefreshes measures the plan of a fleet against a host that
// is 20 ms away. The metric x-limit is the time as a multiple of what the round
// trips alone take.
func BenchmarkThousandRefreshes(b *testing.B) {
	const (
		refreshes = 1000
		roundTrip = 20 * time.Millisecond
	)
	for _, connections := range []int{1, 5, 10} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			host := benchHost(b, roundTrip, func(cfg *hyperv.Config) { cfg.MaxConcurrentRequests = connections })
			limit := roundTrip * refreshes / time.Duration(connections)
			b.ReportAllocs()
			start, before := time.Now(), host.Stats()
			for range b.N {
				var wg sync.WaitGroup
				for range refreshes {
					wg.Go(func() { refresh(b, host) })
				}
				wg.Wait()
			}
			took := time.Since(start) / time.Duration(b.N)
			reportTraffic(b, before, host.Stats(), b.N*refreshes)
			b.ReportMetric(float64(took)/float64(limit), "x-limit")
		})
	}
}

// BenchmarkList lists a tree of 5,000 disks, half of them in one directory.
func BenchmarkList(b *testing.B) {
	host := benchHost(b, 0)
	refresh(b, host)
	before := host.Stats()
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		for _, err := range host.List(b.Context(), hyperv.Listing{Directory: `D:\VMs`, Recurse: true}) {
			if err != nil {
				b.Fatal(err)
			}
			found++
		}
		if found != manyFiles {
			b.Fatalf("%d disks, want %d", found, manyFiles)
		}
	}
	reportTraffic(b, before, host.Stats(), b.N)
}

// BenchmarkSixHourJob measures a night in virtual time: how often the host is
// asked, and how much memory the process holds at the end. Simulated host and
// client share the process, and so its memory.
func BenchmarkSixHourJob(b *testing.B) {
	for range b.N {
		virtual(b, func(t *testing.T) {
			t.Helper()
			sixHours(t, b)
		})
	}
}

func sixHours(t *testing.T, b *testing.B) { //nolint:thelper // a benchmark in a bubble has both
	b.Helper()
	const job = 6 * time.Hour
	sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = job }))
	reports := 0
	var start, grown uint64
	time.AfterFunc(time.Minute, func() { start = liveHeap() })
	time.AfterFunc(job-time.Minute, func() { grown = liveHeap() })
	begun := time.Now()
	got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.OnProgress = func(hyperv.Progress) { reports++ } }))
	if err != nil || got.Status != hyperv.StatusCompacted {
		t.Fatalf("%+v, %v", got, err)
	}
	late := time.Since(begun) - job
	polls := 0
	for _, r := range sim.Requests() {
		if r.Operation == hypervsim.OperationGet && r.Class == cim.ClassStorageJob {
			polls++
		}
	}
	clean(t, sim)
	reportTraffic(b, wsman.Stats{}, host.Stats(), 1)
	b.ReportMetric(float64(polls), "polls/op")
	b.ReportMetric(float64(reports), "reports/op")
	b.ReportMetric(late.Seconds(), "s-late")
	b.ReportMetric(max(0, float64(grown)-float64(start)), "B-grown")
	if polls > 500 || late > job/50+time.Second {
		b.Errorf("%d polls, noticed %s late", polls, late)
	}
}

// liveHeap returns the bytes that are still in use after a garbage collection.
func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// virtual runs f in virtual time, which only a test can.
func virtual(b *testing.B, f func(t *testing.T)) {
	b.Helper()
	all := func(_, _ string) (bool, error) { return true, nil }
	inBubble := func(t *testing.T) { t.Helper(); synctest.Test(t, f) }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: inBubble}}) {
		b.FailNow()
	}
}
