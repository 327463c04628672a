package hyperv

import (
	"errors"
	"regexp"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// refusals are the ways in which the gates end a run.
func refusals() map[string]error {
	all := map[string]error{
		"VHD Set":      checkKind(VHD{Format: FormatVHDSet, Type: TypeDynamic}),
		"fixed":        checkKind(VHD{Format: FormatVHDX, Type: TypeFixed}),
		"unknown type": checkKind(VHD{Format: FormatVHDX}),
		"another kind": checkPlanned(&Order{Format: FormatVHDX}, VHD{Format: FormatVHD}),
		"another type": checkPlanned(&Order{Type: TypeDynamic}, VHD{Type: TypeFixed}),
		"gap":          &gapError{gap: gap{path: `D:\a.vhdx`, err: ErrNotFound}},
		"gap, in use":  &gapError{gap: gap{path: `D:\a.vhdx`, err: ErrInUse}},
		"unseen":       &unseenError{host: unseenHost{name: "HV01", err: ErrAccessDenied, own: true}},
		"unseen node":  &unseenError{host: unseenHost{name: "HV02", err: errors.New("no answer")}},
	}
	for _, kind := range []UseKind{UseRunning, UseSaved, UseCheckpoint, UsePlanned, UseRecovery, UseUnnamed} {
		all["used: "+string(kind)] = refuseUses([]Use{{Machine: "web01", Kind: kind}}, consent{})
	}
	clone := []Use{{Machine: "web01", Kind: UseOff, Child: `D:\child.vhdx`}}
	all["clones"] = refuseParents(clone, consent{format: FormatVHDX})
	all["clones, allowed by half"] = refuseParents(clone, consent{format: FormatVHDX, parent: true})
	all["clones of a VHD"] = refuseParents(clone, consent{format: FormatVHD, parent: true})
	all["replica"] = refuseReplicas([]Use{{Machine: "web01", Kind: UseReplicaPoint}}, consent{})
	all["replicated"] = refuseReplicas([]Use{{Machine: "web01", Kind: UseOff, Replication: ReplicationPrimary}}, consent{})

	attaches, mode := true, ModeRetrim
	never := false
	v := verdict{gen: generationV1}
	all["modes of an old host"] = v.chooseMode(&Order{Mode: &mode})
	v = verdict{gen: generationV1}
	all["attach on an old host"] = v.chooseMode(&Order{AttachReadOnly: &attaches, AllowAttach: true})
	v = verdict{gen: generationV2, disk: VHD{Format: FormatVHDX}}
	all["attach forbidden"] = v.chooseMode(&Order{AttachReadOnly: &attaches})
	v = verdict{gen: generationV2, disk: VHD{Format: FormatVHDX}}
	all["Retrim unattached"] = v.chooseMode(&Order{Mode: &mode, AttachReadOnly: &never, AllowAttach: true})
	return all
}

// dangerous matches advice that a remedy must not give to a user in a hurry.
var dangerous = regexp.MustCompile(`(?i)\bdelete (them|the checkpoints?|it)\b|\bmerge it\b`)

// TestEveryRefusalHelps: every refusal of a gate says what helps, on the host or in
// the configuration, and nothing that can cost data.
func TestEveryRefusalHelps(t *testing.T) {
	t.Parallel()
	for name, err := range refusals() {
		if err == nil {
			t.Errorf("%s is no refusal", name)
			continue
		}
		known := Explain(err)
		if known.Hint == "" && len(known.Reasons) == 0 {
			t.Errorf("%s: nothing helps with %q", name, err)
		}
		if m := dangerous.FindString(known.Hint); m != "" {
			t.Errorf("%s: %q is dangerous in %q", name, m, known.Hint)
		}
	}
}

// TestExplainBrief: the cause of an error in one line, without what was asked for.
func TestExplainBrief(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"WSManFault code 0x00000005 (5): access is denied": &wsman.OpError{Op: "get", Err: &wsman.Fault{Codes: []uint32{5}}},
		"no connection to hv01:5986: connection refused":   &wsman.OpError{Op: "get", Err: &wsman.UnreachableError{Address: "hv01:5986", Err: errors.New("connection refused")}},
		"in use": ErrInUse,
		"":       nil,
	} {
		if got := Explain(err).Brief; got != want {
			t.Errorf("brief = %q, want %q", got, want)
		}
	}
}
