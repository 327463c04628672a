package conformance

import (
	"context"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func (k *kit) attachListed(ctx context.Context) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileAttached(ctx, d.path, true, func(m *mount) verdict {
		return when(m != nil && m.access == accessReadOnly, "listed %t, read-only %t", m != nil, m != nil && m.access == accessReadOnly)
	})
}

// attached looks at a disk while it is attached read-only.
func (k *kit) attached(ctx context.Context, look func(path string) verdict) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileListed(ctx, d.path, true, func() verdict { return look(d.path) })
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
		return when(f.value == returnOK && f.image, "return value %d, reference to an image %t", f.value, f.image)
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
		switch {
		case err != nil:
			return trouble(err)
		case !was:
			return notTested("the disk was not listed any more")
		}
		return when(value == returnOK && m == nil, "return value %d, still listed %t", value, m != nil)
	})
}

func (k *kit) deleteInUse(ctx context.Context) verdict {
	d, err := k.create(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	return k.whileListed(ctx, d.path, true, func() verdict {
		value, err := k.deleteFileOf(ctx, d.path)
		if err != nil {
			return trouble(err)
		}
		_, err = k.file(ctx, cim.ClassDataFile, d.path)
		return when(value == 15, "return value %d, gone %t", value, gone(err))
	})
}
