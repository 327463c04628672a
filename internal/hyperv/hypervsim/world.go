package hypervsim

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// world is the simulated Hyper-V and the file system under it. Disks that are
// only numbers need no goroutine: their state is worked out from the clock at
// each access.
type world struct {
	clock func() time.Time
	log   *slog.Logger

	*site
	host    string // computer name
	release Release
	// withoutRole: the host does not have the role Hyper-V.
	withoutRole bool
	locale      string // language of job texts
	// missingViaJob makes a job report a missing file, not the return value.
	missingViaJob bool
	// withoutSystemName leaves SystemName of the service null.
	withoutSystemName bool
	// listed spells the name under which an attached disk is listed.
	listed func(path string) string
	booted time.Time

	local       *store
	aliases     []alias
	shareNames  []sharedDirectory
	folders     []folder
	created     VHD // the template of disks that clients create
	attachments []*attachment
	jobs        []*job
	machines    []*machine
	failover    *Failover // nil for a host that is no node of a cluster
	hidesVMs    bool
	denied      []denial
	closed      []string // keys of directories

	lastID uint64
	// nextJobLasts is how long the next job takes; 0 leaves it to the job.
	nextJobLasts time.Duration

	// Real files are compacted by processes that outlive a request.
	life    context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

// bootedBefore is how long Windows has been running on a host when it is made.
const bootedBefore = 30 * 24 * time.Hour

// newWorld returns an empty host that reads the time from clock. It runs
// Windows Server 2022 unless an option says otherwise.
func newWorld(clock func() time.Time, log *slog.Logger, s *site) *world {
	life, stop := context.WithCancel(context.Background()) //nolint:forbidigo // the world lives until close, longer than any request
	w := &world{
		clock: clock, log: log,
		host: "HYPERV", release: Server2022, locale: "en-US",
		site: s, local: newStore(), life: life, stop: stop, booted: clock().Add(-bootedBefore),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds = append(s.worlds, w)
	return w
}

// close stops every process that works on a real file and waits for its end.
func (w *world) close() {
	w.stop()
	w.running.Wait()
}

// lock begins every access to the world: it takes the lock and brings the jobs
// up to date.
func (w *world) lock() time.Time {
	w.mu.Lock()
	now := w.clock()
	for _, host := range w.worlds {
		host.settle(now)
	}
	return now
}

// Get implements model.
func (w *world) Get(by wmi.Caller, namespace, className string, keys []wmi.KeyValue) (*wmi.Object, *wmi.Failure) {
	now := w.lock()
	defer w.mu.Unlock()
	c, fail := w.class(by, namespace, className)
	if fail != nil {
		return nil, fail
	}
	if fail := c.checkKeys(keys); fail != nil {
		return nil, fail
	}
	found := wmi.Filter(c.instances(w, view{namespace: namespace, now: now, where: keys}), keys)
	if len(found) != 1 {
		return nil, wmi.NotFound()
	}
	return found[0], nil
}

// Enumerate implements model.
func (w *world) Enumerate(by wmi.Caller, namespace, className string, where []wmi.KeyValue) ([]*wmi.Object, *wmi.Failure) {
	now := w.lock()
	defer w.mu.Unlock()
	c, fail := w.class(by, namespace, className)
	if fail != nil {
		return nil, fail
	}
	return wmi.Filter(c.instances(w, view{namespace: namespace, now: now, where: where}), where), nil
}

// Invoke implements model.
func (w *world) Invoke(c wmi.Call) (*wmi.Object, *wmi.Failure) {
	now := w.lock()
	defer w.mu.Unlock()
	class, fail := w.class(c.Caller, c.Namespace, c.Class)
	if fail != nil {
		return nil, fail
	}
	m, fail := w.method(c.Namespace, class, c.Method)
	if fail != nil {
		return nil, fail
	}
	in, fail := m.read(c.Input)
	if fail != nil {
		return nil, fail
	}
	if fail := class.checkKeys(c.Keys); fail != nil {
		return nil, fail
	}
	target := wmi.Filter(class.instances(w, view{namespace: c.Namespace, now: now, where: c.Keys}), c.Keys)
	if len(target) != 1 {
		return nil, wmi.NotFound()
	}
	out, fail := m.run(w, invocation{namespace: c.Namespace, target: target[0], in: in, by: c.Caller, now: now})
	if fail != nil {
		return nil, fail
	}
	slices.SortFunc(out, wmi.ByName)
	return &wmi.Object{Namespace: c.Namespace, Class: class.name, Properties: out}, nil
}

var _ wmi.Model = (*world)(nil)

// newID returns the next GUID, upper case as the Hyper-V provider writes it.
// They are not random so that a test can be repeated.
func (w *world) newID() string {
	w.lastID++
	return fmt.Sprintf("5D1C0000-0000-4000-%04X-%012X", 0x8000|w.number(), w.lastID)
}

// number keeps the IDs of two hosts apart, unless the hosts have the same name.
func (w *world) number() uint16 {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(w.host)) // never fails
	return uint16(sum.Sum32() & 0x3FFF)
}
