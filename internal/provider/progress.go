package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
)

// progressLine returns one line about a run under way, for example "43 % after
// 2m10s, about 3m left"; empty when there is nothing to say.
func progressLine(p hyperv.Progress) string {
	if p.Phase != hyperv.PhaseCompacting {
		return phaseLines[p.Phase]
	}
	line := fmt.Sprintf("%d %% after %s", p.Percent, roughly(p.Elapsed))
	if p.Pass > 1 {
		line = fmt.Sprintf("pass %d: %s", p.Pass, line)
	}
	if left := timeLeft(p); left > 0 {
		line += ", about " + roughly(left) + " left"
	}
	return line
}

var phaseLines = map[hyperv.Phase]string{
	hyperv.PhaseWaiting:    "waiting for a turn",
	hyperv.PhaseAttaching:  "attaching the disk read-only",
	hyperv.PhaseDetaching:  "detaching the disk",
	hyperv.PhaseCancelling: "cancelling the job",
}

// timeLeft extrapolates from the progress of the job so far; 0 when that is too
// early.
func timeLeft(p hyperv.Progress) time.Duration {
	if p.Done || p.Percent <= 0 || p.Percent >= 100 {
		return 0
	}
	return time.Duration(float64(p.Elapsed) * float64(100-p.Percent) / float64(p.Percent))
}

// roughly writes a duration with at most its two largest units.
func roughly(d time.Duration) string {
	unit := time.Second
	if d >= time.Hour {
		unit = time.Minute
	}
	s := d.Round(unit).String()
	for _, zero := range [...]string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-len(zero)+1]
		}
	}
	return s
}

// resultLine returns the last line of a run, with the sizes that were read.
func resultLine(r hyperv.CompactResult) string {
	line := string(r.Status)
	switch run := r.Run; {
	case run != nil && run.FileSizeBeforeBytes != nil && run.FileSizeAfterBytes != nil:
		before, after := *run.FileSizeBeforeBytes, *run.FileSizeAfterBytes
		line += fmt.Sprintf(": %s before, %s after", bytesize.Format(before), bytesize.Format(after))
		if _, percent := reclaimedBy(*run); after < before {
			line += fmt.Sprintf(", %s (%.1f %%) reclaimed", bytesize.Format(before-after), percent.ValueFloat64())
		}
		line += " in " + roughly(run.CompletedAt.Sub(run.StartedAt))
	case r.FileSizeBytes != nil:
		line += ": " + bytesize.Format(*r.FileSizeBytes)
	}
	if r.Detail != "" {
		line += "; " + r.Detail
	}
	return line
}
