package hyperv

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// Fleet is the set of hosts that one [Config] reaches: one [Host] per name, however the name is
// spelled (see [HostKey]). Everything that uses the same Fleet shares its limits, its tickets and
// what is known about a host.
type Fleet struct {
	cfg       Config
	connector *connector

	mu    sync.Mutex
	hosts map[string]*Host
}

// NewFleet checks cfg and dials nothing.
func NewFleet(cfg Config) (*Fleet, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := newConnector(cfg)
	if err != nil {
		return nil, err
	}
	return &Fleet{cfg: cfg, connector: c, hosts: map[string]*Host{}}, nil
}

// Host returns the host of that name, always the same one.
func (f *Fleet) Host(name string) (*Host, error) {
	if err := CheckHostName(name); err != nil {
		return nil, fmt.Errorf("host %q: %w", name, err)
	}
	key := HostKey(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, ok := f.hosts[key]; ok {
		return h, nil
	}
	h := newHost(name, f.cfg)
	var err error
	if h.client, err = f.connector.connect(bare(name), h.confirmation); err != nil {
		return nil, fmt.Errorf("host %s: %w", name, err)
	}
	h.peer = f.Host
	f.hosts[key] = h
	return h, nil
}

// Close drops every idle connection.
func (f *Fleet) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.hosts {
		h.client.Close()
	}
	f.connector.close()
}

// Host is one Hyper-V host. It is safe for concurrent use.
type Host struct {
	name     string
	client   *wsman.Client
	turns    *turns
	usage    usageCache
	cluster  clusterCache
	attached attachedCache
	jobs     jobRegistry
	claims   addressClaims
	takeOver time.Duration // see Config.TakeOverAfter
	cleanUp  time.Duration // see Config.CleanUpFor

	// peer returns another host with the same credentials, by its address.
	peer func(address string) (*Host, error)
	// clusterNodes are the addresses of nodes, by their names.
	clusterNodes map[string]string

	known  atomic.Pointer[generation]
	detect chan struct{} // held while the generation is being found out
}

func newHost(name string, cfg Config) *Host {
	return &Host{
		name:     name,
		turns:    newTurns(cfg.MaxConcurrentCompactions),
		detect:   make(chan struct{}, 1),
		usage:    usageCache{loading: make(chan struct{}, 1)},
		cluster:  clusterCache{loading: make(chan struct{}, 1)},
		attached: attachedCache{loading: make(chan struct{}, 1)},
		jobs:     jobRegistry{disks: map[string]string{}},
		claims:   addressClaims{held: map[AttachedAt]chan struct{}{}},
		takeOver: cmp.Or(cfg.TakeOverAfter, takeOverAfter),
		cleanUp:  cmp.Or(cfg.CleanUpFor, jobRecordKept),

		clusterNodes: cfg.ClusterNodes,
	}
}

// Name returns the name by which the host was first asked for.
func (h *Host) Name() string { return h.name }

// Stats counts what was exchanged with the host.
func (h *Host) Stats() wsman.Stats { return h.client.Stats() }

// confirmation returns the read that confirms a connection: the image
// management service of the host's generation, once that is known.
func (h *Host) confirmation() (wsman.Confirmation, bool) {
	g := h.known.Load()
	if g == nil {
		return wsman.Confirmation{}, false
	}
	return wsman.Confirmation{Reference: g.service(), Property: "SystemName"}, true
}

// withGeneration calls f with the generation of the host's Hyper-V provider.
// The first call in the life of h finds the generation by trying: the newer one
// first, and the older one only after an answer that the namespace or class
// does not exist. Once it is known, the host is not asked again.
func (h *Host) withGeneration(ctx context.Context, f func(*generation) error) error {
	if g := h.known.Load(); g != nil {
		return f(g)
	}
	select {
	case h.detect <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if g := h.known.Load(); g != nil {
		<-h.detect
		return f(g)
	}
	defer func() { <-h.detect }()
	return h.tryGenerations(f)
}

func (h *Host) tryGenerations(f func(*generation) error) error {
	var err error
	for _, g := range generations {
		if err = f(g); !isMissingClass(err) {
			if isAnswer(err) {
				h.known.Store(g)
			}
			return err
		}
	}
	return &classified{err: fmt.Errorf("no Hyper-V role: neither %s nor %s exists: %w", generations[0].namespace, generations[1].namespace, err), kind: ErrNoHyperV}
}
