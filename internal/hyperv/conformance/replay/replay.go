// Package replay sends recorded requests to the simulated host, put into the same
// state, and compares its answers with those that were recorded.
package replay

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

// Result is the result of a replay.
type Result struct {
	WindowsVersion string
	// Recorded is the number of recorded requests, Sent how many of them were sent again.
	Recorded, Sent int
	Differences    []Difference
	Uncompared     []Uncompared
}

// Run replays recordings. An error says that the replay could not be made, not that
// the answers differ.
func Run(ctx context.Context, rec *conformance.Recordings, log *slog.Logger) (*Result, error) {
	all := read(rec.Exchanges)
	s, err := newStage(rec, all, log)
	if err != nil {
		return nil, err
	}
	if err := s.host.Start(ctx); err != nil {
		return nil, err
	}
	r, err := conformance.NewResender(conformance.Options{
		Host: s.host.HostName(),
		Config: hyperv.Config{
			Auth: hyperv.AuthNTLM, HTTPS: rec.HTTPS, CACertificate: s.host.CACertificate(), Username: user, Password: password, Port: s.host.Port(), RequestTimeout: time.Minute, Dial: s.host.Dial,
		},
	})
	if err != nil {
		return nil, errors.Join(err, s.host.Close())
	}
	defer r.Close()
	p := &player{stage: s, resender: r, names: newNames(), raw: map[string]string{}, images: map[string]image{}, own: ownJobs(all), started: startedJobs(all), surplus: map[string]bool{}}
	p.nameShare()
	result := &Result{WindowsVersion: rec.WindowsVersion, Recorded: len(all)}
	for i := range all {
		if err := p.play(ctx, i, result); err != nil {
			return nil, errors.Join(err, s.host.Close())
		}
	}
	return result, s.host.Close()
}

// player sends one exchange after the other.
type player struct {
	stage    *stage
	resender *conformance.Resender
	names    *names
	raw      map[string]string // what the simulated host calls something, by its recorded name
	images   map[string]image  // attached disks by their recorded address
	own      map[string]bool   // jobs that recorded requests started or asked for
	started  map[string]bool   // jobs that recorded requests started
	// surplus are jobs of the simulated host for work that the recorded host did without a job, by
	// their name and by their name as a recording would mask it.
	surplus map[string]bool
}

func (p *player) play(ctx context.Context, i int, result *Result) error {
	x := p.stage.all[i]
	c := &comparison{exchange: x.Number, subject: x.subject(), names: p.names}
	if reason := p.unsendable(x); reason != "" {
		c.skip("", reason)
		result.Uncompared = append(result.Uncompared, c.uncompared...)
		return nil
	}
	taken := p.stage.before(i)
	answer, err := p.send(ctx, x, c)
	if err != nil {
		return err
	}
	result.Sent++
	p.compare(c, x, answer, taken)
	p.stage.after(i)
	result.Differences = append(result.Differences, c.differences...)
	result.Uncompared = append(result.Uncompared, c.uncompared...)
	return nil
}

// unsendable returns the reason why a request is not sent again, empty if it is.
func (p *player) unsendable(x exchange) Reason {
	switch {
	case x.HTTP != nil && x.HTTP.Logon == conformance.Handshake:
		return ReasonHandshake
	case x.request == nil || x.selector("InstanceID") == "":
		return ""
	}
	if p.isNotStarted(x.selector("InstanceID")) {
		return ReasonNoJob
	}
	return ""
}

// compare compares the recorded answer with that of the simulated host, either of which may be
// missing. The properties in taken are state that the simulated host was given.
func (p *player) compare(c *comparison, x exchange, answer string, taken []string) {
	if x.Answer == "" && answer == "" {
		return
	}
	a, errA := parse(x.Answer)
	if errA == nil {
		for reason, count := range dropJobs(a, p.unlisted) {
			for range count {
				c.skip("", reason)
			}
		}
		p.learn(a, answer)
	}
	b, errB := parse(p.resender.Mask(answer))
	if errA != nil || errB != nil {
		if (errA == nil) != (errB == nil) {
			c.differ("", Unread, readable(errA), readable(errB))
		}
		return
	}
	dropJobs(b, p.unneeded)
	c.give(a.name, a, taken)
	c.nodes(a.name, a, b)
}
