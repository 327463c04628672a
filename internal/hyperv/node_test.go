package hyperv_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// name is a name of several nodes, of which one answers.
type name struct {
	mu    sync.Mutex
	node  *hypervsim.Host
	conns []net.Conn
}

func (n *name) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	conn, err := n.node.DialAs("run")(ctx, kind, address)
	if err == nil {
		n.conns = append(n.conns, conn)
	}
	return conn, err
}

// move makes another node answer. Connections are cut, or stay with the former node.
func (n *name) move(to *hypervsim.Host, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.node = to
	for _, c := range n.conns {
		if cut {
			_ = c.Close() // a second close says nothing new
		}
	}
	n.conns = nil
}

func nodes(t *testing.T, options ...hypervsim.Option) (one, two *hypervsim.Host, way *name, host *hyperv.Host) {
	t.Helper()
	start := func(name string) *hypervsim.Host {
		return hypervsim.RunT(t, append([]hypervsim.Option{
			hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(), hypervsim.WithComputerName(name),
		}, options...)...)
	}
	one, two = start("NODE1"), start("NODE2")
	way = &name{node: one}
	return one, two, way, connect(t, one, func(cfg *hyperv.Config) { cfg.Dial = way.dial })
}

// TestNameMoves: the name of the host moves to another node during a run. Nothing is sent to that
// node, and nothing is concluded from what is missing there. Connections that stay with the first
// node serve until polls are so far apart that each dials anew.
func TestNameMoves(t *testing.T) {
	t.Parallel()
	type move struct {
		mode      hyperv.Mode
		cut, back bool
	}
	var moves []move
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		for _, cut := range []bool{true, false} {
			moves = append(moves, move{m, cut, true}, move{m, cut, false})
		}
	}
	for _, tt := range sample.Every(5, moves) {
		synctest.Test(t, func(t *testing.T) {
			one, two, way, host := nodes(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 6 * time.Hour }))
			time.AfterFunc(20*time.Minute, func() { way.move(two, tt.cut) })
			if tt.back {
				time.AfterFunc(23*time.Minute, func() { way.move(one, true) })
			}
			got, err := host.Compact(t.Context(), order(mode(tt.mode)))
			switch {
			case tt.back:
				if err != nil || got.Status != hyperv.StatusCompacted || got.Node != "NODE1" {
					t.Errorf("%+v: %+v, %v", tt, got, err)
				}
			case got.Status != hyperv.StatusUnknown || !strings.Contains(err.Error(), "NODE1"):
				t.Errorf("%+v: %+v, %v, want an unknown outcome on NODE1", tt, got, err)
			case tt.mode.Attaches() != got.LeftAttached || tt.mode.Attaches() && got.LeftAttachedAt.Node != "NODE1":
				t.Errorf("%+v: left attached %v at %+v", tt, got.LeftAttached, got.LeftAttachedAt)
			}
			one.Check(hypervsim.Claim{Client: "run", Path: diskPath, LeftAttached: got.LeftAttached})
			if n := len(two.Attachments()) + two.Compactions(diskPath); n != 0 {
				t.Errorf("%+v: %d things were done on the other node", tt, n)
			}
		})
	}
}

// TestNameMovesBeforeARun: an attachment that an earlier run left on another node is not looked for
// on this one. A disk that can be opened here is not attached there.
func TestNameMovesBeforeARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two, way, host := nodes(t, disk())
		if err := one.AttachFor("run", diskPath); err != nil {
			t.Fatal(err)
		}
		at := leftAt()
		at.Node = "NODE1"
		way.move(two, true)
		if err := host.GiveBack(t.Context(), diskPath, at); err == nil || !strings.Contains(err.Error(), "NODE1") || !strings.Contains(err.Error(), "Dismount-VHD") {
			t.Errorf("given back on another node: %v", err)
		}
		got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached, o.LeftAt, o.MinFileSizeBytes = true, at, 11*gib }))
		if got.Status != hyperv.StatusFailed || !got.LeftAttached || *got.LeftAttachedAt != *at || err == nil {
			t.Errorf("a run that a gate ends forgot the other node: %+v, %v", got, err)
		}
		got, err = host.Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached, o.LeftAt = true, at }))
		if err != nil || got.LeftAttached || !warned(got, hyperv.WarnSettled) {
			t.Errorf("on the other node: %+v, %v", got, err)
		}
		if len(one.Attachments()) != 1 {
			t.Errorf("attachments of the first node: %+v", one.Attachments())
		}
	})
}

