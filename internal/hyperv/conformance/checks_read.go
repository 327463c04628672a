package conformance

import (
	"context"
	"errors"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	classOperatingSystem = "Win32_OperatingSystem"
	classNone            = "Msvm_HypervConformanceNone"
	namespaceNone        = `root\virtualization\hyperv_conformance_none`
)

var (
	systems    = cim.ResourceURI(cim.NamespaceCIMv2, classOperatingSystem)
	allInCIMv2 = cim.ResourceURI(cim.NamespaceCIMv2, "*")
)

// letterToSystem begins an enumeration of the one operating system: it changes
// nothing, and its answer reveals nothing.
func (k *kit) letterToSystem() letter {
	return k.letter(systems, actionEnumerate, `<n:Enumerate/>`)
}

func (k *kit) identify(ctx context.Context) verdict {
	id, err := k.client.Identify(ctx)
	if err != nil {
		return trouble(err)
	}
	return when(id.ProtocolVersion != "" && id.ProductVendor != "" && id.ProductVersion != "", "protocol %t, vendor %t, version %t",
		id.ProtocolVersion != "", id.ProductVendor != "", id.ProductVersion != "")
}

func (k *kit) relatesTo(ctx context.Context) verdict {
	text := k.letterToSystem().String()
	root, err := k.send(ctx, text)
	if err != nil {
		return trouble(err)
	}
	asked, related := parse(text).find("MessageID").value(), root.find("RelatesTo").value()
	return when(strings.EqualFold(asked, related), "RelatesTo present %t, equal %t", related != "", strings.EqualFold(asked, related))
}

// sendWrong sends a letter with a mistake in it.
func (k *kit) sendWrong(ctx context.Context, text string, test func(*wsman.Fault) bool) verdict {
	_, err := k.send(ctx, text)
	return wantFault(err, test)
}

func (k *kit) envelopeTooSmall(ctx context.Context) verdict {
	l := k.letterToSystem()
	l.maxEnvelopeSize = "8191"
	return k.sendWrong(ctx, l.String(), hasSubcode("EncodingLimit"))
}

func (k *kit) malformedXML(ctx context.Context) verdict {
	text := strings.Replace(k.letterToSystem().String(), "</s:Body>", "</s:Bodi>", 1)
	return k.sendWrong(ctx, text, hasSubcode("SchemaValidationError"))
}

func (k *kit) malformedDuration(ctx context.Context) verdict {
	l := k.letterToSystem()
	l.timeout = "sixty"
	return k.sendWrong(ctx, l.String(), hasSubcode("SchemaValidationError"))
}

func (k *kit) localeUnknown(ctx context.Context) verdict {
	l := k.letterToSystem()
	l.locale = "cy-GB"
	_, err := k.send(ctx, l.String())
	var fault *wsman.Fault
	switch {
	case errors.As(err, &fault) && !denied(fault):
		return contradicted("%s", describe(fault))
	case err != nil:
		return trouble(err)
	}
	return held("accepted")
}

func (k *kit) localeMustUnderstand(ctx context.Context) verdict {
	l := k.letterToSystem()
	l.localeMustUnderstand = true
	return k.sendWrong(ctx, l.String(), hasSubcode("UnsupportedFeature"))
}

func (k *kit) unknownClassGet(ctx context.Context) verdict {
	_, err := k.client.Get(ctx, cim.NewReference(cim.NamespaceCIMv2, classNone, cim.Selector{Name: "Name", Value: "none"}))
	return wantFault(err, both(hasSubcode("DestinationUnreachable"), hasAny(2150858752)))
}

func (k *kit) unknownClassWQL(ctx context.Context) verdict {
	_, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: allInCIMv2, WQL: cim.SelectWQL(classNone)})
	return wantFault(err, hasAny(2150858778))
}

// inspection returns a method of the service that only reads.
func (k *kit) inspection() string {
	if k.isV2() {
		return "GetVirtualHardDiskState"
	}
	return "GetVirtualHardDiskInfo"
}

