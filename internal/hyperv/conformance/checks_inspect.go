package conformance

import (
	"context"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// inspectMissing inspects a file that does not exist.
func (k *kit) inspectMissing(ctx context.Context) (outcome, error) {
	return k.call(ctx, service(k.namespace), k.inspection(), "Path", k.absent(k.extension()))
}

func (k *kit) missingFileValue(ctx context.Context) verdict {
	o, err := k.inspectMissing(ctx)
	if err != nil {
		return trouble(err)
	}
	return when(o.refused(32779, 0x80070002), "%s", o)
}

func (k *kit) missingFileWay(ctx context.Context) verdict {
	o, err := k.inspectMissing(ctx)
	if err != nil {
		return trouble(err)
	}
	return when(o.value != 4096, "%s", o)
}

// inspections returns the methods that describe a disk, with their out parameters.
func (k *kit) inspections() [][2]string {
	if k.isV2() {
		return [][2]string{{"GetVirtualHardDiskSettingData", "SettingData"}, {"GetVirtualHardDiskState", "State"}}
	}
	return [][2]string{{"GetVirtualHardDiskInfo", "Info"}}
}

// look makes an inspection, waits for its job if it starts one, and tells whether
// the call itself returned an instance.
func (k *kit) look(ctx context.Context, m [2]string) (o outcome, instance bool, err error) {
	if o, err = k.call(ctx, service(k.namespace), m[0], "Path", k.subject); err != nil {
		return o, false, err
	}
	text, _ := o.out.String(m[1])
	return o, text != "", nil
}

func (k *kit) inspectionImmediate(ctx context.Context) verdict {
	for _, m := range k.inspections() {
		o, instance, err := k.look(ctx, m)
		if err != nil {
			return trouble(err)
		}
		if o.value != returnOK && o.value != returnJobStarted {
			return notTested("%s returned %d", m[0], o.value)
		}
		if o.value != returnOK || !instance {
			return contradicted("%s returned %d, instance %t", m[0], o.value, instance)
		}
	}
	return held("return value 0 with the instance")
}

func (k *kit) inspectionAfterJob(ctx context.Context) verdict {
	for _, m := range k.inspections() {
		first, _, err := k.look(ctx, m)
		switch {
		case err != nil:
			return trouble(err)
		case first.value != returnJobStarted:
			continue
		case !first.succeeded():
			return notTested("the job of the inspection failed: %s", first)
		}
		second, instance, err := k.look(ctx, m)
		if err != nil {
			return trouble(err)
		}
		return when(second.value == returnOK && instance, "first: %s; then: %s, instance %t", first, second, instance)
	}
	return notTested("the host answered without a job")
}

func (k *kit) inspectionProperties(ctx context.Context) verdict {
	found := map[string]bool{}
	for _, m := range k.inspections() {
		i, err := k.inspect(ctx, m, k.subject)
		if err != nil {
			return trouble(err)
		}
		for _, name := range []string{"FileSize", "MaxInternalSize", "Type"} {
			if _, ok, err := i.Uint(name, 64); ok && err == nil {
				found[name] = true
			}
		}
	}
	return when(len(found) == 3, "FileSize %t, MaxInternalSize %t, Type %t", found["FileSize"], found["MaxInternalSize"], found["Type"])
}

// inspect reads the instance that an inspection method returns.
func (k *kit) inspect(ctx context.Context, m [2]string, path string) (*cim.Instance, error) {
	value, out, err := k.invoke(ctx, service(k.namespace), m[0], "Path", path)
	if err != nil {
		return nil, err
	}
	text, ok := out.String(m[1])
	if value != 0 || !ok {
		return nil, &valueError{m[0], value}
	}
	i, err := cim.DecodeEmbedded(text)
	if err != nil {
		return nil, &wsman.DecodeError{Err: err}
	}
	return i, nil
}