// TestGiveBack: only an attachment that is known to be the one that was left is
// detached, and not during a compaction.
func TestGiveBack(t *testing.T) {
	t.Parallel()
	at := func(change func(*hyperv.AttachedAt)) *hyperv.AttachedAt {
		a := leftAt()
		change(a)
		return a
	}
	same := func(*hyperv.AttachedAt) {}
	attach := func(readOnly bool, names ...string) func(*hypervsim.Host) error {
		return func(h *hypervsim.Host) error {
			if readOnly && len(names) == 0 {
				return h.AttachFor("left", diskPath)
			}
			return h.Attach(diskPath, readOnly, names...)
		}
	}
	compacting := func(d time.Duration) func(*hypervsim.Host) error {
		return func(h *hypervsim.Host) error {
			return errors.Join(h.AttachFor("left", diskPath), second(h.StartForeignCompaction(diskPath, d)))
		}
	}
	for name, tt := range map[string]struct {
		at    *hyperv.AttachedAt
		act   func(*hypervsim.Host) error
		given bool
	}{
		"the same":              {at(same), attach(true), true},
		"other letters":         {at(func(a *hyperv.AttachedAt) { a.Name, a.Node = strings.ToUpper(a.Name), "hyperv01" }), attach(true), true},
		"not attached":          {at(same), func(*hypervsim.Host) error { return nil }, true},
		"address not known":     {nil, attach(true), false},
		"nothing known":         {nil, func(*hypervsim.Host) error { return nil }, false},
		"node not known":        {at(func(a *hyperv.AttachedAt) { a.Node = "" }), func(*hypervsim.Host) error { return nil }, false},
		"only the node known":   {&hyperv.AttachedAt{Node: "HYPERV01"}, func(*hypervsim.Host) error { return nil }, true},
		"another address":       {at(func(a *hyperv.AttachedAt) { a.Lun = "1" }), attach(true), false},
		"another file":          {at(func(a *hyperv.AttachedAt) { a.Name = otherPath }), attach(true), false},
		"writable":              {at(same), attach(false), false},
		"with a letter":         {at(same), attach(true, `E:\`), false},
		"another node":          {at(func(a *hyperv.AttachedAt) { a.Node = "HV2" }), attach(true), false},
		"a short compaction":    {at(same), compacting(5 * time.Minute), true},
		"a compaction of hours": {at(same), compacting(2 * time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := hypervsim.RunT(t, hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(), disk())
				host := process(t, sim, "left")
				if err := tt.act(sim); err != nil {
					t.Fatal(err)
				}
				before := len(sim.Attachments())
				start := time.Now()
				if tt.at != nil {
					tt.at.HeldAt = start
				}
				err := host.GiveBack(t.Context(), diskPath, tt.at)
				if (err == nil) != tt.given {
					t.Errorf("GiveBack = %v, want given back: %v", err, tt.given)
				}
				if err != nil && !strings.Contains(err.Error(), "Dismount-VHD -Path '"+diskPath+"'") {
					t.Errorf("error %v names no way out", err)
				}
				// A client that has compacted on the attachment has taken it over, and detaches it
				// itself; after its job, the disk may as well be detached here.
				if took := sim.TakeViolations(); len(took) != 0 && name != "a short compaction" {
					t.Errorf("violations %q", took)
				}
				if after := len(sim.Attachments()); tt.given && after != 0 || !tt.given && after != before {
					t.Errorf("%d attachments, had %d", after, before)
				}
				if took := time.Since(start); took > 11*time.Minute {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}