func (k *kit) missingNamespaceInvoke(ctx context.Context) verdict {
	_, _, err := k.invoke(ctx, service(namespaceNone), "GetVirtualHardDiskState", "Path", k.absent(".vhdx"))
	return wantFault(err, hasAny(missingNamespaceCodes...))
}

func (k *kit) missingNamespaceGet(ctx context.Context) verdict {
	_, err := k.client.Get(ctx, service(namespaceNone))
	return wantFault(err, hasAny(2147749902))
}

func (k *kit) missingMethod(ctx context.Context) verdict {
	_, _, err := k.invoke(ctx, service(k.namespace), "HypervConformanceNone")
	return wantFault(err, hasAny(2147749934, 2147749935, 2150858817, 2150858771))
}

func (k *kit) wrongSelector(ctx context.Context) verdict {
	_, err := k.client.Get(ctx, cim.NewReference(k.namespace, cim.ClassImageManagementService, cim.Selector{Name: "HypervConformanceNone", Value: "1"}))
	return wantFault(err, hasSubcode("InvalidSelectors"))
}

func (k *kit) unknownParameter(ctx context.Context) verdict {
	_, _, err := k.invoke(ctx, service(k.namespace), k.inspection(), "HypervConformanceNone", "1")
	return wantRefusal(k.invokeHarmlessly(ctx), err)
}

// parameterType asks for a mount by a criterion that is no number.
func (k *kit) parameterType(ctx context.Context) verdict {
	if is, known := k.atLeast(10, 0, 14393); !is && known {
		return notTested("the method is not there before Server 2016")
	}
	_, right := k.findMount(ctx, k.absent(".vhdx"), criterionPath)
	_, wrong := k.findMount(ctx, k.absent(".vhdx"), "two")
	return wantRefusal(right, wrong)
}

func (k *kit) nullIsNil(ctx context.Context) verdict {
	if _, err := k.client.Get(ctx, service(k.namespace)); err != nil {
		return trouble(err)
	}
	return when(parse(k.tape.last()).find("Body").hasNil(), "xsi:nil among the properties of the service: %t", parse(k.tape.last()).find("Body").hasNil())
}

func (k *kit) enumerationOptimized(ctx context.Context) verdict {
	if _, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: systems}); err != nil {
		return trouble(err)
	}
	answer := parse(k.tape.last()).find("EnumerateResponse")
	items, end := answer.find("Items"), answer.find("EndOfSequence")
	if answer == nil || items == nil || end == nil {
		return contradicted("EnumerateResponse last %t, items %t, end %t", answer != nil, items != nil, end != nil)
	}
	return when(items.XMLName.Space == nsWSMan && end.XMLName.Space == nsWSMan, "items in wsman.xsd %t, end in wsman.xsd %t",
		items.XMLName.Space == nsWSMan, end.XMLName.Space == nsWSMan)
}

// open begins an enumeration that is not optimized.
func (k *kit) open(ctx context.Context, class, limit string) (enumerationContext string, answer *element, err error) {
	root, err := k.send(ctx, k.letter(class, actionEnumerate, `<n:Enumerate>`+limit+`</n:Enumerate>`).String())
	if err != nil {
		return "", nil, err
	}
	answer = root.find("EnumerateResponse")
	enumerationContext = answer.find("EnumerationContext").value()
	if enumerationContext == "" {
		return "", answer, errNoMessage
	}
	return enumerationContext, answer, nil
}

func (k *kit) pull(ctx context.Context, class, enumerationContext, limit string) (*element, error) {
	root, err := k.send(ctx, k.letter(class, actionPull, `<n:Pull><n:EnumerationContext>`+escape(enumerationContext)+`</n:EnumerationContext>`+limit+`</n:Pull>`).String())
	return root.find("PullResponse"), err
}

