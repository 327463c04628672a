package provider

import (
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	compacting := func(pass, percent int, elapsed time.Duration) hyperv.Progress {
		return hyperv.Progress{Phase: hyperv.PhaseCompacting, Pass: pass, Percent: percent, Elapsed: elapsed}
	}
	done := compacting(1, 100, 5*time.Minute)
	done.Done = true
	for name, test := range map[string]struct {
		progress hyperv.Progress
		want     string
	}{
		"waiting":         {hyperv.Progress{Phase: hyperv.PhaseWaiting}, "waiting for a turn"},
		"attaching":       {hyperv.Progress{Phase: hyperv.PhaseAttaching}, "attaching the disk read-only"},
		"detaching":       {hyperv.Progress{Phase: hyperv.PhaseDetaching}, "detaching the disk"},
		"cancelling":      {hyperv.Progress{Phase: hyperv.PhaseCancelling}, "cancelling the job"},
		"another phase":   {hyperv.Progress{Phase: "resting"}, ""},
		"just started":    {compacting(1, 0, 300*time.Millisecond), "0 % after 0s"},
		"under way":       {compacting(1, 40, 2*time.Minute), "40 % after 2m, about 3m left"},
		"second pass":     {compacting(2, 50, 10*time.Second), "pass 2: 50 % after 10s, about 10s left"},
		"hours":           {compacting(1, 25, time.Hour+40*time.Second), "25 % after 1h1m, about 3h2m left"},
		"full hours":      {compacting(1, 50, 2*time.Hour), "50 % after 2h, about 2h left"},
		"all but the end": {compacting(1, 100, 5*time.Minute), "100 % after 5m"},
		"done":            {done, "100 % after 5m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := progressLine(test.progress); got != test.want {
				t.Errorf("progressLine = %q, want %q", got, test.want)
			}
		})
	}
}

func TestResultLine(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	run := func(before, after *int64) *hyperv.CompactRun {
		return &hyperv.CompactRun{StartedAt: start, CompletedAt: start.Add(90 * time.Second), FileSizeBeforeBytes: before, FileSizeAfterBytes: after}
	}
	ten, four := new(int64(10*gib)), new(int64(4*gib))
	for name, test := range map[string]struct {
		result hyperv.CompactResult
		want   string
	}{
		"reclaimed": {
			hyperv.CompactResult{Status: hyperv.StatusCompacted, FileSizeBytes: four, Run: run(ten, four)},
			"compacted: 10.0 GiB before, 4.0 GiB after, 6.0 GiB (60.0 %) reclaimed in 1m30s",
		},
		"nothing to reclaim": {
			hyperv.CompactResult{Status: hyperv.StatusUnchanged, FileSizeBytes: ten, Run: run(ten, ten)},
			"unchanged: 10.0 GiB before, 10.0 GiB after in 1m30s",
		},
		"it grew meanwhile": {
			hyperv.CompactResult{Status: hyperv.StatusUnchanged, FileSizeBytes: ten, Run: run(four, ten)},
			"unchanged: 4.0 GiB before, 10.0 GiB after in 1m30s",
		},
		"size after the run not read": {
			hyperv.CompactResult{Status: hyperv.StatusUnknown, FileSizeBytes: ten, Run: run(ten, nil), Detail: "the job vanished"},
			"unknown: 10.0 GiB; the job vanished",
		},
		"no run": {
			hyperv.CompactResult{Status: hyperv.StatusSkippedInUse, FileSizeBytes: ten, Detail: "in use by virtual machine web01"},
			"skipped_in_use: 10.0 GiB; in use by virtual machine web01",
		},
		"nothing read": {hyperv.CompactResult{Status: hyperv.StatusFailed}, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := resultLine(test.result); got != test.want {
				t.Errorf("resultLine = %q, want %q", got, test.want)
			}
		})
	}
}
