package hypervsim

import (
	"fmt"
	"strings"
)

// language holds what the provider says in one language. Clients must not
// depend on it: hosts speak the language they were installed in.
type language struct {
	captions, descriptions           map[JobType]string
	states                           map[JobState]string
	failed, failedBecause            string
	causes                           map[uint32]string
	hostCaption, hostDescription     string
	machineCaption, settingsCaption  string
	diskCaption, unknownJob, unknown string
}

func (l language) caption(t JobType) string { return orElse(l.captions[t], l.unknownJob) }

func (l language) description(t JobType) string { return orElse(l.descriptions[t], l.unknownJob) }

func (l language) status(s JobState) string { return orElse(l.states[s], l.unknown) }

// failure is the text of ErrorDescription, which ends in the HRESULT.
func (l language) failure(r refusal) string {
	if r.code == 0 && r.status == 0 {
		return ""
	}
	cause := orElse(l.causes[r.status], l.unknown)
	return fmt.Sprintf(l.failed+" "+l.failedBecause, cause, r.status)
}

// texts returns the language of the host.
func (w *world) texts() language {
	if strings.HasPrefix(strings.ToLower(w.locale), "ja") {
		return japanese()
	}
	return english()
}

func english() language {
	return language{
		captions: map[JobType]string{
			JobCreation: "Create virtual hard disk", JobCompaction: "Compact virtual hard disk", JobLoopbackMount: "Attach virtual hard disk", JobGetInfo: "Inspect virtual hard disk",
		},
		descriptions: map[JobType]string{
			JobCreation: "Creating virtual hard disk", JobCompaction: "Compacting virtual hard disk", JobLoopbackMount: "Attaching virtual hard disk", JobGetInfo: "Inspecting virtual hard disk",
		},
		states: map[JobState]string{
			JobNew: "Job is new", JobStarting: "Job is starting", JobRunning: "Job is running", JobShuttingDown: "Job is shutting down",
			JobCompleted: "Job is completed", JobTerminated: "Job is terminated", JobKilled: "Job is killed",
			JobException: "Job has failed", JobCompletedWithWarnings: "Job is completed with warnings",
		},
		failed:        "The operation on the virtual hard disk did not succeed.",
		failedBecause: "%s (0x%08X).",
		causes: map[uint32]string{
			statusFileNotFound: "There is no such file", statusPathNotFound: "There is no such path", statusNetworkPath: "There is no such server",
			statusFileExists: "The file exists", statusAccessDenied: "Access was denied", statusSharingViolation: "Another process uses the file",
			statusCancelled: "The operation was cancelled", statusParentNotFound: "A parent disk is missing",
			statusLimitation: "The file is compressed, encrypted or sparse", statusInvalidType: "Disks of this type cannot do that",
			statusInvalidState: "The disk is in the wrong state", statusCorrupt: "The file is damaged",
		},
		hostCaption: "Host computer system", hostDescription: "Microsoft host computer system",
		machineCaption: "Virtual machine", settingsCaption: "Virtual machine settings",
		diskCaption: "Hard disk image", unknownJob: "Storage job", unknown: "Unknown",
	}
}

func japanese() language {
	return language{
		captions: map[JobType]string{
			JobCreation: "仮想ハード ディスクの作成", JobCompaction: "仮想ハード ディスクの最適化", JobLoopbackMount: "仮想ハード ディスクの接続", JobGetInfo: "仮想ハード ディスクの検査",
		},
		descriptions: map[JobType]string{
			JobCreation: "仮想ハード ディスクの作成中", JobCompaction: "仮想ハード ディスクの最適化中", JobLoopbackMount: "仮想ハード ディスクの接続中", JobGetInfo: "仮想ハード ディスクの検査中",
		},
		states: map[JobState]string{
			JobNew: "ジョブは新規です", JobStarting: "ジョブは開始中です", JobRunning: "ジョブは実行中です", JobShuttingDown: "ジョブは停止中です",
			JobCompleted: "ジョブは完了しました", JobTerminated: "ジョブは終了させられました", JobKilled: "ジョブは強制終了されました",
			JobException: "ジョブは失敗しました", JobCompletedWithWarnings: "ジョブは警告付きで完了しました",
		},
		failed:        "仮想ハード ディスクの操作に失敗しました。",
		failedBecause: "%s (0x%08X)。",
		causes: map[uint32]string{
			statusFileNotFound: "ファイルがありません", statusPathNotFound: "パスがありません", statusNetworkPath: "サーバーがありません",
			statusFileExists: "ファイルが既に存在します", statusAccessDenied: "アクセスが拒否されました", statusSharingViolation: "別のプロセスがファイルを使用中です",
			statusCancelled: "操作は取り消されました", statusParentNotFound: "親ディスクがありません",
			statusLimitation: "ファイルが圧縮、暗号化、またはスパースです", statusInvalidType: "この種類のディスクでは実行できません",
			statusInvalidState: "ディスクの状態が正しくありません", statusCorrupt: "ファイルが壊れています",
		},
		hostCaption: "ホスト コンピューター システム", hostDescription: "Microsoft ホスト コンピューター システム",
		machineCaption: "仮想マシン", settingsCaption: "仮想マシンの設定",
		diskCaption: "ハード ディスク イメージ", unknownJob: "記憶域ジョブ", unknown: "不明",
	}
}
