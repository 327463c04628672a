package provider_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// Every line of the wire names its disk and host, with durations as numbers, and the wire has its
// own log level.
func TestCLI_log(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  string
		more string          // of the environment
		want map[string]bool // kinds of lines
	}{
		"all":         {want: map[string]bool{"request": true, "body": true, "progress": true}},
		"no wire":     {env: "TF_LOG_PROVIDER_HYPERV_WIRE=OFF", want: map[string]bool{"progress": true}},
		"lines of it": {env: "TF_LOG_PROVIDER_HYPERV_WIRE=DEBUG", want: map[string]bool{"request": true, "progress": true}},
		"all but it":  {env: "TF_LOG_PROVIDER_HYPERV_WIRE=WARN", want: map[string]bool{"progress": true}},
		"nothing but it": {
			env:  "TF_LOG_PROVIDER_HYPERV_WIRE=DEBUG",
			more: "TF_LOG_PROVIDER_HYPERV=ERROR", want: map[string]bool{"request": true},
		},
		"bodies of it": {env: "TF_LOG_PROVIDER_HYPERV_WIRE=TRACE", want: map[string]bool{"request": true, "body": true, "progress": true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			c := newCLI(t, "TF_LOG=JSON", "TF_LOG_PATH=log.json", test.env, test.more)
			c.write(providerFor(sim) + disk() + "data \"hyperv_vhd\" \"one\" {\n  path = " + quote(diskPath) + "\n}\n" +
				"data \"hyperv_vhds\" \"all\" {\n  directory = " + quote(`D:\VMs`) + "\n  inspect = true\n}\n")
			c.expect(0, applying...)
			c.expect(0, "destroy", "-auto-approve")

			found := map[string]bool{}
			for _, line := range logLines(t, filepath.Join(c.dir, "log.json")) {
				switch message, _ := line["@message"].(string); {
				case message == "compaction compacting":
					found["progress"] = true
					continue
				case !strings.HasPrefix(message, "ws-management"):
					continue
				case line["envelope"] != nil:
					found["body"] = true
				default:
					found["request"] = true
					if duration, ok := line["duration_ms"].(float64); !ok || duration < 0 {
						t.Errorf("a line without a duration: %v", line)
					}
				}
				if line["host"] != "127.0.0.1" || line["path"] == nil || line["new_logger_warning"] != nil {
					t.Errorf("a line without its disk: %v", line)
				}
			}
			if diff := cmp.Diff(test.want, found); diff != "" {
				t.Errorf("kinds of lines (-want +found):\n%s", diff)
			}
		})
	}
}

// logLines reads a log in JSON.
func logLines(t *testing.T, file string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var all []map[string]any
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil {
			all = append(all, fields)
		}
	}
	return all
}
