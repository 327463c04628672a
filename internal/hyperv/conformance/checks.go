package conformance

import (
	"net/http"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// checks lists how each claim is asked about.
func checks() []check {
	return []check{
		{"identify", 0, (*kit).identify},
		{"identify-hides-version", 0, (*kit).identifyHidesVersion},
		{"unsealed-refused", needSeal, (*kit).unsealedRefused},
		{"unsealed-refused-status", needSeal, (*kit).unsealedStatus},
		{"broken-seal-status", needSeal, (*kit).brokenSeal},
		{"http-unknown-path", 0, wantStatus(hit{path: "/hyperv-conformance", contentType: secure.SOAPType}, http.StatusNotFound)},
		{"http-other-method", 0, wantStatus(hit{method: http.MethodGet}, http.StatusMethodNotAllowed)},
		{"http-media-type", needSeal, (*kit).mediaType},
		{"chunked-request", 0, wantStatus(hit{contentType: secure.SOAPType, body: []byte("<a/>"), chunked: true}, http.StatusLengthRequired)},
		{"ntlm-suffix-domain", 0, (*kit).ntlmSuffix},
		{"kerberos-raw-token", afterRefusal, (*kit).kerberosRaw},

		{"relates-to", 0, (*kit).relatesTo},
		{"envelope-too-small", 0, (*kit).envelopeTooSmall},
		{"malformed-xml-fault", 0, (*kit).malformedXML},
		{"malformed-duration-fault", 0, (*kit).malformedDuration},
		{"locale-without-effect", 0, (*kit).localeUnknown},
		{"locale-must-understand", 0, (*kit).localeMustUnderstand},
		{"unknown-class-get", 0, (*kit).unknownClassGet},
		{"unknown-class-wql", 0, (*kit).unknownClassWQL},
		{"missing-namespace-codes", 0, (*kit).missingNamespaceInvoke},
		{"missing-namespace-wmi-code", 0, (*kit).missingNamespaceGet},
		{"missing-method-codes", needHyperV, (*kit).missingMethod},
		{"wrong-selector", needHyperV, (*kit).wrongSelector},
		{"unknown-parameter", needHyperV, (*kit).unknownParameter},
		{"parameter-type", needV2, (*kit).parameterType},
		{"null-is-nil", needHyperV, (*kit).nullIsNil},
		{"enumeration-optimized", 0, (*kit).enumerationOptimized},
		{"enumeration-plain", 0, (*kit).enumerationPlain},
		{"pull-one", needHyperV, (*kit).pullOne},
		{"pull-other-limits", needHyperV, (*kit).pullOtherLimits},
		{"wql-needs-star", 0, (*kit).wqlNeedsStar},
		{"wql-instances", 0, (*kit).wqlInstances},
		{"wql-projection", 0, (*kit).wqlProjection},
		{"selector-filter", needHyperV, (*kit).selectorFilter},

		{"namespaces-by-release", 0, (*kit).namespacesByRelease},
		{"v1-on-2012r2", 0, (*kit).v1On2012R2},
		{"service-one-selector", needHyperV, (*kit).serviceOneSelector},
		{"service-name", needHyperV, (*kit).serviceName},
		{"invoke-without-selectors", needHyperV, (*kit).invokeWithoutSelectors},
		{"invoke-without-selectors-code", needHyperV, (*kit).invokeWithoutSelectorsCode},
		{"rights-to-invoke", needHyperV, (*kit).rightsToInvoke},
		{"access-denied-code", 0, (*kit).accessDenied},
		{"dead-job", needHyperV, (*kit).deadJob},
		{"find-mounted-nothing", needV2, (*kit).findMountedNothing},
		{"missing-file-value", needHyperV, (*kit).missingFileValue},
		{"missing-file-way", needHyperV, (*kit).missingFileWay},
		{"inspection-immediate", needDisk, (*kit).inspectionImmediate},
		{"inspection-after-job", needDisk, (*kit).inspectionAfterJob},
		{"inspection-properties", needDisk, (*kit).inspectionProperties},
		{"file-classes-get-by-name", needDisk, (*kit).fileClassesByName},
		{"file-class-absent-file", 0, (*kit).absentFile},
		{"file-class-letter-case", needDisk, (*kit).fileLetterCase},
		{"file-classes-local-drives", 0, (*kit).localDrives},
		{"directory-junctions", 0, (*kit).junctions},

		{"create-disk", needWrite, (*kit).createDisk},
		{"create-existing", needWrite, (*kit).createExisting},
		{"delete-file", needWrite, (*kit).deleteFile},
		{"delete-in-use", needWrite | needV2, (*kit).deleteInUse},
		{"job-reference-form", needWrite, (*kit).jobReference},
		{"job-type-compaction", needWrite, (*kit).jobType},
		{"job-record-kept", needWrite, (*kit).jobKept},
		{"job-wrong-class", needWrite, (*kit).jobWrongClass},
		{"storage-job-enumeration", needWrite, (*kit).jobListed},
		{"storage-job-wql", needWrite, (*kit).jobQueried},
		{"affected-element", needWrite | needV2, (*kit).affectedElement},
		{"compact-output", needWrite, (*kit).compactOutput},
		{"compact-detached", needWrite | needV2, (*kit).compactDetached},
		{"compact-detached-retrim", needWrite | needV2, (*kit).compactRetrim},
		{"compact-attached-read-only", needWrite | needV2, (*kit).compactAttached},
		{"compact-vhd-full", needWrite, (*kit).compactVHD},
		{"compact-fixed-vhd", needWrite, (*kit).compactFixedVHD},
		{"compact-fixed-vhdx", needWrite | needV2, (*kit).compactFixedVHDX},
		{"compact-without-mode", needWrite | needV2, (*kit).compactWithoutMode},
		{"compact-unknown-mode", needWrite | needV2, (*kit).compactUnknownMode},
		{"compact-missing-file", needWrite, (*kit).compactMissing},
		{"compact-in-use", needWrite | needV2, (*kit).compactInUse},
		{"refusal-way", needWrite | needV2, (*kit).refusalWay},
		{"compact-twice", needWrite, (*kit).compactTwice},
		{"cancel-answer", needWrite | needV2, (*kit).cancelAnswer},
		{"cancelled-state", needWrite | needV2, (*kit).cancelledState},
		{"cancelled-disk-opens", needWrite | needV2, (*kit).cancelledOpens},
		{"state-change-ended-job", needWrite | needV2, (*kit).endedJob},
		{"attach-listed", needWrite | needV2, (*kit).attachListed},
		{"find-mounted", needWrite | needV2, (*kit).findMounted},
		{"attach-attached", needWrite | needV2, (*kit).attachAttached},
		{"detach", needWrite | needV2, (*kit).detachClaim},
	}
}

// Checked lists the IDs of the claims that the kit asks about.
func Checked() []string {
	var ids []string
	for _, c := range checks() {
		ids = append(ids, c.claim)
	}
	return ids
}
