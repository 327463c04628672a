package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

// IdentitySchema defines the attributes that identify a disk.
func (r *vhdCompactionResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"host": identityschema.StringAttribute{OptionalForImport: true, Description: "Hyper-V host. Default: the provider's."},
			"path": identityschema.StringAttribute{RequiredForImport: true, Description: "Path of the file on the host."},
		},
	}
}

// vhdIdentity is the identity of a disk.
type vhdIdentity struct {
	Host types.String `tfsdk:"host"`
	Path types.String `tfsdk:"path"`
}

func setIdentity(ctx context.Context, m *vhdCompactionModel, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.Set(ctx, vhdIdentity{Host: m.Host, Path: m.Path.StringValue})
}

// importTarget returns the host and the path to import; the host is null when that of the provider
// is meant.
func importTarget(ctx context.Context, req resource.ImportStateRequest) (types.String, string, diag.Diagnostics) {
	var host, file string
	var diags diag.Diagnostics
	if req.ID == "" && req.Identity != nil {
		var id vhdIdentity
		diags.Append(req.Identity.Get(ctx, &id)...)
		host, file = id.Host.ValueString(), id.Path.ValueString()
	} else if before, after, ok := strings.Cut(req.ID, "|"); ok {
		host, file = before, after
	} else {
		file = req.ID
	}
	if host != "" {
		if fix := checkHost(host); fix != "" {
			diags.AddError(summaryImport, fmt.Sprintf("The host is %q. Allowed: %s.\n\n%s", host, hostForm, fix))
		}
	}
	if wrong := pathtype.Refusal("The path", file); wrong != "" {
		diags.AddError(summaryImport, wrong+"\n\nImport by path, by host|path or by identity.")
	}
	return optionalString(host), file, diags
}
