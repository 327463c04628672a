package provider

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

var disk = subject{path: `D:\a.vhdx`, host: "hv01", job: "job-7"}

func TestDescribeError(t *testing.T) {
	t.Parallel()
	job := &hyperv.JobError{JobID: "job-7", State: hyperv.JobException, ErrorCode: 32768, CompletionStatus: 0x80070070, Description: "ディスクがいっぱいです"}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"job": {
			err: fmt.Errorf("compact: %w", job),
			want: "Path: D:\\a.vhdx\nHost: hv01\nJob: job-7\n\ncompact: " + job.Error() +
				"\n\nFree some space on the volume: compacting rearranges blocks and writes a log first.",
		},
		"method": {
			err:  &hyperv.MethodError{Class: "C", Method: "M", ReturnValue: 32777},
			want: "Path: D:\\a.vhdx\nHost: hv01\nJob: job-7\n\nM of C: return value 32777: system is not available\n\nCheck that the service Hyper-V Virtual Machine Management (vmms) runs on the host.",
		},
		"unknown number": {
			err:  &hyperv.MethodError{Class: "C", Method: "M", ReturnValue: 40000},
			want: "Path: D:\\a.vhdx\nHost: hv01\nJob: job-7\n\nM of C: return value 40000: unknown",
		},
		"unknown error": {
			err:  errors.New("something new"),
			want: "Path: D:\\a.vhdx\nHost: hv01\nJob: job-7\n\nsomething new",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := (&providerData{told: &toldErrors{}}).describeError(summaryCompact, disk, situation{doing: compacting}, test.err)
			if d.Summary() != summaryCompact || d.Severity() != diag.SeverityError {
				t.Errorf("summary = %q, severity = %v; want %q, an error", d.Summary(), d.Severity(), summaryCompact)
			}
			if d.Detail() != test.want {
				t.Errorf("detail = %q, want %q", d.Detail(), test.want)
			}
		})
	}
}

// An error of a whole host is reported in full once for each host, however its
// text varies.
func TestDescribeError_wholeHost(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("dial: %w", hyperv.ErrUnreachable)
	other := subject{path: `D:\b.vhdx`, host: "HV01"}
	elsewhere := subject{path: `D:\b.vhdx`, host: "hv02"}
	data := &providerData{told: &toldErrors{}}
	const short = "says more"
	for _, step := range []struct {
		name  string
		about subject
		err   error
		short bool
	}{
		{"the first", disk, refused, false},
		{"the second", other, fmt.Errorf("dial again: %w", hyperv.ErrUnreachable), true},
		{"another host", elsewhere, refused, false},
		{"another failure", other, hyperv.ErrNoHyperV, false},
		{"of the disk", other, hyperv.ErrInUse, false},
		{"of the disk again", other, hyperv.ErrInUse, false},
	} {
		detail := data.describeError(summaryRead, step.about, situation{doing: refreshing}, step.err).Detail()
		if got := strings.Contains(detail, short); got != step.short {
			t.Errorf("%s: in short = %t, want %t: %s", step.name, got, step.short, detail)
		}
		if step.short && strings.Count(detail, "\n") != 1 {
			t.Errorf("%s has %d lines, want two: %s", step.name, 1+strings.Count(detail, "\n"), detail)
		}
	}
}

// Each kind of warning has one summary, so that Terraform folds it.
func TestDescribeWarning(t *testing.T) {
	t.Parallel()
	kinds := []hyperv.WarningKind{
		hyperv.WarnInUse, hyperv.WarnAwaited, hyperv.WarnTookOver,
		hyperv.WarnUsageUnknown, hyperv.WarnLeftAttached, hyperv.WarnJob, hyperv.WarnLostAnswer, hyperv.WarnSettled, hyperv.WarnRestarted, hyperv.WarnNotCompactable,
		hyperv.WarnDependedOn, hyperv.WarnDiskNotOpened, hyperv.WarnNodeDown, hyperv.WarnClusterName,
	}
	seen := map[string]hyperv.WarningKind{}
	for _, kind := range kinds {
		d := describeWarning(disk, invoking, hyperv.Warning{Kind: kind, Detail: "the detail"})
		if other, ok := seen[d.Summary()]; ok || d.Summary() == string(kind) {
			t.Errorf("the summary of %s is %q, which is its name or that of %s", kind, d.Summary(), other)
		}
		seen[d.Summary()] = kind
		if d.Severity() != diag.SeverityWarning {
			t.Errorf("%s has severity %v, want a warning", kind, d.Severity())
		}
		if want := "Path: D:\\a.vhdx\nHost: hv01\nJob: job-7\n\nthe detail"; d.Detail() != want {
			t.Errorf("%s has the detail %q, want %q", kind, d.Detail(), want)
		}
	}
	left := hyperv.Warning{Kind: hyperv.WarnLeftAttached, Detail: "the detail"}
	if got := describeWarning(disk, compacting, left).Detail(); !strings.HasSuffix(got, "the detail\n\nThe next apply tries to detach it.") {
		t.Errorf("of a resource: %q", got)
	}
	if len(warningSummaries) != len(kinds) {
		t.Errorf("%d summaries for %d kinds", len(warningSummaries), len(kinds))
	}
}

// TestAttachedWarning_path: the command is one command for every path that there can be.
func TestAttachedWarning_path(t *testing.T) {
	t.Parallel()
	path := "C:\\Bob\u2019s; Remove-Item x \u2018\\a.vhdx"
	want := "Dismount-VHD -Path 'C:\\Bob\u2019\u2019s; Remove-Item x \u2018\u2018\\a.vhdx'."
	if got := attachedWarning(subject{path: path, host: "hv01"}).Detail(); !strings.HasSuffix(got, want) {
		t.Errorf("detail = %q, want it to end with %q", got, want)
	}
}
