package conformance_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// contradictingAnswers contradict each claim. TestSimulatedHosts shows that
// each claim holds with the same host without the breakage.
var contradictingAnswers = map[string]breakage{
	"identify":               swapFor("wsmid:Identify", "ProductVendor", "ProductVender"),
	"identify-hides-version": swapFor("wsmid:Identify", "OS: 0.0.0", "OS: 10.0.20348"),
	"http-unknown-path":      fails("/hyperv-conformance", 400),
	"http-other-method":      fails("GET ", 400),
	"chunked-request":        fails("<a/>", 400),

	"relates-to":                 without(`<a:RelatesTo>[^<]*</a:RelatesTo>`),
	"envelope-too-small":         swapFor(">8191<", "EncodingLimit", "InternalError"),
	"malformed-xml-fault":        swapFor("s:Bodi", "SchemaValidationError", "InternalError"),
	"malformed-duration-fault":   swapFor("sixty", "SchemaValidationError", "InternalError"),
	"locale-without-effect":      func(r *reply) { asks("cy-GB", faulty)(r) },
	"locale-must-understand":     swap("w:UnsupportedFeature", "w:InternalError"),
	"unknown-class-get":          swapFor("HypervConformanceNone", "2150858752", "2150858753"),
	"unknown-class-wql":          swap("2150858778", "2150858779"),
	"missing-namespace-codes":    swap("2147749902", "2147749889"),
	"missing-namespace-wmi-code": swap("2147749902", "2150858752"),
	"missing-method-codes":       swap("2147749934", "2147749889"),
	"wrong-selector":             swap("w:InvalidSelectors", "w:InternalError"),
	"unknown-parameter":          fails("HypervConformanceNone", 500),
	"parameter-type":             fails(">two<", 500),
	"null-is-nil":                without(`<p:[A-Za-z]+ xsi:nil="true"\s*/>`),
	"enumeration-optimized":      swapFor("OptimizeEnumeration", "w:EndOfSequence", "n:EndOfSequence"),
	"enumeration-plain":          asks("<n:Enumerate></n:Enumerate>", swap("</n:EnumerateResponse>", "<w:Items/></n:EnumerateResponse>")),
	"pull-one": asks("<n:Pull>", func(r *reply) {
		r.body = strings.Replace(r.body, "</n:Items>", `<p:Msvm_ComputerSystem xmlns:p="x"/></n:Items>`, 1)
	}),
	"pull-other-limits": swap("2150859181", "2150858810"),
	"wql-needs-star":    swap("2150859003", "2150858810"),
	"wql-instances":     swapFor("SELECT * FROM Win32_OperatingSystem", "Win32_OperatingSystem", "Win32_System"),
	"wql-projection":    swapFor("SELECT BuildNumber", "XmlFragment", "Fragment"),
	"selector-filter": func(r *reply) {
		if strings.Contains(r.request, "SelectorFilter") {
			re := regexp.MustCompile(`(?s)<p:Msvm_ComputerSystem .*</p:Msvm_ComputerSystem>`)
			r.body = re.ReplaceAllStringFunc(r.body, func(s string) string { return s + s })
		}
	},

	"namespaces-by-release":         swap("10.0.20348", "6.1.7601"),
	"service-one-selector":          swap(">Msvm_ImageManagementService<", ">Msvm_Other<"),
	"service-name":                  swap("vhdsvc", "vhdservice"),
	"invoke-without-selectors":      asks("GetVirtualHardDiskState_INPUT", status500("2147749935")),
	"invoke-without-selectors-code": swap("2147749935", "2147749889"),
	"rights-to-invoke":              asks("GetVirtualHardDiskState_INPUT", faultWith(5)),
	"dead-job":                      swapFor("Msvm_StorageJob", "2150858752", "2150858753"),
	"find-mounted-nothing":          swap("32789", "32768"),
	"missing-file-value":            swap("32779", "32768"),
	"inspection-properties":         swap("MaxInternalSize", "MostInternalSize"),
	"file-classes-get-by-name":      asks("CIM_DataFile", faultWith(2150858752)),
	"file-class-absent-file":        swapFor("CIM_DataFile", "2150858752", "2150858753"),
	"file-class-letter-case":        swap("canary disk.vhdx", "Canary Disk.vhdx"),
	"directory-junctions":           swap("documents and settings", "documents"),

	"state-timestamp":             ticking(),
	"cluster-nodes":               swapFor("MSCluster_Cluster", "Fqdn", "Fqtn"),
	"file-classes-cluster-volume": asks("ClusterStorage", without(`<p:Win32_Directory .*</p:Win32_Directory>`)),

	"create-disk":                returnsAlways("GetVirtualHardDiskSettingData", 32768),
	"create-existing":            swap("2147942480", "5"),
	"delete-file":                returns("Delete", 2),
	"delete-in-use":              returnsOnly("Delete", 15, 8),
	"job-reference-form":         wrapJob,
	"job-type-compaction":        swap("<p:JobType>3<", "<p:JobType>4<"),
	"job-record-kept":            swap("P0DT0H5M0S", "P0DT0H4M0S"),
	"job-start-time":             rewrite("Msvm_StorageJob", `(<p:StartTime><cim:Datetime>)\d{4}`, "${1}2001"),
	"job-wrong-class":            swapFor("Msvm_ConcreteJob", "DestinationUnreachable", "InternalError"),
	"storage-job-enumeration":    swapFor("n:Enumerate>", "<p:InstanceID>5D1C", "<p:InstanceID>5D1D"),
	"storage-job-wql":            swapFor("JobType=3", "<p:InstanceID>5D1C", "<p:InstanceID>5D1D"),
	"affected-element":           swapFor("Msvm_AffectedStorageJobElement", "Msvm_ImageManagementService", "Msvm_ComputerSystem"),
	"compact-output":             returns("CompactVirtualHardDisk", 4096),
	"compact-detached":           returns("CompactVirtualHardDisk", 32770),
	"compact-detached-retrim":    returns("CompactVirtualHardDisk", 0),
	"compact-attached-read-only": returns("CompactVirtualHardDisk", 32774),
	"compact-vhd-full":           returns("CompactVirtualHardDisk", 32770),
	"compact-fixed-vhd":          returns("CompactVirtualHardDisk", 0),
	"compact-fixed-vhdx":         returns("CompactVirtualHardDisk", 32770),
	"compact-without-mode":       returns("CompactVirtualHardDisk", 0),
	"compact-unknown-mode":       returns("CompactVirtualHardDisk", 0),
	"compact-missing-file":       returns("CompactVirtualHardDisk", 32768),
	"compact-in-use":             returnsOnly("CompactVirtualHardDisk", 32774, 0),
	"compact-twice":              returnsOnly("CompactVirtualHardDisk", 32774, 32775),
	"cancel-answer":              returnsOnly("RequestStateChange", 0, 4098),
	"cancelled-state":            swap("<p:JobState>8<", "<p:JobState>10<"),
	"cancelled-disk-opens":       after("RequestStateChange_INPUT", returns("GetVirtualHardDiskSettingData", 32768)),
	"inspect-compacting":         after("CompactVirtualHardDisk_INPUT", returns("GetVirtualHardDiskSettingData", 32774)),
	"state-change-ended-job":     returns("RequestStateChange", 0),
	"attach-listed":              swap("<p:Access>1<", "<p:Access>2<"),
	"find-mounted":               returns("FindMountedStorageImageInstance", 32789),
	"attach-attached":            returnsOnly("AttachVirtualHardDisk", 32774, 32768),
	"detach":                     returns("DetachVirtualHardDisk", 1),
}

