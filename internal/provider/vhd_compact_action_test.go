package provider_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const actionName = "hyperv_vhd_compact"

// invocation holds the messages of an action.
type invocation struct {
	progress    []string
	diagnostics []*tfprotov6.Diagnostic
}

// told returns the diagnostics of one severity as one text.
func (i invocation) told(severity tfprotov6.DiagnosticSeverity) string {
	var b strings.Builder
	for _, d := range i.diagnostics {
		if d.Severity == severity {
			b.WriteString(d.Summary + ": " + d.Detail + "\n")
		}
	}
	return b.String()
}

// action plans and invokes the action.
func (s server) action(ctx context.Context, set map[string]tftypes.Value) (planned, invoked invocation) {
	s.t.Helper()
	config := s.object(s.schema.ActionSchemas[actionName].Schema, set)
	actions, ok := s.ProviderServer.(tfprotov6.ActionServer)
	if !ok {
		s.t.Fatal("the provider serves no actions")
	}
	plan, err := actions.PlanAction(ctx, &tfprotov6.PlanActionRequest{ActionType: actionName, Config: &config})
	must(s.t, err)
	if planned.diagnostics = plan.Diagnostics; len(plan.Diagnostics) > 0 {
		return planned, invoked
	}
	stream, err := actions.InvokeAction(ctx, &tfprotov6.InvokeActionRequest{ActionType: actionName, Config: &config})
	must(s.t, err)
	for event := range stream.Events {
		switch e := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			invoked.progress = append(invoked.progress, e.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			invoked.diagnostics = e.Diagnostics
		}
	}
	return planned, invoked
}

func TestVHDCompactAction(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, 2*time.Second })))
	_, got := serve(t, sim).action(t.Context(), map[string]tftypes.Value{"path": text(diskPath)})
	if told := got.told(tfprotov6.DiagnosticSeverityError); told != "" {
		t.Fatal(told)
	}
	all := strings.Join(got.progress, "\n")
	for _, part := range []string{"attaching the disk read-only", " % after ", " left", "detaching the disk"} {
		if !strings.Contains(all, part) {
			t.Errorf("the progress lacks %q:\n%s", part, all)
		}
	}
	if last := got.progress[len(got.progress)-1]; !strings.HasPrefix(last, "compacted: 10.0 GiB before, 4.0 GiB after, 6.0 GiB (60.0 %) reclaimed in ") {
		t.Errorf("last line = %q", last)
	}
	detached(t, sim)
	compactions(t, sim, 1)
}

func TestVHDCompactAction_inUse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set            map[string]tftypes.Value
		errors, warns  string
		lastLinePrefix string
	}{
		"fail": {nil, "in use by virtual machine web01", "", ""},
		"skip": {map[string]tftypes.Value{"if_in_use": text("skip")}, "", "in use by virtual machine web01", "skipped_in_use: 10.0 GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMRunning, Disks: []string{diskPath}}))
			set := map[string]tftypes.Value{"path": text(diskPath)}
			maps.Copy(set, test.set)
			_, got := serve(t, sim).action(t.Context(), set)
			holds(t, "errors", got.told(tfprotov6.DiagnosticSeverityError), test.errors)
			holds(t, "warnings", got.told(tfprotov6.DiagnosticSeverityWarning), test.warns)
			last := ""
			if len(got.progress) > 0 {
				last = got.progress[len(got.progress)-1]
			}
			holds(t, "the last line", last, test.lastLinePrefix)
			compactions(t, sim, 0)
		})
	}
}

// holds checks that a text holds a part, or is empty when none is wanted.
func holds(t *testing.T, what, got, want string) {
	t.Helper()
	if want == "" && got != "" || !strings.Contains(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// Inputs that the provider block contradicts are refused in the plan, before anything runs.
func TestVHDCompactAction_plan(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	disk := map[string]tftypes.Value{"path": text(diskPath)}
	attached := map[string]tftypes.Value{"path": text(diskPath), "attach_read_only": tftypes.NewValue(tftypes.Bool, true)}

	planned, _ := serve(t, sim, map[string]tftypes.Value{"host": tftypes.NewValue(tftypes.String, nil)}).action(t.Context(), disk)
	saysOnce(t, planned.diagnostics, `ERROR at AttributeName("host"): No Hyper-V host named`, "HYPERV_HOST")

	unattached := serve(t, sim, map[string]tftypes.Value{"allow_attach": tftypes.NewValue(tftypes.Bool, false)})
	planned, _ = unattached.action(t.Context(), attached)
	saysOnce(t, planned.diagnostics, `ERROR at AttributeName("attach_read_only"): `, "allow_attach of the provider is false")
	if n := sim.Exchanges(); n != 0 {
		t.Errorf("%d exchanges while planning, want none", n)
	}
	_, invoked := unattached.action(t.Context(), disk)
	holds(t, "errors", invoked.told(tfprotov6.DiagnosticSeverityError), "")
	if n := sim.Calls("AttachVirtualHardDisk"); sim.Exchanges() == 0 || n != 0 {
		t.Errorf("%d exchanges and %d attachments, want some and none", sim.Exchanges(), n)
	}
	compactions(t, sim, 1)
}

// A run that takes longer than timeouts.invoke is interrupted as by Ctrl-C.
func TestVHDCompactAction_timeout(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, time.Hour })))
	_, got := serve(t, sim).action(t.Context(), map[string]tftypes.Value{"path": text(diskPath), "timeouts": timeoutsValue("invoke", "300ms")})
	saysOnce(t, got.diagnostics, "ERROR", "Unable to compact virtual hard disk", "interrupted")
	detached(t, sim)
}

// Ctrl-C cancels the job and detaches the disk.
func TestVHDCompactAction_interrupted(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, time.Hour })))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationGet, Class: "Msvm_StorageJob", Skip: 2, Func: func(hypervsim.Request) { cancel() }})
	_, got := serve(t, sim).action(ctx, map[string]tftypes.Value{"path": text(diskPath)})
	holds(t, "errors", got.told(tfprotov6.DiagnosticSeverityError), "Unable to compact virtual hard disk")
	detached(t, sim)
	if n := sim.Calls("RequestStateChange"); n != 1 {
		t.Errorf("RequestStateChange calls = %d, want 1", n)
	}
}
