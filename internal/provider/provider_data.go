package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// providerData is what a configured provider hands to its resources, data
// sources and the rest. A value that is unknown at plan stays unknown in it.
type providerData struct {
	// fleet is nil while a part of the configuration is unknown.
	fleet       *hyperv.Fleet
	host        types.String
	allowAttach types.Bool
	allowUnseen bool // known whenever there is a fleet
	connection  connection
	// told records which errors of whole hosts were reported in full.
	told *toldErrors
}

// providerDataFrom returns the data that Configure of the provider has handed
// on; nil while Terraform only validates.
func providerDataFrom(handed any, diags *diag.Diagnostics) *providerData {
	if handed == nil {
		return nil
	}
	data, ok := handed.(*providerData)
	if !ok {
		diags.Append(bug(fmt.Sprintf("Configure was handed a %T.", handed)))
	}
	return data
}

// defers reports whether a read waits until the host is known, after something else was applied: a
// client that allows it reads again then.
func (d *providerData) defers(allowed bool, own types.String) bool {
	host, _ := hostOf(own, d.host)
	return allowed && host.IsUnknown()
}

// reach returns the named host, or else that of the provider. No connection is
// made before the first request.
func (d *providerData) reach(own types.String) (*hyperv.Host, diag.Diagnostic) {
	name, missing := hostOf(own, d.host)
	switch {
	case missing != nil:
		return nil, missing
	case name.IsUnknown(), d.fleet == nil:
		return nil, notReady()
	}
	host, err := d.fleet.Host(name.ValueString())
	if err != nil {
		return nil, diag.NewErrorDiagnostic(summaryProvider, err.Error())
	}
	return host, nil
}
