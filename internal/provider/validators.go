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
func durationForm(most time.Duration) string {
	return "a positive duration such as 90s, 30m or 8h, at most " + roughly(most)
}

// durationFix is what to do about a text of another form.
const durationFix = "Give a number and its unit within that limit, or leave it out for the default."

// parseDuration reads a duration that is positive and not too long.
func parseDuration(text string, most time.Duration) (d time.Duration, ok bool) {
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0 && d <= most
}

// timeoutValidator refuses texts that are not the time limit of an operation.
type timeoutValidator struct{}

func (timeoutValidator) Description(context.Context) string { return durationForm(longestTimeout) }

func (v timeoutValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v timeoutValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	value := req.ConfigValue.ValueString()
	if _, ok := parseDuration(value, longestTimeout); !ok {
		resp.Diagnostics.Append(invalidAttribute(req.Path, value, v.Description(ctx), durationFix))
	}
}