// ticking gives a disk another time stamp each time that its state is read.
func ticking() breakage {
	var reads atomic.Int64
	stamp := regexp.MustCompile(`(Timestamp[^\d]*?(?:&#?\w+;[^\d]*?)*)\d{14}`)
	return func(r *reply) {
		if strings.Contains(r.request, "GetVirtualHardDiskState_INPUT") {
			r.body = stamp.ReplaceAllString(r.body, fmt.Sprintf("${1}%014d", 20000101000000+reads.Add(1)))
		}
	}
}

// contradictingHosts are hosts that contradict a claim by more than changed answers.
var contradictingHosts = map[string]singleClaim{
	"unsealed-refused":        {opts: []hypervsim.Option{hypervsim.WithAllowUnencrypted(true)}},
	"unsealed-refused-status": {status: [2]string{"HTTP/1.1 500", "HTTP/1.1 403"}},
	"broken-seal-status":      {status: [2]string{"HTTP/1.1 400", "HTTP/1.1 500"}},
	"http-media-type":         {status: [2]string{"HTTP/1.1 415", "HTTP/1.1 500"}},
	"ntlm-suffix-domain": {
		opts: []hypervsim.Option{hypervsim.WithDomain(canaryDomain, canaryDNS), hypervsim.WithoutPrincipalNames()}, refused: 1,
	},
	"kerberos-raw-token": kerberos{opts: []hypervsim.Option{hypervsim.WithoutRawKerberos()}, want: conformance.Contradicted, stops: true, refused: 2}.singleClaim(),
	"v1-on-2012r2": {
		opts: []hypervsim.Option{hypervsim.WithRelease(hypervsim.Server2012)}, answer: swap("6.2.9200", "6.3.9600"),
	},
	"inspection-immediate": {opts: []hypervsim.Option{hypervsim.WithVHD(hypervsim.VHD{Path: diskPath(".vhdx"), InspectionJobs: 1})}},
	"missing-file-way":     {opts: []hypervsim.Option{hypervsim.WithMissingViaJob()}},
	"refusal-way":          {opts: []hypervsim.Option{hypervsim.WithCreatedVHD(hypervsim.VHD{Refusals: hypervsim.ViaJob})}},
	"access-denied-code":   {answer: asks("Msvm_ImageManagementService", refusesWith("AccessDenied", 2150858793))},
	"inspection-after-job": {opts: []hypervsim.Option{hypervsim.WithVHD(hypervsim.VHD{Path: diskPath(".vhdx"), InspectionJobs: -1})}},
	"file-classes-local-drives": {ask: func(request string) (string, *reply) {
		return strings.ReplaceAll(request, `\\localhost\ADMIN$`, `C:\Windows`), nil
	}},
}

// TestContradictions: every claim that the kit can ask about can be contradicted,
// and a host that contradicts one is left clean as well.
func TestContradictions(t *testing.T) {
	t.Parallel()
	for _, c := range claims.All() {
		if c.Untestable != "" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			r, ok := contradictingHosts[c.ID]
			if b := contradictingAnswers[c.ID]; b != nil && !ok {
				r, ok = singleClaim{answer: b}, true
			}
			if b := brokenMachines[c.ID]; b != nil {
				r, ok = singleClaim{answer: b}, true
			}
			if other, is := brokenSetup[c.ID]; is {
				r, ok = other, true
			}
			if !ok {
				t.Fatal("no host breaks this claim")
			}
			r.id, r.want = c.ID, conformance.Contradicted
			synctest.Test(t, r.run)
		})
	}
}
