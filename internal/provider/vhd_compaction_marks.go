package provider

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// marks is what private state holds about a disk: what nobody needs to see and
// no host can tell. Terraform drops it when it replaces a tainted resource, so
// nothing that must survive that is in it.
type marks struct {
	// Unreachable says that the last refresh could not connect to the host.
	Unreachable bool `json:"unreachable,omitempty"`
	// Owed says why a run is due that a plan could not plan while the host was
	// unreachable.
	Owed string `json:"owed,omitempty"`
	// Imported says that no plan has taken mode, attach_read_only and triggers from the
	// configuration yet.
	Imported bool `json:"imported,omitempty"`
	// Attached says that the last refresh that could tell found the disk attached
	// read-only though no run of this resource is under way: one that was killed may
	// have left it so, and so may somebody else. A run is due, which finds out.
	Attached bool `json:"attached,omitempty"`
	// Asked is the host that answered last, as hyperv.HostKey writes it: what the state holds
	// is true of the disk there. Empty is not asked yet.
	Asked string `json:"asked,omitempty"`
	// Elsewhere is a host on which the path names another disk, as hyperv.HostKey writes it.
	Elsewhere string `json:"elsewhere,omitempty"`

	// HostSource was noted by version 0 of the schema, see fromVersion0.
	HostSource string `json:"host_source,omitempty"`
}

const marksKey = "marks"

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// readMarks reads what an earlier step has noted; nothing is no error.
func readMarks(ctx context.Context, private privateReader) (marks, diag.Diagnostics) {
	var m marks
	text, diags := private.GetKey(ctx, marksKey)
	if diags.HasError() || len(text) == 0 {
		return m, diags
	}
	if err := json.Unmarshal(text, &m); err != nil {
		diags.Append(bug("The private state of the resource cannot be read: " + err.Error() + "."))
	}
	return m, diags
}

// write notes the marks for later steps.
func (m marks) write(ctx context.Context, private privateWriter) diag.Diagnostics {
	text, err := json.Marshal(m)
	if err != nil {
		return diag.Diagnostics{bug("The private state of the resource cannot be written: " + err.Error() + ".")}
	}
	return private.SetKey(ctx, marksKey, text)
}

// noteAttached notes anew whether the disk is attached, if the last run attached
// it: only then can a later one that was killed have left it so. A host that does
// not tell is none to complain about here, and changes nothing.
func (m marks) noteAttached(lastAttached bool, look func() (bool, error)) marks {
	if !lastAttached {
		m.Attached = false
	} else if attached, err := look(); err == nil {
		m.Attached = attached
	}
	return m
}

// afterUpdate is what holds after an update without a run: the configuration was
// taken over, and what a plan could not plan is owed.
func (m marks) afterUpdate(plan, prior *vhdCompactionModel) marks {
	if m.Unreachable && !m.Imported {
		owed := changedInputs(plan, prior)
		if m.Owed != "" {
			owed = append([]string{m.Owed}, owed...)
		}
		m.Owed = strings.Join(owed, "; ")
	}
	m.Imported = false
	return m
}

// afterRun is what holds after a run. After a failure nothing was taken over;
// its status makes the next one due.
func (m marks) afterRun(err error) marks {
	m.Unreachable, m.Owed, m.Attached = false, "", false
	m.Imported = m.Imported && err != nil
	return m
}
