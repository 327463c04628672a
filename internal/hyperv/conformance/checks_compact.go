package conformance

import (
	"context"
	"errors"
	"strings"
)

// startCompact starts a compaction; in the older generation there are no modes.
func (k *kit) startCompact(ctx context.Context, path, mode string) (outcome, error) {
	if err := k.mayStart(ctx); err != nil {
		return outcome{}, err
	}
	if !k.isV2() || mode == "" {
		return k.start(ctx, service(k.namespace), "CompactVirtualHardDisk", "Path", path)
	}
	return k.start(ctx, service(k.namespace), "CompactVirtualHardDisk", "Path", path, "Mode", mode)
}

// compact compacts a disk and waits for the end.
func (k *kit) compact(ctx context.Context, path, mode string) (outcome, error) {
	o, err := k.startCompact(ctx, path, mode)
	if err != nil {
		return o, err
	}
	err = k.await(ctx, &o)
	return o, err
}

// inModes compacts a disk in one mode after the other.
func (k *kit) inModes(ctx context.Context, path string, modes ...string) verdict {
	var seen []string
	all := true
	for _, mode := range modes {
		o, err := k.compact(ctx, path, mode)
		if err != nil {
			return trouble(err)
		}
		all = all && o.succeeded()
		seen = append(seen, "mode "+mode+": "+o.String())
	}
	return when(all, "%s", strings.Join(seen, "; "))
}

func (k *kit) compactDetached(ctx context.Context) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.inModes(ctx, d.path, "0", "1", "3", "4")
}

func (k *kit) compactAttached(ctx context.Context) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileListed(ctx, d.path, true, func() verdict { return k.inModes(ctx, d.path, "0", "1", "2", "3", "4") })
}

// refusal compacts a disk of a kind and expects a refusal.
func (k *kit) refusal(ctx context.Context, d kind, mode string, ok func(outcome) bool) verdict {
	disk, err := k.disk(ctx, d)
	if err != nil {
		return trouble(err)
	}
	o, err := k.compact(ctx, disk.path, mode)
	if err != nil {
		return trouble(err)
	}
	return when(ok(o), "%s", o)
}

func (k *kit) compactRetrim(ctx context.Context) verdict {
	return k.refusal(ctx, dynamicVHDX, "2", func(o outcome) bool { return o.refused(32775, 0xC03A001C) })
}

func (k *kit) compactVHD(ctx context.Context) verdict {
	return k.refusal(ctx, dynamicVHD, "0", outcome.succeeded)
}

func (k *kit) compactFixedVHD(ctx context.Context) verdict {
	return k.refusal(ctx, fixedVHD, "0", func(o outcome) bool {
		return o.value == returnJobStarted && o.code == 32770 && o.status == 0xC03A001B
	})
}

func (k *kit) compactFixedVHDX(ctx context.Context) verdict {
	return k.refusal(ctx, fixedVHDX, "0", outcome.succeeded)
}

func (k *kit) compactWithoutMode(ctx context.Context) verdict {
	return k.refusal(ctx, dynamicVHDX, "", func(o outcome) bool { return o.value == 32773 })
}

func (k *kit) compactUnknownMode(ctx context.Context) verdict {
	return k.refusal(ctx, dynamicVHDX, "99", func(o outcome) bool { return o.value == 32773 })
}

func (k *kit) compactMissing(ctx context.Context) verdict {
	o, err := k.compact(ctx, k.absent(k.extension()), "0")
	if err != nil {
		return trouble(err)
	}
	return when(o.refused(32779, 0x80070002), "%s", o)
}

// compactWritable compacts a disk that is attached with write access.
func (k *kit) compactWritable(ctx context.Context, ok func(outcome) bool) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileListed(ctx, d.path, false, func() verdict {
		o, err := k.compact(ctx, d.path, "0")
		if err != nil {
			return trouble(err)
		}
		return when(ok(o), "%s", o)
	})
}

func inUse(o outcome) bool { return o.refused(32774, 0x80070020) }

func (k *kit) compactInUse(ctx context.Context) verdict { return k.compactWritable(ctx, inUse) }

func (k *kit) refusalWay(ctx context.Context) verdict {
	return k.compactWritable(ctx, func(o outcome) bool { return o.value != returnJobStarted && o.value != returnOK })
}

// inspectCompacting asks for a disk between two looks at the job that compacts it;
// one that has ended by the second proves nothing.
func (k *kit) inspectCompacting(ctx context.Context) verdict {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	o, err := k.startCompact(ctx, d.path, "0")
	switch {
	case err != nil:
		return trouble(err)
	case !o.isFollowed():
		return notTested("the compaction had no job: %s", o)
	}
	opens, inspectErr := k.opens(ctx, d.path)
	ended, lookErr := k.ended(ctx, &o)
	if err := errors.Join(inspectErr, lookErr, k.await(ctx, &o)); err != nil {
		return trouble(err)
	}
	if ended {
		return notTested("%s", tooFast)
	}
	return when(opens, "opened %t", opens)
}

// ended reports whether a job is over.
func (k *kit) ended(ctx context.Context, o *outcome) (bool, error) {
	i, err := k.client.Get(ctx, *o.job)
	if err != nil {
		return false, err
	}
	readJob(o, i)
	return terminal(o.state), nil
}

const tooFast = "the compaction had ended before the host could be asked; a small disk has little to do"

func (k *kit) compactTwice(ctx context.Context) verdict {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	first, err := k.startCompact(ctx, d.path, "0")
	if err != nil {
		return trouble(err)
	}
	second, err := k.compact(ctx, d.path, "0")
	if err != nil {
		return trouble(err)
	}
	if err := k.await(ctx, &first); err != nil {
		return trouble(err)
	}
	if second.succeeded() {
		return notTested("%s", tooFast)
	}
	return when(first.succeeded() && inUse(second), "first: %s; second: %s", first, second)
}
