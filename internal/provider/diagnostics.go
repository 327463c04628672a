package provider

import (
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// Summaries are constant, so that Terraform folds equal warnings and a search
// in a log finds them. Everything that varies is in the detail.
const (
	summaryProvider    = "Invalid provider configuration"
	summaryAttribute   = "Invalid attribute value"
	summaryNoHost      = "No Hyper-V host named"
	summaryAttach      = "Attaching disks is not allowed"
	summaryImport      = "Unable to import virtual hard disk compaction"
	summaryCompact     = "Unable to compact virtual hard disk"
	summaryList        = "Unable to list virtual hard disks"
	summaryInspect     = "Virtual hard disk not inspected"
	summaryRead        = "Unable to read virtual hard disk"
	summaryDetach      = "Unable to detach virtual hard disk"
	summaryNotRead     = "Virtual hard disk not read, last size kept"
	summaryUnreachable = "Hyper-V host unreachable, state kept"
	summaryElsewhere   = "Another virtual hard disk under the same path"
	summaryFormerNode  = "Something may be left on another node"
	summaryMoved       = "Virtual hard disk on another node"
	summaryForgotten   = "Compaction of a forgotten disk may go on"
	summaryAttached    = "Virtual hard disk attached to the host"
	summaryFileStays   = "Virtual hard disk only forgotten, its file stays"
	summaryNotReady    = "Provider configuration is not known yet"
	summaryBug         = "Unexpected provider data"
)

// warningSummaries has one summary for each kind of warning.
var warningSummaries = map[hyperv.WarningKind]string{
	hyperv.WarnInUse:          "Virtual hard disk in use, not compacted",
	hyperv.WarnAwaited:        "Running compaction taken over",
	hyperv.WarnTookOver:       "Attachment of an earlier run taken over",
	hyperv.WarnDependedOn:     "Virtual hard disk depended on, not compacted",
	hyperv.WarnDiskNotOpened:  "Disk of a virtual machine not opened",
	hyperv.WarnClusterName:    "Host named by its cluster",
	hyperv.WarnNodeDown:       "Cluster nodes down, not asked",
	hyperv.WarnUsageUnknown:   "Use of disks by virtual machines not visible",
	hyperv.WarnLeftAttached:   "Virtual hard disk left attached",
	hyperv.WarnSettled:        "Attachment of an earlier run is gone",
	hyperv.WarnRestarted:      "Windows restarted, virtual hard disk attached again",
	hyperv.WarnLostAnswer:     "Answer of the host lost",
	hyperv.WarnNotCompactable: "Virtual hard disk cannot be compacted",
	hyperv.WarnJob:            "Compaction completed with warnings",
}

// subject is what an error or a warning is about.
type subject struct {
	path      string
	machine   string // in place of a path
	host, job string
}

// detail returns the detail of a diagnostic: the subject, then paragraphs, of which those without a
// text are left out. The line breaks in it are ours, not those of a host, see [plain].
func (s subject) detail(paragraphs ...string) string {
	about := []string{s.first(), "Host: " + s.host}
	if s.job != "" {
		about = append(about, "Job: "+s.job)
	}
	all := []string{plainLines(about...)}
	for _, text := range paragraphs {
		if text != "" {
			all = append(all, plain(text))
		}
	}
	return strings.Join(all, "\n\n")
}

func (s subject) first() string {
	if s.machine != "" {
		return "Virtual machine: " + s.machine
	}
	return "Path: " + s.path
}

// toldErrors records which errors of whole hosts this process has reported in
// full. Terraform folds warnings but not errors: a host that is down would fill
// the screen once for each of its disks.
type toldErrors struct {
	mu   sync.Mutex
	told map[string]bool
}

// first reports whether this is the first time that the host fails this way.
func (t *toldErrors) first(host, failure string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := strings.ToLower(host) + "\x00" + failure
	if t.told == nil {
		t.told = map[string]bool{}
	}
	seen := t.told[key]
	t.told[key] = true
	return !seen
}

// describeError turns an error into a diagnostic; nil gives nil.
func (d *providerData) describeError(summary string, s subject, doing situation, err error) diag.Diagnostic {
	if err == nil {
		return nil
	}
	known := hyperv.Explain(err)
	doing.connection = d.connection
	if known.HostWide && !d.told.first(s.host, failureOf(known, err)) {
		return diag.NewErrorDiagnostic(summary, plainLines(s.first(), fmt.Sprintf("Host: %s: %s. The first error for this host says more.", s.host, known.Brief)))
	}
	return diag.NewErrorDiagnostic(summary, errorDetail(s, known, doing, err))
}

// stillAttached says what to do about a disk that destroy could not detach.
const stillAttached = "Nothing was forgotten. If a plan replaces a tainted resource, terraform untaint keeps it; terraform state rm forgets it as it is."

// errorDetail names the subject of an error, its cause and the remedy.
func errorDetail(s subject, known hyperv.Explanation, doing situation, err error) string {
	code, stays := known.Code, ""
	if strings.Contains(err.Error(), code) {
		code = ""
	}
	if doing.doing == detaching {
		stays = stillAttached
	}
	return s.detail(err.Error(), code, remedy(known, doing), stays)
}

// failureOf names the kind of failure of a host, so that two errors of one kind
// are reported in full once, even if the addresses or ports in their texts
// differ.
func failureOf(known hyperv.Explanation, err error) string {
	if known.Code == "" && known.Hint == "" && len(known.Reasons) == 0 {
		return err.Error()
	}
	return fmt.Sprint(known.Code, known.Hint, known.Reasons)
}

// describeWarning turns a warning of a run into a diagnostic that folds.
func describeWarning(s subject, doing operation, w hyperv.Warning) diag.Diagnostic {
	summary, ok := warningSummaries[w.Kind]
	if !ok {
		summary = string(w.Kind)
	}
	next := ""
	if w.Kind == hyperv.WarnLeftAttached && doing == compacting {
		next = "The next apply tries to detach it."
	}
	return diag.NewWarningDiagnostic(summary, s.detail(w.Detail, next))
}

// unreachableWarning says that a refresh was skipped.
func unreachableWarning(s subject, err error) diag.Diagnostic {
	return diag.NewWarningDiagnostic(summaryUnreachable,
		s.detail(err.Error(), `Nothing is planned for its disks until the host answers (if_unreachable = "skip").`))
}

// invalidAttribute reports a value of the wrong form.
func invalidAttribute(at path.Path, value, allowed, fix string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, summaryAttribute,
		fmt.Sprintf("%s is %q. Allowed: %s.\n\n%s", at, value, allowed, fix))
}

