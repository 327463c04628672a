package hyperv

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestGuideKnowsEveryClass holds the guide for auditors to what is sent.
func TestGuideKnowsEveryClass(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../templates/guides/least-privilege.md")
	if err != nil {
		t.Fatal(err)
	}
	for file, pattern := range map[string]string{
		"cim/names.go":         `Class\w+ += "(\w+)"`,
		"mounted_image.go":     `name: "(\w+)"`,
		"codes_returnvalue.go": `method\w+ += "(\w+)"`,
		"compact_passes.go":    `name: "(\w+)"`,
		"inspect.go":           `"(GetVirtualHardDisk\w+)"`,
	} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(code), -1)
		if len(found) == 0 {
			t.Errorf("%s has nothing like %s", file, pattern)
		}
		for _, m := range found {
			if !strings.Contains(string(guide), "`"+m[1]+"`") && !unsent[m[1]] {
				t.Errorf("the guide lacks %s of %s", m[1], file)
			}
		}
	}
}

// unsent are classes that arrive inside answers, or that only the simulated host
// knows.
var unsent = map[string]bool{
	"Msvm_VirtualHardDiskSettingData": true, "Msvm_VirtualHardDiskState": true, "Msvm_VirtualHardDiskInfo": true,
	"Msvm_ResourceAllocationSettingData": true, "Msvm_AffectedStorageJobElement": true,
}
