package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// keepsLastSize reports whether a refresh goes on with the size that it has: what
// is wrong is wrong with the disk or for the moment, such as a virtual machine
// that has it open on another node, or a volume that is offline. Only what is true
// of the configuration, of the credentials or of the whole host can fail a plan.
func keepsLastSize(err error) bool {
	return err != nil && !hyperv.Explain(err).HostWide && !errors.Is(err, hyperv.ErrInterrupted) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// notReadWarning says that a refresh could not read a disk.
func notReadWarning(s subject, err error) diag.Diagnostic {
	known := hyperv.Explain(err)
	detail := s.lines() + "\n" + err.Error()
	if known.Hint != "" {
		detail += "\n\n" + known.Hint
	}
	return diag.NewWarningDiagnostic(summaryNotRead, detail)
}
