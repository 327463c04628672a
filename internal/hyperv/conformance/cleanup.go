package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

const (
	// cleanUpTimeout bounds the removal of what the kit has made; no more than half
	// of it is spent on jobs.
	cleanUpTimeout = 2 * time.Minute
	removeTries    = 5
)

// cleanUp removes what the kit has made, interrupted or not.
func (k *kit) cleanUp(ctx context.Context) error {
	if len(k.lab.made) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer stop()
	running := k.endJobs(ctx)
	var left []error
	for _, s := range k.lab.made {
		if err := k.remove(ctx, s, running != nil); err != nil {
			k.log.Error("left on the host", "file", s.path, "error", err)
			left = append(left, fmt.Errorf("left on the host: %s: %w", s.path, err))
		}
	}
	return errors.Join(append(left, running)...)
}

// endJobs cancels the jobs of the kit that still run and waits for their end.
func (k *kit) endJobs(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, cleanUpTimeout/2)
	defer stop()
	var running []*outcome
	for i := range k.lab.jobs {
		o := &outcome{value: returnJobStarted, job: &k.lab.jobs[i]}
		instance, err := k.client.Get(ctx, *o.job)
		if err != nil {
			continue // it is gone, or removing the file will show what is wrong
		}
		if readJob(o, instance); terminal(o.state) {
			continue
		}
		running = append(running, o)
		if _, _, err := k.invoke(ctx, *o.job, "RequestStateChange", "RequestedState", "4"); err != nil {
			k.log.Warn("a job was not cancelled", "error", err)
		}
	}
	for _, o := range running {
		if err := k.await(ctx, o); errors.Is(err, errStuck) {
			return fmt.Errorf("left on the host: %w, in state %d", err, o.state)
		} else if err != nil {
			k.log.Warn("it is not known whether a job has ended", "error", err)
		}
	}
	return nil
}

// remove detaches and deletes a file of the kit. The host is asked whether the file is there, and
// whether it is the disk that the kit made.
func (k *kit) remove(ctx context.Context, s *scratchDisk, jobsRun bool) error {
	var err error
	for try := range removeTries {
		if try > 0 {
			if ended := pause(ctx, time.Second); ended != nil {
				return errors.Join(ended, err)
			}
		}
		if _, err = k.file(ctx, cim.ClassDataFile, s.path); gone(err) && (s.settled || try == removeTries-1) {
			return s.absent(jobsRun)
		}
		if err != nil {
			continue // a disk may still appear if the outcome of its creation is unknown
		}
		if err = k.removeOnce(ctx, s); errors.Is(err, errAnother) {
			return err
		}
	}
	if _, last := k.file(ctx, cim.ClassDataFile, s.path); gone(last) {
		return nil
	}
	return errors.Join(errors.New("it could not be removed"), err)
}

// absent returns an error if the file may exist, or come to exist, although the host does not show
// it.
func (s *scratchDisk) absent(jobsRun bool) error {
	switch {
	case s.unseen:
		return errUnseen
	case !s.settled && jobsRun:
		return errors.New("it is not there, but a job that may create it has not ended")
	}
	return nil
}

// errAnother: a disk that the kit did not make has taken the place of one that it made.
var errAnother = errors.New("another disk is in its place by now, which is not touched")

func (k *kit) removeOnce(ctx context.Context, s *scratchDisk) error {
	value, attached, err := k.detach(ctx, s.path)
	switch {
	case err != nil:
		return err
	case attached && value != returnOK:
		return &valueError{"detaching", value}
	}
	if id := k.diskID(ctx, s.path); s.id != "" && id != "" && id != s.id {
		return errAnother
	}
	if value, err = k.deleteFileOf(ctx, s.path); err == nil && value != returnOK {
		return &valueError{"Delete", value}
	}
	return err
}

// deleteFileOf deletes a file by CIM_DataFile.
func (k *kit) deleteFileOf(ctx context.Context, path string) (uint64, error) {
	value, _, err := k.invoke(ctx, cim.NewReference(cim.NamespaceCIMv2, cim.ClassDataFile, cim.Selector{Name: "Name", Value: path}), "Delete")
	return value, err
}