// release releases an enumeration; the host drops it by itself otherwise.
func (k *kit) release(ctx context.Context, class, enumerationContext string) {
	_, err := k.send(context.WithoutCancel(ctx), k.letter(class, actionRelease, `<n:Release><n:EnumerationContext>`+escape(enumerationContext)+`</n:EnumerationContext></n:Release>`).String())
	if err != nil {
		k.log.Debug("an enumeration was not released", "error", err)
	}
}

func (k *kit) enumerationPlain(ctx context.Context) verdict {
	enumerationContext, answer, err := k.open(ctx, systems, "")
	if answer == nil && err != nil {
		return trouble(err)
	}
	if enumerationContext != "" {
		k.release(ctx, systems, enumerationContext)
	}
	items := answer.find("Items") != nil
	return when(enumerationContext != "" && !items, "context %t, items %t", enumerationContext != "", items)
}

func (k *kit) pullOne(ctx context.Context) verdict {
	class := cim.ResourceURI(k.namespace, cim.ClassComputerSystem)
	enumerationContext, _, err := k.open(ctx, class, "")
	if err != nil {
		return trouble(err)
	}
	answer, err := k.pull(ctx, class, enumerationContext, "")
	if err != nil {
		return trouble(err)
	}
	next, end := answer.find("EnumerationContext").value(), answer.find("EndOfSequence")
	if next != "" && end == nil {
		k.release(ctx, class, next)
	}
	n := answer.count(cim.ClassComputerSystem)
	if n == 1 && end != nil {
		return notTested("the host has no virtual machine, so there is one instance only")
	}
	return when(n == 1, "%d items", n)
}

func (k *kit) pullOtherLimits(ctx context.Context) verdict {
	class := cim.ResourceURI(k.namespace, cim.ClassComputerSystem)
	enumerationContext, _, err := k.open(ctx, class, `<w:MaxElements>1</w:MaxElements>`)
	if err != nil {
		return trouble(err)
	}
	answer, err := k.pull(ctx, class, enumerationContext, `<n:MaxElements>2</n:MaxElements>`)
	if answer.find("EndOfSequence") == nil {
		k.release(ctx, class, orElse(answer.find("EnumerationContext").value(), enumerationContext))
	}
	return wantFault(err, hasAny(2150859181))
}

func (k *kit) wqlNeedsStar(ctx context.Context) verdict {
	_, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: systems, WQL: cim.SelectWQL(classOperatingSystem)})
	return wantFault(err, hasAny(2150859003))
}

func (k *kit) wqlInstances(ctx context.Context) verdict {
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: allInCIMv2, WQL: cim.SelectWQL(classOperatingSystem)})
	if err != nil {
		return trouble(err)
	}
	return when(len(all) == 1 && all[0].Class == classOperatingSystem, "%d instances", len(all))
}

func (k *kit) wqlProjection(ctx context.Context) verdict {
	_, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: allInCIMv2, WQL: "SELECT BuildNumber,Version FROM " + classOperatingSystem})
	if err != nil {
		return trouble(err)
	}
	n := parse(k.tape.last()).count("XmlFragment")
	return when(n == 1, "%d elements XmlFragment", n)
}

func (k *kit) selectorFilter(ctx context.Context) verdict {
	class := cim.ResourceURI(k.namespace, cim.ClassComputerSystem)
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: class})
	if err != nil {
		return trouble(err)
	}
	if len(all) < 2 {
		return notTested("the host has no virtual machine, so there is one instance only")
	}
	name, _ := all[0].String("Name")
	some, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: class, Selectors: []cim.Selector{{Name: "Name", Value: name}}})
	if err != nil {
		return trouble(err)
	}
	return when(len(some) == 1, "%d of %d instances", len(some), len(all))
}

// absent returns the path of a file that does not exist, in the directory that
// the user named, else on the drive that every Windows has.
func (k *kit) absent(extension string) string {
	directory := `C:\Windows`
	switch {
	case k.options.Scratch != "":
		directory = k.options.Scratch
	case k.options.Disk != "":
		directory = winpath.Dir(k.options.Disk)
	}
	return winpath.Join(directory, prefix+"none-"+lower(newGUID())+extension)
}
