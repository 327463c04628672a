package conformance

import (
	"context"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

func (k *kit) createDisk(ctx context.Context) verdict {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	_, err = k.inspect(ctx, k.inspections()[0], d.path)
	return when(err == nil, "%s; inspected %t", d.out, err == nil)
}

func (k *kit) createExisting(ctx context.Context) verdict {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	o, err := k.order(ctx, k.work(), d.path)
	if err != nil {
		return trouble(err)
	}
	return when(o.value == returnJobStarted && o.code == 32768 && o.status == 0x80070050, "%s", o)
}

// deleteFile makes a disk for the sole purpose of deleting it.
func (k *kit) deleteFile(ctx context.Context) verdict {
	d, err := k.create(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	value, err := k.deleteFileOf(ctx, d.path)
	if err != nil {
		return trouble(err)
	}
	_, err = k.file(ctx, cim.ClassDataFile, d.path)
	return when(value == returnOK && gone(err), "return value %d, gone %t", value, gone(err))
}

func (k *kit) deleteInUse(ctx context.Context) verdict {
	d, err := k.create(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	return k.whileAttached(ctx, d.path, true, func() verdict {
		value, err := k.deleteFileOf(ctx, d.path)
		if err != nil {
			return trouble(err)
		}
		return when(value == 15, "return value %d", value)
	})
}

// observed is a compaction and what could be seen of its job.
type observed struct {
	o                         outcome
	listed, queried, affected int // instances that name the job; -1: not asked
	elements                  string
	err                       error
}

// observe makes one compaction and looks at its job from every side. A host may
// keep records of jobs for minutes, so it does not matter if it has ended.
func (k *kit) observe(ctx context.Context) (*observed, error) {
	if k.lab.first != nil {
		return k.lab.first, k.lab.first.err
	}
	s := &observed{}
	s.err = k.fill(ctx, s)
	k.lab.first = s
	return s, s.err
}

func (k *kit) fill(ctx context.Context, s *observed) error {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return err
	}
	if s.o, err = k.startCompact(ctx, d.path, "0"); err != nil || s.o.job == nil {
		return err
	}
	id, _ := s.o.job.Selector("InstanceID")
	s.listed, s.err = k.jobsNamed(ctx, id, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassStorageJob)})
	typ := "JobType"
	if !k.isV2() {
		typ = "Type"
	}
	s.queried, _ = k.jobsNamed(ctx, id, wsman.Enumeration{
		ResourceURI: cim.ResourceURI(k.namespace, "*"), WQL: "SELECT * FROM " + cim.ClassStorageJob + " WHERE " + typ + "=3",
	})
	if k.isV2() {
		s.affected, s.elements = k.affectedBy(ctx, id)
	}
	return k.await(ctx, &s.o)
}

// jobsNamed counts the instances with an InstanceID; -1 when they cannot be read.
func (k *kit) jobsNamed(ctx context.Context, id string, e wsman.Enumeration) (int, error) {
	all, err := k.enumerate(ctx, e)
	if err != nil {
		return -1, err
	}
	n := 0
	for _, i := range all {
		if have, _ := i.String("InstanceID"); strings.EqualFold(have, id) {
			n++
		}
	}
	return n, nil
}

// affectedBy names the classes of the elements that a job affects.
func (k *kit) affectedBy(ctx context.Context, id string) (int, string) {
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassAffectedStorageJobElement)})
	if err != nil {
		return -1, ""
	}
	var elements []string
	for _, i := range all {
		job, _ := i.Value("AffectingElement").Reference()
		if have, _ := job.Selector("InstanceID"); !strings.EqualFold(have, id) {
			continue
		}
		element, _ := i.Value("AffectedElement").Reference()
		_, class, _ := cim.SplitResourceURI(element.ResourceURI)
		elements = append(elements, class)
	}
	return len(elements), strings.Join(elements, ", ")
}

// withJob looks at the observed compaction, if it had a job.
func (k *kit) withJob(ctx context.Context, look func(*observed) verdict) verdict {
	s, err := k.observe(ctx)
	switch {
	case err != nil:
		return trouble(err)
	case s.o.job == nil || s.o.last == nil:
		return notTested("the compaction had no job: %s", s.o)
	}
	return look(s)
}

func (k *kit) jobReference(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		job := parse(s.o.raw).find("Job")
		wrapped := job.find("EndpointReference") != nil
		_, class, _ := cim.SplitResourceURI(s.o.job.ResourceURI)
		_, named := s.o.job.Selector("InstanceID")
		return when(!wrapped && class == cim.ClassStorageJob && named, "wrapped %t, class %s, InstanceID %t", wrapped, class, named)
	})
}

func (k *kit) jobType(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		typ, ok, _ := s.o.last.Uint("JobType", 16)
		if !ok {
			typ, _, _ = s.o.last.Uint("Type", 16)
		}
		return when(typ == 3, "type %d", typ)
	})
}

func (k *kit) jobKept(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		kept, ok, err := s.o.last.Duration("TimeBeforeRemoval")
		return when(ok && err == nil && kept.Minutes() == 5, "%s", kept)
	})
}

func (k *kit) jobWrongClass(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		id, _ := s.o.job.Selector("InstanceID")
		_, err := k.client.Get(ctx, cim.NewReference(k.namespace, "Msvm_ConcreteJob", cim.Selector{Name: "InstanceID", Value: id}))
		return wantFault(err, hasSubcode("DestinationUnreachable"))
	})
}

func (k *kit) jobListed(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict { return count(s.listed) })
}

func (k *kit) jobQueried(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict { return count(s.queried) })
}

