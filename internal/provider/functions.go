package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

// call runs a function of one argument. Null gives null: an attribute such as
// last_run.reclaimed_bytes is null before the first run, and an error in an output would break
// every plan until then. Terraform itself keeps unknown values unknown.
func call[A, R any](ctx context.Context, req function.RunRequest, resp *function.RunResponse, f func(A) (R, error)) {
	var argument *A
	if resp.Error = req.Arguments.Get(ctx, &argument); resp.Error != nil {
		return
	}
	var result *R
	if argument != nil {
		value, err := f(*argument)
		if err != nil {
			resp.Error = function.NewArgumentFuncError(0, err.Error())
			return
		}
		result = &value
	}
	resp.Error = resp.Result.Set(ctx, result)
}