// noHost reports that neither the resource nor the provider names a host.
func noHost() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("host"), summaryNoHost,
		"host is set neither here nor in the provider block.\n\n"+
			"Set host of the resource to "+hostForm+", or host of the provider, or the environment variable HYPERV_HOST.")
}

// attachForbidden reports an input that the provider's allow_attach contradicts.
func attachForbidden(attribute, value string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root(attribute), summaryAttach,
		fmt.Sprintf("%s is %s, which attaches the disk to the host, but allow_attach of the provider is false.\n\n"+
			"Leave %s out, choose what needs no attaching, or set allow_attach = true in the provider block.", attribute, value, attribute))
}

// notReady reports that a host is needed while the provider's configuration is
// still unknown, which cannot happen during apply.
func notReady() diag.Diagnostic {
	return diag.NewErrorDiagnostic(summaryNotReady,
		"A value in the provider block is known only after another resource was applied. Apply that resource first, with -target.")
}

// bug reports an error that no configuration can cause.
func bug(detail string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(summaryBug, detail+"\n\nThis is a bug in the provider: please report it to its developers.")
}

// fileStaysWarning says in a plan that what Terraform calls a destruction keeps
// the file.
func fileStaysWarning(s subject, leftAttached bool) diag.Diagnostic {
	summary, text := summaryFileStays, "Destroying this resource only forgets it: the file stays on the host as it is, and is no longer compacted."
	if leftAttached {
		summary, text = "Virtual hard disk detached, its file stays", "A run has left the disk attached to the host read-only. Destroying this resource detaches it, and fails if the attachment is not known to be that one. "+
			"The file stays on the host as it is, and is no longer compacted."
	}
	return diag.NewWarningDiagnostic(summary, s.detail(text))
}

// exchangedWarning says that a run has met another disk than the last one, as far as identifiers
// show.
func exchangedWarning(s subject) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Another disk under this path", s.detail(
		"The disk has another virtual_disk_id than at the last run: another file lies under this path, or the identifier was reset. total_reclaimed_bytes counts anew."))
}

// attachedWarning says that a disk which is forgotten, or not compacted, is attached.
func attachedWarning(s subject) diag.Diagnostic {
	return diag.NewWarningDiagnostic(summaryAttached, s.detail(
		"The last refresh saw the disk attached to the host read-only. It is not known to be an attachment of this resource, so it was left alone.",
		"If it is not needed, detach it there: "+hyperv.DismountCommand(s.path)+"."))
}
