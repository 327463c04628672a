package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
)

var _ function.Function = formatBytesFunction{}

// formatBytesFunction writes a number of bytes as plan_reason does.
type formatBytesFunction struct{}

func newFormatBytesFunction() function.Function { return formatBytesFunction{} }

func (formatBytesFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "format_bytes"
}

func (formatBytesFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Size such as 14.2 GiB of a number of bytes",
		MarkdownDescription: "Returns a number of bytes as readable text, such as `14.2 GiB`: in the largest unit that gives at least one (powers of 1024), " +
			"with one decimal. Fewer than 1024 bytes are written exactly. A negative number keeps its sign. Null gives null.",
		Parameters: []function.Parameter{function.Int64Parameter{
			Name:                "bytes",
			AllowNullValue:      true,
			MarkdownDescription: "The number of bytes, for example `last_run.reclaimed_bytes` of a compaction.",
		}},
		Return: function.StringReturn{},
	}
}

func (formatBytesFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	call(ctx, req, resp, func(bytes int64) (string, error) { return bytesize.Format(bytes), nil })
}
