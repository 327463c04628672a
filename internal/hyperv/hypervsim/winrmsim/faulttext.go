package winrmsim

import (
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// knownFaultEntry is what the service sends along with a code. The texts are
// this package's own: a client that reads them instead of the code is wrong.
type knownFaultEntry struct {
	subcode string
	sender  bool
	detail  string
	en, ja  string
}

// knownFault looks a code up. Codes of Windows itself come as an internal
// error of the receiver, as was seen for access denied.
func knownFault(code uint32) knownFaultEntry {
	if k, ok := knownFaults[code]; ok {
		return k
	}
	return knownFaultEntry{
		subcode: "w:InternalError",
		en:      fmt.Sprintf("The service or one of its providers returned error 0x%08X. ", code),
		ja:      fmt.Sprintf("サービスまたはプロバイダーがエラー 0x%08X を返しました。 ", code),
	}
}

// Entries that several codes share.
var (
	quotaFault     = knownFaultEntry{"w:QuotaLimit", true, "", "A quota of the plug-in is exhausted. ", "プラグインのクォータを超えました。 "}
	deniedFault    = knownFaultEntry{"w:AccessDenied", true, "", "Access is denied. ", "アクセスが拒否されました。 "}
	wmiDeniedFault = knownFaultEntry{"w:AccessDenied", true, "", "WMI returned that access is denied. ", "WMI がアクセス拒否を返しました。 "}
)

// knownFaults are the codes of the service (wsmerror.h), of the WMI plug-in and
// of WMI.
var knownFaults = map[uint32]knownFaultEntry{
	wmi.CodeResourceNotFound:      {"a:DestinationUnreachable", true, "ResourceNotFound", "The resource that the URI and the selectors describe was not found. ", "リソース URI とセレクターで示されたリソースが見つかりません。 "},
	codeUnsupportedTimeout:        {"w:UnsupportedFeature", true, "OperationTimeout", "The operation timeout is shorter than the service allows. ", "操作タイムアウトがサービスの下限より短くなっています。 "},
	codeVersionMismatch:           {"s:VersionMismatch", true, "", "This version of SOAP is not supported. ", "この SOAP バージョンはサポートされていません。 "},
	codeInvalidHeader:             {"a:InvalidMessageInformationHeader", true, "", "A SOAP header of the request is not valid. ", "要求の SOAP ヘッダーが無効です。 "},
	codeMustUnderstand:            {"s:MustUnderstand", true, "", "A header that must be understood is not known. ", "理解が必須のヘッダーを処理できません。 "},
	codeHeaderRequired:            {"a:MessageInformationHeaderRequired", true, "", "The request lacks a required SOAP header. ", "要求に必要な SOAP ヘッダーがありません。 "},
	codeActionNotSupported:        {"a:ActionNotSupported", true, "", "The action is not supported. ", "この操作はサポートされていません。 "},
	2150858772:                    {"a:EndpointUnavailable", false, "", "The resource is offline. Try again later. ", "リソースはオフラインです。後で再試行してください。 "},
	codeDialectUnavailable:        {"n:FilterDialectRequestedUnavailable", true, "", "The filter dialect is not supported for this resource. ", "このフィルター言語はサポートされていません。 "},
	codeCannotProcessFilter:       {"n:CannotProcessFilter", true, "", "The filter could not be processed. ", "フィルターを処理できませんでした。 "},
	codeInvalidContext:            {"n:InvalidEnumerationContext", false, "", "The enumeration context is not valid; the enumeration may have ended. ", "列挙コンテキストが無効です。列挙は終了した可能性があります。 "},
	2150858780:                    {"n:TimedOut", false, "", "Nothing came within MaxTime; the enumeration is still valid. ", "MaxTime 内にデータを取得できませんでした。列挙は有効です。 "},
	codeInvalidBody:               {"w:SchemaValidationError", true, "", "The request has no valid SOAP body. ", "要求に有効な SOAP 本文がありません。 "},
	codeOperationTimedOut:         {"w:TimedOut", false, "", "The operation did not finish within its timeout. ", "指定された時間内に操作を完了できませんでした。 "},
	codeUnsupportedEncoding:       {"w:EncodingLimit", true, "CharacterSet", "Only UTF-8 and UTF-16 are supported. ", "UTF-8 と UTF-16 のみサポートされています。 "},
	codeActionMismatch:            {"w:ActionMismatch", true, "", "The action does not fit the resource. ", "操作の URI がリソースと一致しません。 "},
	2150858802:                    {"w:Concurrency", true, "", "The resource is already in use. ", "リソースは既に使用されています。 "},
	codeInvalidParameter:          {"w:InvalidParameter", true, "", "A parameter is not valid. ", "パラメーターが無効です。 "},
	codeInvalidResourceURI:        {"a:DestinationUnreachable", true, "InvalidResourceURI", "The resource URI is missing or malformed. ", "リソース URI がないか、形式が正しくありません。 "},
	codeInvalidSelectors:          {"w:InvalidSelectors", true, "", "The selectors are not valid. ", "セレクターが無効です。 "},
	2150858815:                    {"w:QuotaLimit", true, "", "The service is busy. Try again later. ", "サービスはビジー状態です。後で再試行してください。 "},
	codeSchemaValidation:          {"w:SchemaValidationError", true, "", "The message does not match its XML schema. ", "メッセージの XML がスキーマと一致しません。 "},
	codeUnsupportedFeature:        {"w:UnsupportedFeature", true, "", "A feature of the request is not supported. ", "要求された機能はサポートされていません。 "},
	codeInvalidXML:                {"w:SchemaValidationError", true, "", "The XML of the request is not valid. ", "要求の XML が無効です。 "},
	codeEnvelopeExceeded:          {"w:EncodingLimit", true, "MaxEnvelopeSizeExceeded", "The answer is larger than the request allows. ", "応答が要求で許可された最大サイズを超えています。 "},
	codeServerEnvelopeLimit:       {"w:EncodingLimit", true, "ServiceEnvelopeLimit", "The answer is larger than the service allows. ", "応答がサービスの最大サイズを超えています。 "},
	codeUnreportableSuccess:       {"w:EncodingLimit", true, "UnreportableSuccess", "The operation succeeded but its result is too large to send. ", "操作は成功しましたが、結果が大きすぎて送信できません。 "},
	codeDuplicateSelectors:        {"w:InvalidSelectors", true, "DuplicateSelectors", "A selector is given twice. ", "セレクターが重複しています。 "},
	codeAddressingMode:            {"w:UnsupportedFeature", true, "AddressingMode", "The addressing mode is not supported. ", "このアドレス指定モードはサポートされていません。 "},
	codeMinEnvelopeSize:           {"w:EncodingLimit", true, "MinimumEnvelopeLimit", "The maximum envelope size is below 8192. ", "最大エンベロープ サイズが 8192 未満です。 "},
	codeLocaleMustUnderstand:      {"w:UnsupportedFeature", true, "Locale", "Locale must not be marked as mustUnderstand. ", "Locale に mustUnderstand を指定できません。 "},
	codeQuotaOperations:           {"w:InternalError", false, "", "This user has too many operations under way. ", "このユーザーの同時操作数が上限を超えました。 "},
	codePullParameters:            {"w:InvalidParameter", true, "", "Pull must repeat the limits of Enumerate. ", "Pull の制限値が Enumerate と一致しません。 "},
	2150859237:                    quotaFault,
	2150859239:                    quotaFault,
	codeQuotaPerUser:              quotaFault,
	2150859242:                    quotaFault,
	2150859175:                    quotaFault,
	2150859176:                    quotaFault,
	wmi.CodeInsufficientSelectors: {"w:InvalidSelectors", true, "InsufficientSelectors", "The request lacks a selector. ", "必要なセレクターがありません。 "},
	wmi.CodeUnexpectedSelectors:   {"w:InvalidSelectors", true, "UnexpectedSelectors", "The request has invalid selectors for the resource. ", "要求に無効なセレクターが含まれています。 "},
	2150858845:                    {"w:InvalidSelectors", true, "", "The value of a selector is not valid. ", "セレクターの値が無効です。 "},
	wmi.CodeParameterTypeMismatch: {"w:InvalidParameter", true, "", "A parameter is of the wrong type. ", "パラメーターの型が正しくありません。 "},
	wmi.CodeInvalidParameterName:  {"w:InvalidParameter", true, "", "A parameter name is not valid. ", "パラメーター名が無効です。 "},
	wmi.CodeNotSingleton:          {"w:InvalidSelectors", true, "InsufficientSelectors", "The class is not a singleton: selectors are needed. ", "クラスはシングルトンではないため、キーが必要です。 "},
	codeQueryNeedsStar:            {"w:InvalidParameter", true, "", "With a WQL filter the class must be * and there must be no selectors. ", "WQL フィルターを使う場合、クラス名は * でなければなりません。 "},
	codeEnumerateWithKeys:         {"w:InvalidSelectors", true, "UnexpectedSelectors", "An enumeration must not have selectors. ", "列挙にキーを指定できません。 "},
	5:                             deniedFault,
	2147942405:                    deniedFault,
	2147749891:                    deniedFault,
	2150859012:                    wmiDeniedFault,
	2150859013:                    wmiDeniedFault,
	2150859014:                    wmiDeniedFault,
	reasonClassMissing:            {"w:InternalError", false, "", "The class does not exist in this namespace. ", "クラスはこの名前空間に存在しません。 "},
	wmi.CodeInvalidNamespace:      {"a:DestinationUnreachable", true, "InvalidResourceURI", "The namespace does not exist. ", "名前空間が存在しません。 "},
	codeQueryInvalid:              {"n:CannotProcessFilter", true, "", "The query is not valid. ", "クエリが無効です。 "},
}

// faultReason is the text of a code in the language of the host.
func faultReason(code uint32, locale string) string {
	k := knownFault(code)
	if isJapanese(locale) {
		return k.ja
	}
	return k.en
}

func isJapanese(locale string) bool {
	return len(locale) >= 2 && (locale[:2] == "ja" || locale[:2] == "JA")
}