func count(n int) verdict {
	if n < 0 {
		return notTested("the jobs could not be read")
	}
	return when(n == 1, "%d instances", n)
}

func (k *kit) affectedElement(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		if s.affected < 0 {
			return notTested("the associations could not be read")
		}
		return when(s.affected == 1 && s.elements == cim.ClassImageManagementService, "%d elements: %s", s.affected, s.elements)
	})
}

func (k *kit) compactOutput(ctx context.Context) verdict {
	s, err := k.observe(ctx)
	if err != nil {
		return trouble(err)
	}
	form := "absent"
	if job := parse(s.o.raw).find("Job"); job.hasNil() {
		form = "nil"
	} else if job != nil {
		form = "a reference"
	}
	return when(s.o.value == returnJobStarted && s.o.job != nil || s.o.value == returnOK && s.o.job == nil, "return value %d, Job %s", s.o.value, form)
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
	return k.whileAttached(ctx, d.path, true, func() verdict { return k.inModes(ctx, d.path, "0", "1", "2", "3", "4") })
}

// refusal compacts a disk of a kind and wants to be refused.
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
	return k.whileAttached(ctx, d.path, false, func() verdict {
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

// cancelled is a compaction that was cancelled, or the attempt.
type cancelled struct {
	o      outcome
	answer uint64
	opens  bool
	err    error
}

func (k *kit) cancelOne(ctx context.Context) (*cancelled, error) {
	if k.lab.cancel == nil {
		c := &cancelled{}
		c.err = k.tryCancel(ctx, c)
		k.lab.cancel = c
	}
	return k.lab.cancel, k.lab.cancel.err
}

func (k *kit) tryCancel(ctx context.Context, c *cancelled) error {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return err
	}
	if c.o, err = k.startCompact(ctx, d.path, "0"); err != nil || c.o.job == nil {
		return err
	}
	if c.answer, _, err = k.invoke(ctx, *c.o.job, "RequestStateChange", "RequestedState", "4"); err != nil {
		return err
	}
	if err := k.await(ctx, &c.o); err != nil {
		return err
	}
	_, err = k.inspect(ctx, k.inspections()[0], d.path)
	c.opens = err == nil
	return nil
}

// whenCancelled looks at a compaction that was cancelled in time.
func (k *kit) whenCancelled(ctx context.Context, look func(*cancelled) verdict) verdict {
	if !k.cancels() {
		return notTested("jobs can be cancelled from Server 2012 R2 on")
	}
	c, err := k.cancelOne(ctx)
	switch {
	case err != nil:
		return trouble(err)
	case c.o.job == nil || c.o.succeeded():
		return notTested("%s", tooFast)
	}
	return look(c)
}

// cancels tells whether jobs are documented to be cancellable.
func (k *kit) cancels() bool {
	is, known := k.atLeast(6, 3, 0)
	return is || !known
}

func (k *kit) cancelAnswer(ctx context.Context) verdict {
	return k.whenCancelled(ctx, func(c *cancelled) verdict {
		return when(c.answer == 0 || c.answer == 4096, "return value %d, %s", c.answer, c.o)
	})
}

func (k *kit) cancelledState(ctx context.Context) verdict {
	return k.whenCancelled(ctx, func(c *cancelled) verdict { return when(c.o.state == 8, "%s", c.o) })
}

func (k *kit) cancelledOpens(ctx context.Context) verdict {
	return k.whenCancelled(ctx, func(c *cancelled) verdict { return when(c.opens, "inspected %t", c.opens) })
}

func (k *kit) endedJob(ctx context.Context) verdict {
	if !k.cancels() {
		return notTested("jobs can be cancelled from Server 2012 R2 on")
	}
	return k.withJob(ctx, func(s *observed) verdict {
		value, _, err := k.invoke(ctx, *s.o.job, "RequestStateChange", "RequestedState", "4")
		if err != nil {
			return trouble(err)
		}
		return when(value == 4097, "return value %d", value)
	})
}

// attached looks at the work disk while it is attached read-only.
func (k *kit) attached(ctx context.Context, look func(path string) verdict) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileAttached(ctx, d.path, true, func() verdict { return look(d.path) })
}

func (k *kit) attachListed(ctx context.Context) verdict {
	return k.attached(ctx, func(path string) verdict {
		m, err := k.mountOf(ctx, path)
		if err != nil {
			return trouble(err)
		}
		return when(m != nil && m.access == 1, "listed %t, read-only %t", m != nil, m != nil && m.access == 1)
	})
}

func (k *kit) findMounted(ctx context.Context) verdict {
	if is, known := k.atLeast(10, 0, 14393); !is && known {
		return notTested("the method is not there before Server 2016")
	}
	return k.attached(ctx, func(path string) verdict {
		f, err := k.findMount(ctx, path, criterionPath)
		if err != nil {
			return trouble(err)
		}
		return when(f.value == returnOK && f.image, "return value %d, reference %t", f.value, f.image)
	})
}

func (k *kit) attachAttached(ctx context.Context) verdict {
	return k.attached(ctx, func(path string) verdict {
		o, err := k.attach(ctx, path, true)
		if err != nil {
			return trouble(err)
		}
		return when(inUse(o), "%s", o)
	})
}

func (k *kit) detachClaim(ctx context.Context) verdict {
	return k.attached(ctx, func(path string) verdict {
		value, was, err := k.detach(ctx, path)
		if err != nil {
			return trouble(err)
		}
		m, err := k.mountOf(ctx, path)
		if err != nil {
			return trouble(err)
		}
		if !was {
			return notTested("the disk was not listed")
		}
		return when(value == returnOK && m == nil, "return value %d, still listed %t", value, m != nil)
	})
}
