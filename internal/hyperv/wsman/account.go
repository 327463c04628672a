package wsman

import (
	"context"
	"errors"
	"maps"
	"math"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Limits on how often an account is tried. A domain commonly locks an account after five to ten
// failed logons in a row.
const (
	// maxUnproven is how many hosts may reject an account that nothing has proven.
	maxUnproven = 2
	// maxRejections is the most rejections in a row that an account, or a host, may meet.
	maxRejections = 4
	// firstRetry and secondRetry are when a logon is tried again after a
	// rejection that nothing explains, both counted from the first rejection: a
	// domain controller that is restarted is back within minutes.
	firstRetry  = 30 * time.Second
	secondRetry = 4 * time.Minute
	// slowProof is the time after which a proof without an answer no longer makes others wait, as
	// long as all of them together cannot lock the account. The rejection of a password comes at
	// once; the answer to the message that carries the proof may take long.
	slowProof = 3 * time.Second
	// othersFirst is how long hosts that have rejected an account in doubt leave its next try to
	// hosts that have accepted it before, and how long hosts on which a proof went unanswered leave
	// it to all others.
	othersFirst = 10 * time.Second
	// unansweredFor is how long a proof without an answer counts as a rejection.
	unansweredFor = secondRetry
)

// ErrUnanswered says that proofs of the password went out whose callers gave up before the answer.
// Each may have been rejected, so no other proof is sent yet.
var ErrUnanswered = errors.New("the last logons were given up without an answer, and may have failed")

// Account is what is known about the logons of one user, on all hosts that it logs on to. Clients
// that share the credentials share the Account, so that a wrong password is tried twice in all and
// not once for each host. It holds no secret.
//
// It lets in the messages that carry a proof of the password, by these rules:
//
//   - An account that nothing has proven yet is tried on two hosts at most, one
//     after the other: one host alone may reject a right password. Two rejections
//     are final, and so is that of a host for itself.
//   - Once a host has accepted it, a rejection lets one other host try, alone. If
//     that one accepts, the rejection concerns the first host, otherwise the
//     account. If there is no other, it concerns the account.
//   - The host or the account that a rejection concerns is tried again, alone, 30 s
//     and 4 min after the first rejection, and once more for callers who insist, see
//     [Insist]. An account, and a host, meets four rejections in a row at most; an
//     acceptance ends the row.
//   - Proofs under way count as rejections until their end is known. For an account
//     without doubts, two are sent at the same time at most, on two hosts.
//   - A proof whose caller gave up before the answer may have been rejected as well.
//     It counts as a rejection for four minutes, or until the account is accepted.
//     The last rejection that could still be met is left to callers who insist.
type Account struct {
	gate

	// perHost: each host has its own account by this name and password. Once one host has accepted
	// it, the account of each host stands for itself.
	perHost bool

	proven map[string]bool   // the hosts that have accepted it
	row    int               // rejections since the last acceptance, by whichever host
	doubt  doubt             // about the account
	hosts  map[string]*doubt // about single hosts
	proofs map[*proof]bool   // under way, or unanswered
	events int               // counts events, to tell which came first
	last   int               // the event of the last rejection
}

// NewAccount makes an account that nothing has proven. With perHost, each host has its own account
// of this name; it is not an account of a domain.
func NewAccount(perHost bool) *Account {
	return &Account{perHost: perHost, proven: map[string]bool{}, hosts: map[string]*doubt{}, proofs: map[*proof]bool{}}
}

// proof is a message with a proof of the password, from before it is sent until
// it is answered.
type proof struct {
	host  string
	began time.Time
	event int       // the event of its sending
	lost  time.Time // when its answer was given up, zero if it was not
}

func (p *proof) isLost() bool { return !p.lost.IsZero() }

// ending is how a proof ended, other than with a rejection.
type ending int

const (
	undecided  ending = iota // the host did not judge it, or it never went out
	accepted                 // by the host
	unanswered               // the caller gave up before the answer
)

// insistent is the key of a context that insists.
type insistent struct{}

// Insist returns a context for work that must not be left undone: under it an account, or a host,
// that is in doubt is tried once more, unless that could lock it.
func Insist(ctx context.Context) context.Context { return context.WithValue(ctx, insistent{}, true) }

func insists(ctx context.Context) bool { return ctx.Value(insistent{}) != nil }

// held returns the rejection that keeps a logon on host from being tried now; nil if it may be,
// perhaps after others. It is for callers that have not dialled yet.
func (a *Account) held(ctx context.Context, host string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.admit(host, 1, insists(ctx), time.Now()).refused
}

// enter waits until a proof may be sent to host, with fewer than width others
// to it under way. The function settle notes how the proof ended and returns
// its error, with the time of the next try if it was a rejection.
func (a *Account) enter(ctx context.Context, host string, width int) (settle func(end ending, err error) error, err error) {
	p := &proof{host: host}
	insist := insists(ctx)
	err = a.wait(ctx, func(now time.Time) verdict {
		v := a.admit(host, width, insist, now)
		if v.enter {
			a.events++
			p.began, p.event, a.proofs[p] = now, a.events, true
			if d := a.concerning(host); d != nil && insist && !a.due(host, d, now) {
				d.insisted = true
			}
		}
		return v
	})
	return func(end ending, err error) error { return a.settle(p, end, err) }, err
}

// outside notes the end of a logon that did not have to enter, because it does
// not prove a password.
func (a *Account) outside(host string, end ending, err error) error {
	return a.settle(&proof{host: host, event: math.MaxInt}, end, err)
}

func (a *Account) settle(p *proof, end ending, err error) error {
	a.change(func(now time.Time) {
		delete(a.proofs, p)
		switch {
		case errors.Is(err, secure.ErrRejected):
			a.reject(p.host, now, err)
			err = a.again(p.host, now, err)
		case end == accepted:
			a.accept(p)
		case end == unanswered:
			p.lost, a.proofs[p] = now, true
		}
	})
	return err
}

// accept notes an acceptance: rejections by other hosts then concern those hosts. A proof that was
// sent before the last rejection says nothing about the password as it is now.
func (a *Account) accept(p *proof) {
	a.proven[p.host] = true
	if p.event < a.last {
		return
	}
	for other, count := range a.doubt.hosts {
		a.hosts[other] = &doubt{errs: a.doubt.errs, first: a.doubt.first, last: a.doubt.last, count: count}
	}
	a.row, a.doubt = 0, doubt{}
	delete(a.hosts, p.host)
	maps.DeleteFunc(a.proofs, func(other *proof, _ bool) bool { return other.isLost() && other.event < p.event })
}

func (a *Account) reject(host string, now time.Time, err error) {
	a.events++
	a.row, a.last = a.row+1, a.events
	if a.perHost && a.isProven() && a.hosts[host] == nil {
		a.hosts[host] = &doubt{}
	}
	if d := a.hosts[host]; d != nil {
		d.add(host, now, err)
		return
	}
	a.doubt.add(host, now, err)
}

// concerning returns the doubt that stands in the way of a logon on host, nil if there is none.
func (a *Account) concerning(host string) *doubt {
	switch d := a.hosts[host]; {
	case d != nil:
		return d
	case a.doubt.count == 0, a.isProven() && a.doubt.leaves(host):
		return nil
	}
	return &a.doubt
}

// again adds to a rejection when the next logon on host is tried.
func (a *Account) again(host string, now time.Time, err error) error {
	auth, ok := errors.AsType[*AuthError](err)
	if !ok {
		return err
	}
	told := *auth
	told.Again = time.Time{}
	if d := a.concerning(host); a.isProven() && d != nil {
		told.Again = a.next(host, d)
		if !told.Again.IsZero() && !told.Again.After(now) {
			told.Again = now.Add(firstRetry) // after other hosts have accepted it
		}
	}
	return &told
}

func (d *doubt) add(host string, now time.Time, err error) {
	if d.count == 0 {
		d.first, d.hosts = now, map[string]int{}
	}
	if d.hosts != nil {
		d.hosts[host]++
	}
	if d.errs == nil {
		d.errs = map[string]error{}
	}
	d.errs[host], d.by, d.last = err, host, now
	d.count++
}

// told returns the rejection by host, or else the last one by another host.
func (d *doubt) told(host string) error {
	if err := d.errs[host]; err != nil {
		return err
	}
	err := d.errs[d.by]
	if auth, ok := errors.AsType[*AuthError](err); ok {
		return &AuthError{Err: auth.Err, RejectedBy: d.by}
	}
	return err
}

// leaves reports whether the doubt leaves host aside: the one host that has rejected is another.
func (d *doubt) leaves(host string) bool { return len(d.hosts) == 1 && d.hosts[host] == 0 }

// next returns when the next try is due, zero if none is.
func (d *doubt) next() time.Time {
	for _, after := range []time.Duration{firstRetry, secondRetry} {
		if due := d.first.Add(after); d.last.Before(due) && d.count < maxRejections {
			return due
		}
	}
	return time.Time{}
}

// doubt holds the rejections that nothing explains yet.
type doubt struct {
	errs        map[string]error // the last one of each host
	by          string           // the host with the last rejection
	first, last time.Time
	count       int
	hosts       map[string]int // rejections by each host; nil in the doubt about a single host
	insisted    bool
}
