package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
)

var _ function.Function = parseBytesFunction{}

// parseBytesFunction reads a size for the inputs that count bytes.
type parseBytesFunction struct{}

func newParseBytesFunction() function.Function { return parseBytesFunction{} }

func (parseBytesFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_bytes"
}

func (parseBytesFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Bytes of a size such as 20GiB",
		MarkdownDescription: "Returns the number of bytes of a size: a number with an optional unit, in any letter case. `kB`, `MB`, `GB`, `TB`, `PB` and `EB` are powers of 1000, " +
			"`KiB`, `MiB`, `GiB`, `TiB`, `PiB` and `EiB` powers of 1024 (what Windows shows as GB is GiB). A fraction of a byte that a unit leaves over is rounded. Null gives null.",
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "size",
			AllowNullValue:      true,
			MarkdownDescription: "The size, for example `20GiB`, `1.5 TB` or `512`.",
		}},
		Return: function.Int64Return{},
	}
}

func (parseBytesFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	call(ctx, req, resp, bytesize.Parse)
}
