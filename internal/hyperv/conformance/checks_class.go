package conformance

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// serves tells whether the image management service of a namespace is there.
// Faults other than those about what is missing say nothing about that.
func (k *kit) serves(ctx context.Context, namespace string) (bool, error) {
	_, err := k.client.Get(ctx, service(namespace))
	if fault, ok := errors.AsType[*wsman.Fault](err); ok && missing(fault, missingNamespaceCodes...) {
		return false, nil
	}
	return err == nil, err
}

// missingNamespaceCodes are the numbers of a fault about a namespace or a class
// that is not there.
var missingNamespaceCodes = []uint32{2147749902, 2147749904, 2150858752, 2150858811, 2150858778}

// missing tells whether a fault says that something is not there.
func missing(f *wsman.Fault, codes ...uint32) bool {
	if len(f.Codes) == 0 { // servers other than Windows send no numbers
		return f.Subcode.Local == "DestinationUnreachable"
	}
	return hasAny(codes...)(f)
}

func (k *kit) namespacesByRelease(ctx context.Context) verdict {
	is2012, known := k.atLeast(6, 2, 0)
	is2016, _ := k.atLeast(10, 0, 0)
	if !known {
		return notTested("the version of Windows is not known")
	}
	if k.namespace == "" {
		return notTested("the host serves no generation of the Hyper-V provider to this account")
	}
	v2, err := k.serves(ctx, cim.NamespaceVirtualizationV2)
	if err != nil {
		return trouble(err)
	}
	v1, err := k.serves(ctx, cim.NamespaceVirtualizationV1)
	if err != nil {
		return trouble(err)
	}
	return when(v2 == is2012 && (!is2016 || !v1), "version %s: newer generation %t, older generation %t", k.version, v2, v1)
}

func (k *kit) v1On2012R2(ctx context.Context) verdict {
	if !strings.HasPrefix(k.version, "6.3.") {
		return notTested("only asked of Server 2012 R2")
	}
	v1, err := k.serves(ctx, cim.NamespaceVirtualizationV1)
	if err != nil {
		return trouble(err)
	}
	return when(!v1, "older generation %t", v1)
}

func (k *kit) serviceOneSelector(ctx context.Context) verdict {
	i, err := k.client.Get(ctx, service(k.namespace))
	if err != nil {
		return trouble(err)
	}
	class, _ := i.String("CreationClassName")
	return when(class == cim.ClassImageManagementService, "%d properties, the expected class %t", len(i.Names()), class == cim.ClassImageManagementService)
}

func (k *kit) serviceName(ctx context.Context) verdict {
	i, err := k.client.Get(ctx, service(k.namespace))
	if err != nil {
		return trouble(err)
	}
	name, _ := i.String("Name")
	return when(name == "vhdsvc", "the expected name %t", name == "vhdsvc")
}

func (k *kit) withoutSelectors(ctx context.Context) error {
	_, _, err := k.invoke(ctx, cim.NewReference(k.namespace, cim.ClassImageManagementService), k.inspection(), "Path", k.absent(".vhdx"))
	return err
}

func (k *kit) invokeWithoutSelectors(ctx context.Context) verdict {
	return wantRefusal(k.invokeHarmlessly(ctx), k.withoutSelectors(ctx))
}

func (k *kit) invokeWithoutSelectorsCode(ctx context.Context) verdict {
	return wantFault(k.withoutSelectors(ctx), hasAny(2147749935))
}

func (k *kit) rightsToInvoke(ctx context.Context) verdict {
	err := k.invokeHarmlessly(ctx)
	fault, ok := errors.AsType[*wsman.Fault](err)
	switch {
	case ok && denied(fault):
		return contradicted("%s", describe(fault))
	case err != nil:
		return trouble(err)
	}
	return held("a method was called")
}

// invokeHarmlessly inspects a file that does not exist.
func (k *kit) invokeHarmlessly(ctx context.Context) error {
	_, _, err := k.invoke(ctx, service(k.namespace), k.inspection(), "Path", k.absent(k.extension()))
	return err
}

// accessDenied looks for a refusal for lack of rights, to read the service or to
// call a method of it. Without its number a refusal is known by its subcode.
func (k *kit) accessDenied(ctx context.Context) verdict {
	var errs []error
	if k.namespace != "" {
		errs = append(errs, k.invokeHarmlessly(ctx))
	} else {
		for _, namespace := range []string{cim.NamespaceVirtualizationV2, cim.NamespaceVirtualizationV1} {
			_, err := k.client.Get(ctx, service(namespace))
			errs = append(errs, err)
		}
	}
	var seen []string
	for _, err := range errs {
		if fault, ok := errors.AsType[*wsman.Fault](err); ok && denied(fault) {
			return when(hasAny(deniedCodes...)(fault), "%s", describe(fault))
		}
		seen = append(seen, summary(err))
	}
	return notTested("no refusal for lack of rights: %s", strings.Join(seen, "; "))
}

