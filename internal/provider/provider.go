package provider

import (
	"context"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// Address is the source address of the provider in a configuration.
const Address = "registry.terraform.io/hypervcompact/hyperv"

const typeName = "hyperv"

var (
	_ provider.ProviderWithActions       = (*hypervProvider)(nil)
	_ provider.ProviderWithFunctions     = (*hypervProvider)(nil)
	_ provider.ProviderWithListResources = (*hypervProvider)(nil)
)

type hypervProvider struct {
	version string
	env     lookupEnv
}

// New returns a function that makes provider instances.
func New(version string) func() provider.Provider {
	return newWithEnv(version, os.LookupEnv)
}

func newWithEnv(version string, env lookupEnv) func() provider.Provider {
	return func() provider.Provider { return &hypervProvider{version: version, env: env} }
}

func (p *hypervProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = typeName
	resp.Version = p.version
}

func (p *hypervProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerSchema()
}

// Configure dials nothing: hosts are reached at first use.
func (p *hypervProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	data, diags := model.resolve(p.env)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if data.fleet == nil && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
	}
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.ActionData = data
	resp.ListResourceData = data
}

func (p *hypervProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newVHDCompactionResource,
	}
}

func (p *hypervProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newVHDDataSource,
		newVHDsDataSource,
	}
}

func (p *hypervProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{
		newVHDCompactAction,
	}
}

func (p *hypervProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		newVHDCompactionList,
	}
}

func (p *hypervProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		newFormatBytesFunction,
		newNormalizePathFunction,
		newParseBytesFunction,
	}
}
