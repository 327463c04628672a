package conformance

import (
	"context"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// observed is a compaction and what could be seen of its job.
type observed struct {
	o                         outcome
	asked                     time.Time
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
	s.asked = time.Now()
	if s.o, err = k.startCompact(ctx, d.path, "0"); err != nil || !s.o.isFollowed() {
		return err
	}
	id, _ := s.o.job.Selector("InstanceID")
	s.listed, _ = k.jobsNamed(ctx, id, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassStorageJob)})
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
	case s.o.last == nil:
		return notTested("the compaction had no job: %s", s.o)
	}
	return look(s)
}

func (k *kit) jobReference(ctx context.Context) verdict {
	s, err := k.observe(ctx)
	switch {
	case s.o.job == nil && err != nil:
		return trouble(err)
	case s.o.job == nil:
		return notTested("the compaction had no job: %s", s.o)
	}
	wrapped := parse(s.o.raw).find("Job").find("EndpointReference") != nil
	_, class, _ := cim.SplitResourceURI(s.o.job.ResourceURI)
	_, named := s.o.job.Selector("InstanceID")
	return when(!wrapped && class == cim.ClassStorageJob && named, "wrapped %t, class %s, InstanceID %t", wrapped, class, named)
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

// jobStart compares the clocks of jobs and of the system. A time zone that is left out would be
// off by a quarter of an hour at least.
func (k *kit) jobStart(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: systems})
		if err != nil || len(all) != 1 {
			return notTested("the times of the system cannot be read: %d systems, %v", len(all), err)
		}
		ran := time.Since(s.asked)
		began, hasBegan, _ := s.o.last.Time("StartTime")
		booted, hasBooted, _ := all[0].Time("LastBootUpTime")
		now, hasNow, _ := all[0].Time("LocalDateTime")
		off := now.Sub(began) - ran
		return when(hasBegan && hasBooted && hasNow && began.After(booted) && off.Abs() < time.Minute,
			"began %t, start %t, now %t; begun %s after the start of Windows, %s off", hasBegan, hasBooted, hasNow, began.Sub(booted), off.Round(time.Second))
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
	return when(s.o.isFollowed() || s.o.value == returnOK && s.o.job == nil, "return value %d, Job %s", s.o.value, form)
}
