package rehearsal

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// contradiction changes the answers of a host so that it contradicts one claim, and
// no other.
type contradiction struct {
	// asked is in every request whose answer is changed.
	asked string
	from  *regexp.Regexp
	by    string
}

func swap(asked, from, by string) contradiction {
	return contradiction{asked: asked, from: regexp.MustCompile(from), by: by}
}

// contradictions are hosts by the claim that they contradict.
var contradictions = map[string]contradiction{
	"envelope-too-small":            swap(">8191<", "EncodingLimit", "InternalError"),
	"malformed-xml-fault":           swap("s:Bodi", "SchemaValidationError", "InternalError"),
	"malformed-duration-fault":      swap("sixty", "SchemaValidationError", "InternalError"),
	"locale-must-understand":        swap(`xml:lang="en-US" s:mustUnderstand="true"`, "UnsupportedFeature", "InternalError"),
	"unknown-class-get":             swap("HypervConformanceNone", "2150858752", "2150858753"),
	"unknown-class-wql":             swap("HypervConformanceNone", "2150858778", "2150858779"),
	"wql-needs-star":                swap("Win32_OperatingSystem", "2150859003", "2150858810"),
	"wql-projection":                swap("SELECT BuildNumber", "XmlFragment", "Fragment"),
	"pull-other-limits":             swap("<n:Pull>", "2150859181", "2150858810"),
	"missing-method-codes":          swap("HypervConformanceNone", "2147749934", "2147749889"),
	"invoke-without-selectors-code": swap("GetVirtualHardDiskState", "2147749935", "2147749889"),
	"service-name":                  swap("Msvm_ImageManagementService", "<p:Name>vhdsvc<", "<p:Name>imagesvc<"),
	"dead-job":                      swap("Msvm_StorageJob", "2150858752", "2150858753"),
	"find-mounted-nothing":          swap("FindMountedStorageImageInstance", ">32789<", ">32768<"),
	"compact-unknown-mode":          swap(">99<", ">32773<", ">32775<"),
	"job-type-compaction":           swap("Msvm_StorageJob", "<p:JobType>3<", "<p:JobType>4<"),
	"job-record-kept":               swap("Msvm_StorageJob", "P0DT0H5M0S", "P0DT0H4M0S"),
	"job-owner":                     swap("Msvm_StorageJob", "<p:Owner>[^<]*", `<p:Owner>NT AUTHORITY\SYSTEM`),
	"state-number-saved":            swap("Msvm_ComputerSystem", "<p:EnabledState>6<", "<p:EnabledState>32769<"),
	"state-number-paused":           swap("Msvm_ComputerSystem", "<p:EnabledState>9<", "<p:EnabledState>32768<"),
	"checkpoint-kind":               swap("Msvm_VirtualSystemSettingData", "Snapshot:Realized", "Snapshot:Recovery"),
	"directory-junctions":           swap("Win32_Directory", "documents and settings", "documents"),
}

// Contradictable lists the claims that a host can be made to contradict without contradicting any
// other.
func Contradictable() []string { return slices.Sorted(maps.Keys(contradictions)) }

// Contradict changes an answer so that claims are contradicted.
func Contradict(claims []string, request, answer string) string {
	for _, id := range claims {
		c := contradictions[id]
		if strings.Contains(request, c.asked) {
			answer = c.from.ReplaceAllString(answer, c.by)
		}
	}
	return answer
}
