package hypervsim

import (
	"log/slog"
	"sync"
	"time"
)

// world is the simulated Hyper-V and the file system under it. Nothing in it
// runs on its own when only numbers are simulated: what time has brought about
// is worked out from the clock whenever somebody looks.
type world struct {
	clock func() time.Time
	log   *slog.Logger

	mu sync.Mutex
}

// newWorld returns an empty host whose time is told by clock.
func newWorld(clock func() time.Time, log *slog.Logger) *world {
	return &world{clock: clock, log: log}
}

// get implements model.
func (w *world) get(namespace, class string, keys []keyValue) (*object, *failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return nil, notFound()
}

// enumerate implements model.
func (w *world) enumerate(namespace, class string, where []keyValue) ([]*object, *failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return nil, notFound()
}

// invoke implements model.
func (w *world) invoke(c call) (*object, *failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return nil, notFound()
}

var _ model = (*world)(nil)

// faultDestinationUnreachable is the WSManFault code of a resource that the
// service cannot find.
const faultDestinationUnreachable = 2150858752

// notFound is the answer to a Get of an instance that is not there.
func notFound() *failure {
	return &failure{code: faultDestinationUnreachable, subcode: "a:DestinationUnreachable", sender: true}
}
