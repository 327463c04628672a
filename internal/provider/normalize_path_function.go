package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

var _ function.Function = normalizePathFunction{}

// normalizePathFunction gives the paths of disks one form of separators, for
// keys of for_each.
type normalizePathFunction struct{}

func newNormalizePathFunction() function.Function { return normalizePathFunction{} }

func (normalizePathFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "normalize_path"
}

func (normalizePathFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Path of a virtual hard disk with one form of separators",
		MarkdownDescription: "Returns the path of a `.vhd` or `.vhdx` file with `\\` for `/`, without doubled separators and with an upper-case drive letter. " +
			"Letter case is kept otherwise; use `lower` to compare. A path that `hyperv_vhd_compaction` would refuse is an error. Null gives null.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "path",
			AllowNullValue:      true,
			MarkdownDescription: "The path, for example `d:/VMs/web01.vhdx`.",
		}},
		Return: function.StringReturn{},
	}
}

func (normalizePathFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	call(ctx, req, resp, func(path string) (string, error) {
		if wrong := pathtype.Refusal("path", path); wrong != "" {
			return "", errors.New(wrong)
		}
		return winpath.Normalize(path), nil
	})
}
