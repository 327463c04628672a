package main

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func convert(in *tfprotov6.GetProviderSchemaResponse) providerSchema {
	out := providerSchema{
		Provider:      convertSchema(in.Provider),
		Resources:     convertAll(in.ResourceSchemas),
		DataSources:   convertAll(in.DataSourceSchemas),
		Ephemeral:     convertAll(in.EphemeralResourceSchemas),
		ListResources: convertAll(in.ListResourceSchemas),
		Actions:       map[string]action{},
		Functions:     map[string]function{},
	}
	for name, a := range in.ActionSchemas {
		out.Actions[name] = action{Block: convertSchema(a.Schema).Block}
	}
	for name, f := range in.Functions {
		out.Functions[name] = convertFunction(f)
	}
	return out
}

func convertAll(in map[string]*tfprotov6.Schema) map[string]schema {
	out := map[string]schema{}
	for name, s := range in {
		out[name] = convertSchema(s)
	}
	return out
}

// convertSchema leaves out blocks: this provider has attributes only, which a
// test of this package checks.
func convertSchema(in *tfprotov6.Schema) schema {
	return schema{Version: in.Version, Block: block{
		Attributes:  convertAttributes(in.Block.Attributes),
		description: describe(in.Block.Description, in.Block.DescriptionKind, in.Block.Deprecated),
	}}
}

func describe(text string, kind tfprotov6.StringKind, deprecated bool) description {
	return description{Text: text, Kind: strings.ToLower(kind.String()), Deprecated: deprecated}
}

func convertAttributes(in []*tfprotov6.SchemaAttribute) map[string]attribute {
	out := map[string]attribute{}
	for _, a := range in {
		out[a.Name] = attribute{
			Type: a.Type, Nested: convertNested(a.NestedType),
			description: describe(a.Description, a.DescriptionKind, a.Deprecated),
			Required:    a.Required, Optional: a.Optional, Computed: a.Computed,
			Sensitive: a.Sensitive, WriteOnly: a.WriteOnly,
		}
	}
	return out
}

func convertNested(in *tfprotov6.SchemaObject) *nested {
	if in == nil {
		return nil
	}
	return &nested{Attributes: convertAttributes(in.Attributes), Mode: strings.ToLower(in.Nesting.String())}
}

func convertFunction(in *tfprotov6.Function) function {
	out := function{
		Description: in.Description, Summary: in.Summary, Deprecated: in.DeprecationMessage,
		Returns: in.Return.Type, Variadic: convertParameter(in.VariadicParameter),
	}
	for _, p := range in.Parameters {
		out.Parameters = append(out.Parameters, *convertParameter(p))
	}
	return out
}

func convertParameter(in *tfprotov6.FunctionParameter) *parameter {
	if in == nil {
		return nil
	}
	return &parameter{Name: in.Name, Description: in.Description, Nullable: in.AllowNullValue, Type: in.Type}
}

func convertIdentities(in map[string]*tfprotov6.ResourceIdentitySchema) map[string]identitySchema {
	out := map[string]identitySchema{}
	for name, s := range in {
		converted := identitySchema{Version: s.Version, Attributes: map[string]identityAttribute{}}
		for _, a := range s.IdentityAttributes {
			converted.Attributes[a.Name] = identityAttribute{
				Type: a.Type, Description: a.Description, Required: a.RequiredForImport, Optional: a.OptionalForImport,
			}
		}
		out[name] = converted
	}
	return out
}