// extension is that of a disk which the host knows.
func (k *kit) extension() string {
	if k.isV2() {
		return ".vhdx"
	}
	return ".vhd"
}

func (k *kit) deadJob(ctx context.Context) verdict {
	_, err := k.client.Get(ctx, cim.NewReference(k.namespace, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: newGUID()}))
	return wantFault(err, both(hasSubcode("DestinationUnreachable"), hasAny(2150858752)))
}

func (k *kit) findMountedNothing(ctx context.Context) verdict {
	if is, known := k.atLeast(10, 0, 14393); !is && known {
		return notTested("the method is not there before Server 2016")
	}
	o, err := k.findMount(ctx, k.absent(".vhdx"), criterionPath)
	if err != nil {
		return trouble(err)
	}
	return when(o.value == 32789, "return value %d", o.value)
}

// criterionPath is the CriterionType of a path.
const criterionPath = "2"

// found is the answer of FindMountedStorageImageInstance.
type found struct {
	value uint64
	image bool // it names an image
}

func (k *kit) findMount(ctx context.Context, path, criterion string) (found, error) {
	value, out, err := k.invoke(ctx, service(k.namespace), "FindMountedStorageImageInstance", "SelectionCriterion", path, "CriterionType", criterion)
	if err != nil {
		return found{}, err
	}
	_, image := out.Value("Image").Reference()
	return found{value, image}, nil
}

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

// inspections are the methods that tell about a disk and their out parameters.
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

// file reads a file, a directory or a share of root\cimv2.
func (k *kit) file(ctx context.Context, class, path string) (*cim.Instance, error) {
	return k.client.Get(ctx, cim.NewReference(cim.NamespaceCIMv2, class, cim.Selector{Name: "Name", Value: path}))
}

// gone tells whether an error says that an instance does not exist.
func gone(err error) bool {
	fault, ok := errors.AsType[*wsman.Fault](err)
	return ok && missing(fault, 2150858752, 2147749890)
}

func (k *kit) fileClassesByName(ctx context.Context) verdict {
	if winpath.IsUNC(k.subject) || winpath.IsVolumeGUID(k.subject) {
		return notTested("the disk is not on a drive of the host")
	}
	_, directory := k.file(ctx, cim.ClassDirectory, winpath.Dir(k.subject))
	_, file := k.file(ctx, cim.ClassDataFile, k.subject)
	for _, err := range []error{directory, file} {
		if err != nil && !gone(err) {
			return trouble(err)
		}
	}
	return when(directory == nil && file == nil, "directory %t, file %t", directory == nil, file == nil)
}

func (k *kit) absentFile(ctx context.Context) verdict {
	_, err := k.file(ctx, cim.ClassDataFile, k.absent(".vhdx"))
	return wantFault(err, hasAny(2150858752, 2147749890))
}

func (k *kit) fileLetterCase(ctx context.Context) verdict {
	i, err := k.file(ctx, cim.ClassDataFile, strings.ToUpper(k.subject))
	if err != nil {
		return trouble(err)
	}
	name, _ := i.String("Name")
	return when(name != "" && !strings.ContainsFunc(name, unicode.IsUpper), "capitals in the name %t", strings.ContainsFunc(name, unicode.IsUpper))
}

// localDrives looks for a directory behind a share which the host is known to have.
func (k *kit) localDrives(ctx context.Context) verdict {
	if _, err := k.file(ctx, "Win32_Share", "ADMIN$"); gone(err) {
		return notTested("the host does not share a directory to look for")
	} else if err != nil {
		return trouble(err)
	}
	_, err := k.file(ctx, cim.ClassDirectory, `\\localhost\ADMIN$`)
	switch {
	case err == nil:
		return contradicted("a directory behind a share was found")
	case gone(err):
		return held("%s", summary(err))
	}
	return trouble(err)
}

func (k *kit) junctions(ctx context.Context) verdict {
	query := `SELECT Name FROM Win32_Directory WHERE Drive='C:' AND Path='\\'`
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: allInCIMv2, WQL: query})
	if err != nil {
		return trouble(err)
	}
	if len(all) == 0 {
		return notTested("the host lists nothing on drive C")
	}
	for _, i := range all {
		if name, _ := i.String("Name"); strings.EqualFold(name, `C:\Documents and Settings`) {
			return held("listed among %d directories", len(all))
		}
	}
	return contradicted("not among %d directories", len(all))
}
