package wsman

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// readSample opens an answer of testdata; the file name names the operation.
func readSample(t *testing.T, file string) (*xmlNode, error) {
	t.Helper()
	document, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	status := http.StatusOK
	if strings.HasPrefix(file, "fault") {
		status = http.StatusInternalServerError
	}
	return answer{status: status, body: document}.open("uuid:1")
}

func TestSampleOutputs(t *testing.T) {
	t.Parallel()
	id := cim.Selector{Name: "InstanceID", Value: "0A1B2C3D-0000-4000-8000-000000000002"}
	for file, tt := range map[string]struct {
		returned uint64
		job      cim.Reference
	}{
		"invoke_compact_started.xml": {4096, cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassStorageJob, id)},
		"invoke_compact_wrapped.xml": {4096, cim.Reference{
			ResourceURI: "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Msvm_StorageJob",
			Selectors:   []cim.Selector{{Name: "__cimnamespace", Value: "root/virtualization/v2"}, id},
		}},
		"invoke_compact_completed.xml": {},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			body, err := readSample(t, file)
			if err != nil {
				t.Fatal(err)
			}
			out := decodeInstance(outputElement(body, "CompactVirtualHardDisk"))
			returned, ok, err := out.Uint("ReturnValue", 32)
			if err != nil || !ok || returned != tt.returned {
				t.Errorf("ReturnValue = %d, %v, %v; want %d", returned, ok, err, tt.returned)
			}
			job, _ := out.Value("Job").Reference()
			if diff := cmp.Diff(tt.job, job); diff != "" {
				t.Errorf("Job differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSampleJob(t *testing.T) {
	t.Parallel()
	body, err := readSample(t, "get_storagejob_exception.xml")
	if err != nil {
		t.Fatal(err)
	}
	got := describe(decodeInstance(body.first()))
	want := properties{
		Class: "Msvm_StorageJob",
		Names: []string{
			"Child", "ElapsedTime", "ErrorCode", "ErrorDescription", "InstanceID", "JobCompletionStatusCode",
			"JobState", "OperationalStatus", "PercentComplete", "StartTime",
		},
		Nulls: []string{"Child"},
		Refs:  map[string]cim.Reference{},
		Texts: map[string][]string{
			"ElapsedTime":             {"P0DT0H0M1.00417S"},
			"ErrorCode":               {"32768"},
			"ErrorDescription":        {`要求された操作は、仮想ディスク システムの制限のため "D:\R&D\a.vhdx" で完了できませんでした。(0xC03A001A)。`},
			"InstanceID":              {"0A1B2C3D-0000-4000-8000-000000000002"},
			"JobCompletionStatusCode": {"3225026586"},
			"JobState":                {"10"},
			"OperationalStatus":       {"17", "2"},
			"PercentComplete":         {"0"},
			"StartTime":               {"2026-10-05T04:23:50.25Z"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("job differs (-want +got):\n%s", diff)
	}
}

func TestSampleFaults(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Fault{
		"fault_wmi_error.xml": {
			500,
			QName{nsSOAP, "Receiver"},
			QName{nsWSMan, "InternalError"},
			"",
			[]uint32{2150859013},
			"Zugriff verweigert. Der Dienst verweigert den Zugriff.",
		},
		"fault_access_denied_provider.xml": {
			500,
			QName{nsSOAP, "Sender"},
			QName{nsWSMan, "AccessDenied"},
			"",
			[]uint32{2150859012, 2147942405, 2147749891},
			"The WMI service returned an 'access denied' error. Access is denied.",
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			_, err := readSample(t, file)
			var f *Fault
			if !errors.As(err, &f) {
				t.Fatalf("open = %v, want a Fault", err)
			}
			if diff := cmp.Diff(want, *f); diff != "" {
				t.Errorf("fault differs (-want +got):\n%s", diff)
			}
		})
	}
}
