package wsman

import (
	"maps"
	"time"
)

// admit is the rule of the gate: it lets a proof in, refuses it, or makes it wait.
func (a *Account) admit(host string, width int, insist bool, now time.Time) verdict {
	maps.DeleteFunc(a.proofs, func(p *proof, _ bool) bool { return p.isLost() && now.Sub(p.lost) >= unansweredFor })
	d := a.concerning(host)
	switch {
	case d == nil && a.isProven() && a.doubt.count == 0:
		return a.abreast(host, width, insist, now)
	case d != nil && !a.mayTry(host, d, insist, now):
		return a.refusal(host, d, now)
	}
	return a.alone(host, d, insist, now) // the first proof, that on the other host, or one due
}

// mayTry reports whether it is a host's turn to find out about a doubt.
func (a *Account) mayTry(host string, d *doubt, insist bool, now time.Time) bool {
	if !a.isProven() {
		return d.hosts[host] == 0 && len(d.hosts) < maxUnproven
	}
	return a.due(host, d, now) || insist && !d.insisted && d.count < maxRejections
}

// refusal returns the reason why no proof is sent: a rejection, or proofs without an answer.
func (a *Account) refusal(host string, d *doubt, now time.Time) verdict {
	if d == nil {
		d = &a.doubt
	}
	if d.count == 0 {
		return verdict{refused: a.unansweredError()}
	}
	return verdict{refused: a.again(host, now, d.told(host))}
}

// abreast is the rule for an account without doubts.
func (a *Account) abreast(host string, width int, insist bool, now time.Time) verdict {
	here, all, until := a.underWay(host, now)
	switch left := a.left(host, insist); {
	case here < width && (a.perHost || all < maxUnproven) && left > 0:
		return verdict{enter: true}
	case left > 0 || a.waiting():
		return verdict{until: until}
	}
	return verdict{refused: a.unansweredError()}
}

// alone is the rule for an account that nothing has proven, or that is in doubt.
func (a *Account) alone(host string, d *doubt, insist bool, now time.Time) verdict {
	here, all, until := a.underWay(host, now)
	if a.standsAlone() {
		all = here
	}
	left := a.left(host, insist)
	if !a.perHost && d != nil && d == a.hosts[host] {
		left -= maxRejections - maxUnproven // reserved for hosts that are not in doubt
	}
	switch others := a.afterOthers(host); {
	case left <= 0 && !a.waiting():
		return a.refusal(host, d, now)
	case left <= 0, all > 0:
		return verdict{until: until}
	case now.Before(others):
		return verdict{until: others}
	}
	return verdict{enter: true}
}

// afterOthers returns until when a host on which a proof went unanswered leaves the next proof to
// other hosts, as long as nothing has proven the account.
func (a *Account) afterOthers(host string) (until time.Time) {
	for p := range a.proofs {
		if next := p.lost.Add(othersFirst); !a.isProven() && p.isLost() && p.host == host && next.After(until) {
			until = next
		}
	}
	return until
}

// unansweredError returns the reason why no proof is sent although the host has rejected none.
func (a *Account) unansweredError() error {
	var next time.Time
	for p := range a.proofs {
		if until := p.lost.Add(unansweredFor); p.isLost() && (next.IsZero() || until.Before(next)) {
			next = until
		}
	}
	return &AuthError{Err: ErrUnanswered, Again: next}
}

// standsAlone reports whether the logons on one host say nothing about the others.
func (a *Account) standsAlone() bool { return a.perHost && a.isProven() }

// left returns how many more rejections could be met, less those that proofs without an answer may
// still bring.
func (a *Account) left(host string, insist bool) int {
	here, all, lost := a.open(host)
	if !a.isProven() {
		return maxUnproven - a.row - all
	}
	left := maxRejections - a.row - all
	if a.perHost {
		left = maxRejections - here
		if d := a.hosts[host]; d != nil {
			left -= d.count
		}
	}
	if lost && !insist {
		left--
	}
	return left
}

// open counts the proofs that may have been rejected, or may still be.
func (a *Account) open(host string) (here, all int, lost bool) {
	for p := range a.proofs {
		all++
		if p.host == host {
			here++
		}
		lost = lost || p.isLost()
	}
	return here, all, lost
}

// waiting reports whether a caller waits for the answer to a proof.
func (a *Account) waiting() bool {
	for p := range a.proofs {
		if !p.isLost() {
			return true
		}
	}
	return false
}

// underWay counts the proofs that others wait for, and returns when the next of
// them counts as slow.
func (a *Account) underWay(host string, now time.Time) (here, all int, until time.Time) {
	for p := range a.proofs {
		slow := p.began.Add(slowProof)
		if p.isLost() || !now.Before(slow) {
			continue
		}
		all++
		if p.host == host {
			here++
		}
		if until.IsZero() || slow.Before(until) {
			until = slow
		}
	}
	return here, all, until
}

// next returns when the next try on host is due, zero if none is. A host that
// has itself rejected the account lets hosts go first that have accepted it
// before.
func (a *Account) next(host string, d *doubt) time.Time {
	next := d.next()
	if next.IsZero() || d != &a.doubt || d.hosts[host] == 0 {
		return next
	}
	for other := range a.proven {
		if d.hosts[other] == 0 && a.hosts[other] == nil {
			return next.Add(othersFirst)
		}
	}
	return next
}

func (a *Account) due(host string, d *doubt, now time.Time) bool {
	next := a.next(host, d)
	return !next.IsZero() && !now.Before(next)
}

func (a *Account) isProven() bool { return len(a.proven) > 0 }
