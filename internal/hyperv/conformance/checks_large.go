package conformance

import (
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const actionGet = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"

// tooLarge asks for an instance that does not fit into the answer that is allowed.
func (k *kit) tooLarge(ctx context.Context) verdict {
	m := k.fixture(func(m FixtureMachine) bool { return m.LongNotes })
	if m == nil {
		return noFixture("one with long notes")
	}
	settings, err := k.settingsOf(ctx, m.Name)
	if err != nil {
		return machineTrouble(err)
	}
	if len(settings) == 0 {
		return contradicted("no settings with the ID of the machine")
	}
	id, _ := settings[0].String("InstanceID")
	l := k.letter(cim.ResourceURI(k.namespace, classSettings), actionGet, "")
	l.maxEnvelopeSize = "8192"
	l.selectors = [][2]string{{"InstanceID", id}}
	_, err = k.send(ctx, l.String())
	if _, is := errors.AsType[*wsman.Fault](err); !is && err == nil {
		return notTested("the instance fits into the least answer")
	}
	return wantFault(err, both(hasSubcode("EncodingLimit"), hasAny(2150858824)))
}
