package provider

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// marks is the private state of a disk: facts that users need not see and that
// no host can report. Terraform drops it when it replaces a tainted resource,
// so it holds nothing that must survive that.
type marks struct {
	// Unreachable says that the last refresh could not connect to the host.
	Unreachable bool `json:"unreachable,omitempty"`
	// Owed is the reason for a run that was due but could not be planned while
	// the host was unreachable.
	Owed string `json:"owed,omitempty"`
	// Imported says that no plan has yet taken over mode, attach_read_only and triggers from the
	// configuration.
	Imported bool `json:"imported,omitempty"`
	// Attached says that the last refresh that could see it found the disk attached read-only
	// although no run of this resource is under way: a killed run may have left it so, or another
	// client may have attached it. A run is due, which finds out.
	Attached bool `json:"attached,omitempty"`
	// Asked is the host that answered last, as hyperv.HostKey writes it: the state describes the
	// disk on that host. Empty means that no host was asked yet.
	Asked string `json:"asked,omitempty"`
	// Elsewhere is the host on which the last refresh has found another disk under the path, or
	// none, as hyperv.HostKey writes it; empty for no such host.
	Elsewhere string `json:"elsewhere,omitempty"`

	// HostSource was written by version 0 of the schema, see fromVersion0.
	HostSource string `json:"host_source,omitempty"`
}

const marksKey = "marks"

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// readMarks reads the marks that an earlier step has noted; having none is not an error.
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

// noteAttached updates whether the disk is attached, if the last run attached it: only then can a
// later run that was killed have left it so. A host that does not show it is no error here, and
// changes nothing.
func (m marks) noteAttached(lastAttached bool, look func() (bool, error)) marks {
	if !lastAttached {
		m.Attached = false
	} else if attached, err := look(); err == nil {
		m.Attached = attached
	}
	return m
}

// afterUpdate returns the marks after an update without a run: the configuration was taken over, so
// that no later plan sees what is new in it, and a run for which it asked is owed.
func (m marks) afterUpdate(plan, prior *vhdCompactionModel) marks {
	owed := m.newInputs(plan, prior)
	if m.Owed != "" {
		owed = append([]string{m.Owed}, owed...)
	}
	m.Owed, m.Imported = strings.Join(owed, "; "), false
	return m
}

// afterRun returns the marks after a run. After a failure nothing was taken
// over; the status makes the next run due.
func (m marks) afterRun(err error) marks {
	m.Unreachable, m.Owed, m.Attached, m.Elsewhere = false, "", false, ""
	m.Imported = m.Imported && err != nil
	return m
}
