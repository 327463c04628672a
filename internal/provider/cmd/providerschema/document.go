package main

import "github.com/hashicorp/terraform-plugin-go/tftypes"

// The types of this file are the JSON that Terraform documents for
// "terraform providers schema -json".

type document struct {
	FormatVersion string                    `json:"format_version"`
	Schemas       map[string]providerSchema `json:"provider_schemas"`
}

type providerSchema struct {
	Provider      schema                    `json:"provider"`
	Resources     map[string]schema         `json:"resource_schemas,omitempty"`
	DataSources   map[string]schema         `json:"data_source_schemas,omitempty"`
	Ephemeral     map[string]schema         `json:"ephemeral_resource_schemas,omitempty"`
	ListResources map[string]schema         `json:"list_resource_schemas,omitempty"`
	Actions       map[string]action         `json:"action_schemas,omitempty"`
	Functions     map[string]function       `json:"functions,omitempty"`
	Identities    map[string]identitySchema `json:"resource_identity_schemas,omitempty"`
}

type schema struct {
	Version int64 `json:"version"`
	Block   block `json:"block"`
}

// action has no version, because it stores no state that could become outdated.
type action struct {
	Block block `json:"block"`
}

type block struct {
	Attributes map[string]attribute `json:"attributes,omitempty"`
	description
}

type description struct {
	Text       string `json:"description,omitempty"`
	Kind       string `json:"description_kind,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
}

type attribute struct {
	Type   tftypes.Type `json:"type,omitempty"`
	Nested *nested      `json:"nested_type,omitempty"`
	description
	Required  bool `json:"required,omitempty"`
	Optional  bool `json:"optional,omitempty"`
	Computed  bool `json:"computed,omitempty"`
	Sensitive bool `json:"sensitive,omitempty"`
	WriteOnly bool `json:"write_only,omitempty"`
}

type nested struct {
	Attributes map[string]attribute `json:"attributes,omitempty"`
	Mode       string               `json:"nesting_mode"`
}

type function struct {
	Description string       `json:"description,omitempty"`
	Summary     string       `json:"summary,omitempty"`
	Deprecated  string       `json:"deprecation_message,omitempty"`
	Returns     tftypes.Type `json:"return_type"`
	Parameters  []parameter  `json:"parameters,omitempty"`
	Variadic    *parameter   `json:"variadic_parameter,omitempty"`
}

type parameter struct {
	Name        string       `json:"name,omitempty"`
	Description string       `json:"description,omitempty"`
	Nullable    bool         `json:"is_nullable,omitempty"`
	Type        tftypes.Type `json:"type"`
}

type identitySchema struct {
	Version    int64                        `json:"version"`
	Attributes map[string]identityAttribute `json:"attributes,omitempty"`
}

type identityAttribute struct {
	Type        tftypes.Type `json:"type"`
	Description string       `json:"description,omitempty"`
	Required    bool         `json:"required_for_import,omitempty"`
	Optional    bool         `json:"optional_for_import,omitempty"`
}
