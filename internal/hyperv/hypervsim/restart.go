package hypervsim

import "time"

// RestartService restarts the management service: every job is lost at once,
// running compactions stop and leave the disk as it was, attachments remain.
//
// Unverified on a real host (attachments-after-restart): what remains attached.
func (h *Host) RestartService() {
	h.world.lock()
	lost := h.world.loseJobs()
	h.world.mu.Unlock()
	awaitLost(lost)
}

// Restart restarts Windows: jobs and attachments are gone, their addresses are given out again,
// every connection is cut, and no client can connect while the host is down. Machines run again
// when it is up.
func (h *Host) Restart(down time.Duration) {
	h.SetDown(true)
	now := h.world.lock()
	lost := h.world.loseJobs()
	h.world.attachments = nil
	h.world.booted = now.Add(down)
	h.world.mu.Unlock()
	awaitLost(lost)
	if down <= 0 {
		h.SetDown(false)
		return
	}
	h.world.later(down, func() { h.SetDown(false) })
}

// loseJobs forgets all jobs.
func (w *world) loseJobs() []*job {
	lost := w.jobs
	w.jobs = nil
	for _, j := range lost {
		if j.real != nil {
			j.real.cancel()
		}
	}
	return lost
}

func awaitLost(lost []*job) {
	for _, j := range lost {
		if j.real != nil {
			<-j.real.done
		}
	}
}

// later calls f after d, unless the world is closed before.
func (w *world) later(d time.Duration, f func()) {
	w.running.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			f()
		case <-w.life.Done():
		}
	})
}
