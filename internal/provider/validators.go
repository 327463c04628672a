package provider

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// oneOf accepts certain words only and knows them in other letters too, to say
// which one was meant.
func oneOf(words ...string) validator.String { return oneOfValidator{words} }

type oneOfValidator struct{ words []string }

func (v oneOfValidator) Description(context.Context) string {
	return "one of " + strings.Join(v.words, ", ")
}

func (v oneOfValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v oneOfValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	value := req.ConfigValue.ValueString()
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || slices.Contains(v.words, value) {
		return
	}
	fix := "Use one of them, or leave the attribute out."
	for _, word := range v.words {
		if strings.EqualFold(word, value) {
			fix = "Write " + word + "."
		}
	}
	resp.Diagnostics.Append(invalidAttribute(req.Path, value, v.Description(ctx), fix))
}

// checkTimeouts refuses durations that end before they begin; their form is
// checked by the schema.
func checkTimeouts(timeouts types.Object) diag.Diagnostics {
	var diags diag.Diagnostics
	for name, value := range timeouts.Attributes() {
		text, ok := value.(types.String)
		if !ok || text.IsNull() || text.IsUnknown() {
			continue
		}
		if d, err := time.ParseDuration(text.ValueString()); err == nil && d <= 0 {
			diags.Append(invalidAttribute(path.Root("timeouts").AtName(name), text.ValueString(), "a positive duration such as 30m or 8h", "Leave it out for the default."))
		}
	}
	return diags
}
