package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// keepsLastSize reports whether a refresh continues with the last known size, because the error
// concerns the disk alone or only the moment, such as a virtual machine that has the disk open on
// another node, or a volume that is offline. Only errors of the configuration, of the credentials
// or of the whole host can fail a plan.
func keepsLastSize(err error) bool {
	return err != nil && !hyperv.Explain(err).HostWide && !errors.Is(err, hyperv.ErrInterrupted) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// skips reports whether a plan goes on without the host, because nobody could connect to it.
func (m *vhdCompactionModel) skips(err error) bool {
	return errors.Is(err, hyperv.ErrUnreachable) && m.IfUnreachable.ValueString() == onTroubleSkip
}

// errLeftThere: the file is absent, and a run may have left it attached.
var errLeftThere = errors.New("the file is absent, and the last run may have left it attached: the resource stays until that is settled, by a run or by destroy")

// sizeOn reads the size of the file. An absent file counts as gone only on the node of the last
// run, because the name of a host can lead to another node, and not while it may have been left
// attached.
func (m *vhdCompactionModel) sizeOn(ctx context.Context, host *hyperv.Host) (int64, error) {
	path, node := m.Path.ValueString(), m.Node.ValueString()
	size, err := host.FileSize(ctx, path)
	if errors.Is(err, hyperv.ErrNotFound) && node != "" {
		size, err = host.FileSizeOn(ctx, path, node)
	}
	if errors.Is(err, hyperv.ErrNotFound) && m.LeftAttached.ValueBool() {
		return 0, fmt.Errorf("%w (%s)", errLeftThere, err.Error())
	}
	return size, err
}

// notReadWarning says that a refresh could not read a disk.
func notReadWarning(s subject, err error) diag.Diagnostic {
	return diag.NewWarningDiagnostic(summaryNotRead, s.detail(err.Error(), hyperv.Explain(err).Hint))
}
