package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func TestUpgradeState(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ stored, want string }{
		"every renamed attribute": {
			stored: `{"mount_read_only":false,"last_run":{"mounted":true,"passes":1}}`,
			want:   `{"allow_replicated":false,"attach_read_only":false,"last_run":{"attached":true,"passes":1}}`,
		},
		"no run yet": {
			stored: `{"mount_read_only":null,"last_run":null}`,
			want:   `{"allow_replicated":false,"attach_read_only":null,"last_run":null}`,
		},
		"a size that no float64 holds": {
			stored: `{"file_size_bytes":9007199254740993,"last_run":null}`,
			want:   `{"allow_replicated":false,"file_size_bytes":9007199254740993,"last_run":null}`,
		},
		"a job whose end was not seen": {
			stored: `{"last_run":{"job_id":"7"},"node":"NODE1","status":"interrupted"}`,
			want:   `{"allow_replicated":false,"last_run":{"job_id":"7"},"node":"NODE1","status":"interrupted","unseen_job":"7","unseen_job_node":"NODE1"}`,
		},
		"a job that was seen to end": {
			stored: `{"last_run":{"job_id":"7"},"status":"compacted"}`,
			want:   `{"allow_replicated":false,"last_run":{"job_id":"7"},"status":"compacted"}`,
		},
		"a job that had ended before the disk was below the minimum": {
			stored: `{"last_run":{"file_size_after_bytes":5,"job_id":"7"},"node":"NODE1","status":"below_minimum"}`,
			want:   `{"allow_replicated":false,"last_run":{"file_size_after_bytes":5,"job_id":"7"},"node":"NODE1","status":"below_minimum"}`,
		},
		"a job whose end was not seen before the disk was in use": {
			stored: `{"last_run":{"file_size_after_bytes":null,"job_id":"7"},"node":"NODE1","status":"skipped_in_use"}`,
			want:   `{"allow_replicated":false,"last_run":{"file_size_after_bytes":null,"job_id":"7"},"node":"NODE1","status":"skipped_in_use","unseen_job":"7","unseen_job_node":"NODE1"}`,
		},
		"an interrupted job with a size": {
			stored: `{"last_run":{"file_size_after_bytes":5,"job_id":"7"},"node":"NODE1","status":"interrupted"}`,
			want:   `{"allow_replicated":false,"last_run":{"file_size_after_bytes":5,"job_id":"7"},"node":"NODE1","status":"interrupted","unseen_job":"7","unseen_job_node":"NODE1"}`,
		},
		"no JSON":          {stored: `{`},
		"last_run a list":  {stored: `{"last_run":[]}`},
		"no last_run":      {stored: `{}`},
		"a list, no state": {stored: `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var resp resource.UpgradeStateResponse
			(&vhdCompactionResource{}).UpgradeState(t.Context())[0].StateUpgrader(t.Context(),
				resource.UpgradeStateRequest{RawState: &tfprotov6.RawState{JSON: []byte(test.stored)}}, &resp)
			got := ""
			if resp.DynamicValue != nil {
				got = string(resp.DynamicValue.JSON)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || resp.Diagnostics.HasError() != (test.want == "") {
				t.Errorf("upgraded (-want +got):\n%s%v", diff, resp.Diagnostics)
			}
		})
	}
}
