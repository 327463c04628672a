package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// dataHost returns the attribute host of a data source; null stays null, as in the resource.
func dataHost() schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Validators:          []validator.String{hostValidator{}},
		MarkdownDescription: describeHost,
	}
}

// dataTimeouts returns the attribute that bounds the time for reading a data source.
func dataTimeouts() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutMembers("read")}},
		MarkdownDescription: describeTimeouts,
		Attributes: map[string]schema.Attribute{
			"read": schema.StringAttribute{Optional: true, Validators: []validator.String{timeoutValidator{}}, MarkdownDescription: describeReadTimeout},
		},
	}
}

func dataString(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func dataInt64(description string) schema.Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}
