package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// providerData is what a configured provider hands to everything it serves. A
// value that is unknown at plan stays unknown in it.
type providerData struct {
	// fleet is nil while a part of the configuration is unknown.
	fleet       *hyperv.Fleet
	host        types.String
	allowAttach types.Bool
	allowUnseen bool // known whenever there is a fleet
	connection  connection
	// told remembers which errors of whole hosts were told in full.
	told *toldErrors
}

// providerDataFrom reads what Configure of the provider has handed on; it is nil
// while Terraform only validates.
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

// isLater reports whether a host is known only once something else was applied: a
// client that allows it may then ask again later.
func (d *providerData) isLater(own types.String) bool { return hostOf(own, d.host).IsUnknown() }

// reach finds the host that is named, or else the provider's. Nothing is dialled
// before it is asked something.
func (d *providerData) reach(own types.String) (*hyperv.Host, diag.Diagnostic) {
	name := hostOf(own, d.host)
	switch {
	case name.IsNull():
		return nil, noHost()
	case name.IsUnknown(), d.fleet == nil:
		return nil, notReady()
	}
	host, err := d.fleet.Host(name.ValueString())
	if err != nil {
		return nil, diag.NewErrorDiagnostic(summaryProvider, err.Error())
	}
	return host, nil
}
