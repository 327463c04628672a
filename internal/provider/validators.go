package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// oneOf accepts only certain words, and recognises them in other letter case in
// order to say which one was meant.
func oneOf(words ...string) validator.String { return oneOfValidator{words: words} }

// oneOfEach accepts, as an element of a list, only certain words. An attribute that is null is one
// that was left out; an element that is null is a mistake.
func oneOfEach(words ...string) validator.String { return oneOfValidator{words, true} }

type oneOfValidator struct {
	words   []string
	element bool
}

func (v oneOfValidator) Description(context.Context) string {
	return "one of " + strings.Join(v.words, ", ")
}

func (v oneOfValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v oneOfValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	value := req.ConfigValue.ValueString()
	if v.element && req.ConfigValue.IsNull() {
		resp.Diagnostics.AddAttributeError(req.Path, summaryAttribute,
			fmt.Sprintf("%s is null. Allowed: %s.\n\nRemove the element, or write a word in its place.", req.Path, v.Description(ctx)))
	}
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

// durationForm describes the form of a duration, for messages.
const durationForm = "a positive duration such as 90s, 30m or 8h"

// durationValidator refuses texts that are not durations, and durations that
// are not positive.
type durationValidator struct{}

func (durationValidator) Description(context.Context) string { return durationForm }

func (v durationValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (durationValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if d, err := time.ParseDuration(req.ConfigValue.ValueString()); err != nil || d <= 0 {
		resp.Diagnostics.Append(invalidAttribute(req.Path, req.ConfigValue.ValueString(), durationForm, "Give a number and its unit, or leave it out for the default."))
	}
}
