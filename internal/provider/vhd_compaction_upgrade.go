package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

var _ resource.ResourceWithUpgradeState = (*vhdCompactionResource)(nil)

// schemaVersion is the version of the stored state. It rises when an attribute
// is renamed or stored in another form.
const schemaVersion = 2

// UpgradeState reads states that earlier versions have stored. An upgrade renames attributes within
// the stored JSON, so that it needs no copy of the former schema; a new attribute is null.
func (r *vhdCompactionResource) UpgradeState(context.Context) map[int64]resource.StateUpgrader {
	return map[int64]resource.StateUpgrader{0: {StateUpgrader: upgradeFrom(renameMount)}, 1: {StateUpgrader: upgradeFrom(fromVersion1)}}
}

// renameMount renames the attributes of version 0 from "mount" to "attach".
func renameMount(stored storedObject) error {
	stored.rename("mount_read_only", "attach_read_only")
	if err := fromVersion1(stored); err != nil {
		return err
	}
	return stored.within("last_run", func(run storedObject) error {
		run.rename("mounted", "attached")
		return nil
	})
}

// fromVersion1 adds to a state the default of a new argument, so that the first plan of the new
// version is empty.
func fromVersion1(stored storedObject) error {
	if _, ok := stored["allow_replicated"]; !ok {
		stored["allow_replicated"] = json.RawMessage("false")
	}
	return addUnseenJob(stored)
}

// addUnseenJob treats the last job as one that may still run, unless the status says that its end
// was seen.
func addUnseenJob(stored storedObject) error {
	var status string
	var run struct {
		JobID json.RawMessage `json:"job_id"`
		After *int64          `json:"file_size_after_bytes"`
	}
	for name, into := range map[string]any{"status": &status, "last_run": &run} {
		if text, ok := stored[name]; ok {
			if err := json.Unmarshal(text, into); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	seen := false
	switch hyperv.Status(status) {
	case hyperv.StatusCompacted, hyperv.StatusUnchanged:
		seen = true
	case hyperv.StatusBelowMinimum, hyperv.StatusSkippedInUse, hyperv.StatusSkippedDependents, hyperv.StatusNotCompactable:
		seen = run.After != nil // the status is that of a later order, which ran no job
	default:
	}
	if run.JobID != nil && !seen {
		stored["unseen_job"], stored["unseen_job_node"] = run.JobID, stored["node"]
	}
	return nil
}

// upgradeFrom applies one change to a stored state.
func upgradeFrom(change func(storedObject) error) func(context.Context, resource.UpgradeStateRequest, *resource.UpgradeStateResponse) {
	return func(_ context.Context, req resource.UpgradeStateRequest, resp *resource.UpgradeStateResponse) {
		upgraded, err := upgradedJSON(req.RawState, change)
		if err != nil {
			resp.Diagnostics.Append(bug("The stored state cannot be read: " + err.Error()))
			return
		}
		resp.DynamicValue = &tfprotov6.DynamicValue{JSON: upgraded}
	}
}

func upgradedJSON(raw *tfprotov6.RawState, change func(storedObject) error) ([]byte, error) {
	var stored storedObject
	if err := json.Unmarshal(raw.JSON, &stored); err != nil {
		return nil, err
	}
	if err := change(stored); err != nil {
		return nil, err
	}
	return json.Marshal(stored)
}

// storedObject is an object of a stored state. Its values stay as they were
// written: a number does not pass through a float.
type storedObject map[string]json.RawMessage

func (o storedObject) rename(from, to string) {
	if value, ok := o[from]; ok {
		o[to] = value
		delete(o, from)
	}
}

// within changes the object that an attribute holds, unless it is null.
func (o storedObject) within(name string, change func(storedObject) error) error {
	var inner storedObject
	if err := json.Unmarshal(o[name], &inner); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if inner == nil {
		return nil
	}
	if err := change(inner); err != nil {
		return err
	}
	text, err := json.Marshal(inner)
	o[name] = text
	return err
}
