package conformance

import (
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func (k *kit) createDisk(ctx context.Context) verdict {
	d, err := k.disk(ctx, k.work())
	switch {
	case errors.Is(err, errUnseen):
		return contradicted("%s", errUnseen)
	case err != nil:
		return trouble(err)
	}
	opens, err := k.opens(ctx, d.path)
	if err != nil {
		return trouble(err)
	}
	return when(opens, "%s; inspected %t", d.out, opens)
}

// opens reports whether a disk can be inspected. An error is no answer to that.
func (k *kit) opens(ctx context.Context, path string) (bool, error) {
	_, err := k.inspect(ctx, k.inspections()[0], path)
	if _, refused := errors.AsType[*valueError](err); refused {
		return false, nil
	}
	return err == nil, err
}

func (k *kit) createExisting(ctx context.Context) verdict {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return trouble(err)
	}
	o, err := k.order(ctx, k.work(), d.path)
	d.id = k.diskID(ctx, d.path) // a host that replaced the disk did so for the kit
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
	if err != nil && !gone(err) {
		return trouble(err)
	}
	return when(value == returnOK && gone(err), "return value %d, gone %t", value, gone(err))
}
