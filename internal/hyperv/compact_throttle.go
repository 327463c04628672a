package hyperv

import "time"

const (
	reportStep  = 10 // percent
	reportPause = 30 * time.Second
)

// throttle lets through the progress that is worth a line: a new phase or pass,
// every tenth percent, every half minute, and always the last report.
type throttle struct {
	last Progress
	at   time.Time
}

func (t *throttle) lets(p Progress) bool {
	now := time.Now()
	if !p.Done && p.Phase == t.last.Phase && p.Pass == t.last.Pass &&
		p.Percent/reportStep == t.last.Percent/reportStep && now.Sub(t.at) < reportPause {
		return false
	}
	t.last, t.at = p, now
	return true
}
