package conformance

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// jobOwner looks at the owner of the observed compaction's job.
func (k *kit) jobOwner(ctx context.Context) verdict {
	return k.withJob(ctx, func(s *observed) verdict {
		owner, _ := s.o.last.String("Owner")
		domain, name, apart := strings.Cut(owner, `\`)
		own := k.isOwn(owner)
		return when(apart && domain != "" && own, "a domain in front %t, the account that logged on %t, a suffix %t", apart && domain != "", own, strings.Contains(name, "@"))
	})
}

// isOwn reports whether an owner is the account that the kit logs on with.
func (k *kit) isOwn(owner string) bool {
	_, name, _ := strings.Cut(owner, `\`)
	user := k.options.account()
	if i := strings.IndexByte(user, '\\'); i >= 0 {
		user = user[i+1:]
	}
	user, _, _ = strings.Cut(user, "@")
	return user != "" && strings.EqualFold(name, user)
}

// inspectAttached inspects a disk while it is attached.
func (k *kit) inspectAttached(ctx context.Context) verdict {
	return k.attached(ctx, func(path string) verdict {
		for _, m := range k.inspections() {
			if _, err := k.inspect(ctx, m, path); err != nil {
				return refusedOr(err)
			}
		}
		return held("inspected by both methods")
	})
}

// refusedOr returns contradicted when a method refused, else the reason why it could not be asked.
func refusedOr(err error) verdict {
	if value, ok := errors.AsType[*valueError](err); ok {
		return contradicted("%s", value)
	}
	return trouble(err)
}

// addresses attaches two disks and, after the first was detached, a third. Disks that were attached
// before stay where they are.
type addresses struct {
	first, second, third cim.Reference
	v                    verdict // why there are none
}

func (k *kit) lunOrder(ctx context.Context) verdict {
	a := k.attachThree(ctx)
	if a.v.result != "" {
		return a.v
	}
	lower := lun(a.first) < lun(a.second)
	return when(lower && sameBus(a.first, a.second), "the second after the first %t, on the same bus and target %t", lower, sameBus(a.first, a.second))
}

func (k *kit) lunReused(ctx context.Context) verdict {
	a := k.attachThree(ctx)
	if a.v.result != "" {
		return a.v
	}
	same := lun(a.third) == lun(a.first) && sameBus(a.first, a.third)
	return when(same, "the third disk has the address that the first had %t", same)
}

func (k *kit) attachThree(ctx context.Context) (a addresses) {
	if k.lab.three == nil {
		a.v = k.fillThree(ctx, &a)
		k.lab.three = &a
	}
	return *k.lab.three
}

// fillThree attaches in the order first, second, third, each while the one before
// is attached or was just detached.
func (k *kit) fillThree(ctx context.Context, a *addresses) verdict {
	one, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	two, err := k.disk(ctx, dynamicVHD)
	if err != nil {
		return trouble(err)
	}
	three, err := k.disk(ctx, fixedVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileAttached(ctx, one.path, true, func(first *mount) verdict {
		return k.whileAttached(ctx, two.path, true, func(second *mount) verdict {
			if _, _, err := k.detach(ctx, one.path); err != nil {
				return trouble(err)
			}
			return k.whileAttached(ctx, three.path, true, func(third *mount) verdict {
				if first == nil || second == nil || third == nil {
					return notTested("the host says that the disks were attached, but does not list them")
				}
				a.first, a.second, a.third = first.ref, second.ref, third.ref
				return verdict{}
			})
		})
	})
}

func lun(r cim.Reference) int {
	value, _ := r.Selector("Lun")
	n, err := strconv.Atoi(value)
	if err != nil {
		return -1
	}
	return n
}

func sameBus(a, b cim.Reference) bool {
	for _, key := range []string{"PortNumber", "PathId", "TargetId"} {
		va, _ := a.Selector(key)
		vb, _ := b.Selector(key)
		if va != vb {
			return false
		}
	}
	return true
}

// imageSpelling attaches a disk by its path in capitals.
func (k *kit) imageSpelling(ctx context.Context) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	asked := strings.ToUpper(d.path)
	return k.whileAttached(ctx, asked, true, func(m *mount) verdict {
		if m == nil {
			return notTested("the disk is not listed under its path in other letters")
		}
		return when(m.name == d.path, "as the file is spelled %t, as it was asked for %t, the same path %t", m.name == d.path, m.name == asked, winpath.Equal(m.name, d.path))
	})
}
