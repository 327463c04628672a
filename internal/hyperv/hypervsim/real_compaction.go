package hypervsim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"
)

// realRun is the compaction of a real file: processes in the background.
type realRun struct {
	cancel   context.CancelFunc
	done     chan struct{}
	progress atomic.Uint32 // in 1/1000
}

func (r *realRun) part() float64 { return float64(r.progress.Load()) / 1000 }

// startReal starts the compaction of a real file.
func (w *world) startReal(j *job, d *disk, now time.Time) {
	if d.Type == TypeFixed {
		// There is nothing to reclaim, and it succeeds.
		j.finish, j.ends = func(float64) {}, now.Add(refusalDuration)
		w.start(j, now)
		return
	}
	ctx, cancel := context.WithCancel(w.life)
	j.real = &realRun{cancel: cancel, done: make(chan struct{})}
	w.start(j, now)
	w.running.Go(func() {
		defer close(j.real.done)
		defer cancel()
		err := compactFile(ctx, d.file, d.VHD, func(part float64) { j.real.progress.Store(uint32(1000 * part)) })
		w.endReal(j, err)
	})
}

// endReal ends the job of a real file when its processes have ended.
func (w *world) endReal(j *job, err error) {
	now := w.lock()
	defer w.mu.Unlock()
	if !j.isRunning() {
		return // it was detached or lost, and the processes were stopped
	}
	switch {
	case err == nil || j.cancelled:
	case errors.Is(err, context.Canceled):
		j.settled, j.failure = JobException, &refusal{code: returnFailed, status: statusCancelled}
	default:
		w.log.Error("a real disk was not compacted", "path", j.path, "error", err)
		j.settled, j.failure = JobException, failureOf(err)
	}
	w.end(j, now)
}

// failureOf finds the codes for an error of the file system or of qemu-img.
func failureOf(err error) *refusal {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &refusal{code: returnFileNotFound, status: statusFileNotFound}
	case errors.Is(err, os.ErrPermission):
		return &refusal{code: returnAccessDenied, status: statusAccessDenied}
	case errors.Is(err, errUnsupported):
		return &refusal{code: returnNotSupported, status: statusInvalidType}
	case errors.Is(err, errChanged):
		return &refusal{code: returnInUse, status: statusSharingViolation}
	}
	return &refusal{code: returnFailed, status: statusCorrupt}
}

var (
	errUnsupported = errors.New("qemu-img cannot write a disk of this kind")
	errChanged     = errors.New("the file was changed meanwhile")
)

// Parts of the progress of a run.
const (
	partConverted = 0.8
	partChecked   = 0.85
)

// compactFile makes a copy without zero blocks beside the file, proves that it
// is sound and holds the same data, and puts it in the place of the file. On
// any failure, and when nothing is gained, the file stays as it is.
func compactFile(ctx context.Context, name string, v VHD, progress func(part float64)) error {
	if !v.isConvertible() {
		return fmt.Errorf("%s: %w", name, errUnsupported)
	}
	before, err := os.Stat(name)
	if err != nil {
		return err
	}
	copied := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".compacting")
	if err := os.Remove(copied); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer func() { _ = os.Remove(copied) }()

	if err := convert(ctx, name, copied, v, func(part float64) { progress(part * partConverted) }); err != nil {
		return err
	}
	if err := keepIdentity(copied, name); err != nil {
		return err
	}
	if err := verify(ctx, name, copied, v, func(part float64) { progress(partChecked + part*(1-partChecked)) }); err != nil {
		return err
	}
	return replace(ctx, name, copied, before)
}

// isConvertible reports whether qemu-img can write a disk of this kind.
func (v VHD) isConvertible() bool {
	return v.Type != TypeDifferencing && v.LogicalSectorSize == 512 && (v.Format != FormatVHD || v.BlockSize == 2<<20)
}

// replace puts the copy in the place of the file if that is smaller, and if the
// file was not written to since.
func replace(ctx context.Context, name, copied string, before os.FileInfo) error {
	after, err := os.Stat(copied)
	if err != nil {
		return err
	}
	if after.Size() >= before.Size() {
		return nil
	}
	for _, step := range [...]func() error{
		func() error { return os.Chmod(copied, before.Mode().Perm()) },
		func() error { return flush(copied, os.O_RDWR) },
		func() error { return unchanged(name, before) },
		ctx.Err,
		func() error { return os.Rename(copied, name) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened for writing, and nothing else is flushed
	}
	return flush(filepath.Dir(name), os.O_RDONLY)
}

// unchanged fails if the file is another one by now, or was written to.
func unchanged(name string, before os.FileInfo) error {
	now, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !os.SameFile(before, now) || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
		return fmt.Errorf("%s: %w", name, errChanged)
	}
	return nil
}

// flush makes a file or the entries of a folder durable.
func flush(name string, flag int) error {
	f, err := os.OpenFile(name, flag, 0) //nolint:gosec // G304: the file is in a folder that the caller mapped
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
